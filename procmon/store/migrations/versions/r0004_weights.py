"""What share of a unit that was split went to which successor, where an office says so.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One column more; unknown in every succession until now."""
    op.add_column("successions", sa.Column("weight", sa.Double(), nullable=True))
