"""What a batch was mapped by, and whether its file was held whole.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Three columns more; every batch until now was a canonical log and not held.

    The defaults stay in the database: a procmon of the release before, still at work, can go on writing.
    """
    op.add_column("batches", sa.Column("mapping_digest", sa.Text(), nullable=False, server_default=""))
    op.add_column("batches", sa.Column("kind", sa.Text(), nullable=False, server_default="events"))
    op.add_column("batches", sa.Column("is_held", sa.Boolean(), nullable=False, server_default=sa.false()))
