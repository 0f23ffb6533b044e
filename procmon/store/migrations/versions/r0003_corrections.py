"""Which rule set and period a corrected figure belongs to: its name and scope alone do not say.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Three columns more; empty in every correction until now."""
    op.add_column("corrections", sa.Column("rule_set", sa.Text(), nullable=False, server_default=""))
    op.add_column("corrections", sa.Column("period_from", sa.Date(), nullable=True))
    op.add_column("corrections", sa.Column("period_to", sa.Date(), nullable=True))
