"""Add when a job was queued again."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column."""
    op.add_column("usage", sa.Column("queued_at", sa.Float))
