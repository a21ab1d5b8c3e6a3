"""Add costs, readings and provider calls, and let jobs be cancelled."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the tables and the columns."""
    op.add_column("usage", sa.Column("started_at", sa.Float))
    op.add_column("usage", sa.Column("ended_at", sa.Float))
    op.add_column("usage", sa.Column("cancelled", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("usage", sa.Column("brief_order", sa.Text))
    op.create_index("usage_by_guild", "usage", ["guild_id", "created_at"])
    # A version between two releases created these two tables without recording it.
    if not sa.inspect(op.get_bind()).has_table("costs"):
        _add_costs_and_readings()
    op.create_table(
        "calls",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("started_at", sa.Float, nullable=False),
        sa.Column("until", sa.Float, nullable=False),
    )
    op.create_index("calls_by_provider", "calls", ["provider", "started_at"])


def _add_costs_and_readings() -> None:
    op.create_table(
        "costs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("job_id", sa.String(32), nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("dollars", sa.Float, nullable=False),
        sa.Column("input_tokens", sa.Integer, nullable=False),
        sa.Column("output_tokens", sa.Integer, nullable=False),
        sa.Column("request_id", sa.String(200), nullable=False),
    )
    op.create_index("costs_by_job", "costs", ["job_id"])
    op.create_index("costs_by_time", "costs", ["created_at"])
    op.create_table(
        "readings",
        sa.Column("question", sa.String(64), primary_key=True),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("brief", sa.Text, nullable=False),
    )
    op.create_index("readings_by_time", "readings", ["created_at"])
