"""Add what a job is expected to cost, so that budgets count it before it is paid."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column."""
    op.add_column("usage", sa.Column("reserved", sa.Float, nullable=False, server_default="0"))
