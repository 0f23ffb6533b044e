"""Registry and ledger (SQLModel), and the lake (Delta Lake); what joins them is `store/workspace.py`."""
