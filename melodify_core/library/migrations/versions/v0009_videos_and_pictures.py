"""Add where a song's videos were posted, and whose picture a take shows."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
# Takes of takes of takes: each round reaches one further.
_ROUNDS = 10_000


def upgrade() -> None:
    """Add the columns; find the first song of each chain of takes, as far as its songs are there."""
    op.add_column("songs", sa.Column("videos", sa.Text, nullable=False, server_default="[]"))
    op.add_column("songs", sa.Column("root_id", sa.String(32)))
    op.create_index("songs_by_root", "songs", ["root_id"])
    songs = sa.table("songs", sa.column("job_id"), sa.column("parent_id"), sa.column("root_id"))
    op.execute(songs.update().where(songs.c.parent_id.is_not(None)).values(root_id=songs.c.parent_id))
    earlier = songs.alias("earlier")
    further = sa.select(earlier.c.root_id).where(earlier.c.job_id == songs.c.root_id, earlier.c.root_id.is_not(None))
    step = songs.update().where(sa.exists(further)).values(root_id=further.scalar_subquery())
    for _ in range(_ROUNDS):
        if not op.get_bind().execute(step).rowcount:
            return
