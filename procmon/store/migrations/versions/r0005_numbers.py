"""Which number of a figure a correction tells.

Revision ID: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One column more; unknown in every correction until now."""
    op.add_column("corrections", sa.Column("number", sa.Text(), nullable=False, server_default=""))
