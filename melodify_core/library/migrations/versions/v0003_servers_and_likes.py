"""Add servers' settings, likes, pages, and what retention has deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the tables and the columns."""
    with op.batch_alter_table("usage") as table:
        table.add_column(sa.Column("waived", sa.Boolean, nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("page_id", sa.String(22)))
        table.add_column(sa.Column("outcome", sa.String(64)))
        table.add_column(sa.Column("turn", sa.BigInteger, nullable=False, server_default="0"))
        table.add_column(sa.Column("stage", sa.String(16)))
        for name in ("record_gone", "picture_gone", "song_gone"):
            table.add_column(sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index("usage_by_page", "usage", ["page_id"], unique=True)
    op.add_column("songs", sa.Column("parent_id", sa.String(32)))
    op.add_column("songs", sa.Column("asked_in", sa.BigInteger))
    op.create_index("songs_by_guild", "songs", ["guild_id", "created_at"])
    op.create_table(
        "likes",
        sa.Column("job_id", sa.String(32), primary_key=True),
        sa.Column("user_id", sa.BigInteger, primary_key=True),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_index("likes_by_user", "likes", ["user_id", "created_at"])
    op.create_table(
        "guilds",
        sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("changed_at", sa.Float, nullable=False),
        sa.Column("left_at", sa.Float),
    )
    op.create_table(
        "gone_pages",
        sa.Column("page_id", sa.String(22), primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
    )
