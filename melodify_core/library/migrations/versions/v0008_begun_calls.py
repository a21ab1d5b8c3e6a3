"""Book paid calls when they begin."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the columns and the index."""
    op.add_column("costs", sa.Column("call_id", sa.String(32)))
    op.add_column("costs", sa.Column("billed", sa.Boolean, nullable=False, server_default=sa.true()))
    op.create_index("costs_by_call", "costs", ["call_id"], unique=True)
