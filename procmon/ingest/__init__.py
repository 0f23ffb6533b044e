"""Log files → events and refused rows.

A received file is parsed in a child process under limits (`child.py`, with a reader for each form: `csv_file.py`,
`excel_file.py`, `json_file.py`, `xes_file.py`), which leaves text rows as Parquet. Under a mapping (`mapping.py`) these
are typed (`parse.py`), refused or not (`check.py`), turned into events (`events.py`), and `take.py` keeps what is new
against the lake. `look.py` and `guess.py` draft a mapping for a file that has none.
"""
