"""The tables. Their history is in migrations/; a test checks that both agree."""

import sqlalchemy as sa

tables = sa.MetaData()
# One row per accepted order: it is reserved, then charged with a song, or refunded.
usage = sa.Table(
    "usage",
    tables,
    sa.Column("job_id", sa.String(32), primary_key=True),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("guild_id", sa.BigInteger),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("started_at", sa.Float),
    sa.Column("ended_at", sa.Float),
    sa.Column("cancelled", sa.Boolean, nullable=False, server_default=sa.false()),
    # What an apology needs when the job's own record cannot be read: place, language, picture.
    sa.Column("brief_order", sa.Text),
    # A moderator gave this song back to its member: it does not count for limits any more.
    sa.Column("waived", sa.Boolean, nullable=False, server_default=sa.false()),
    # The position in the queue, the lowest first: see statements.TURN_S.
    sa.Column("turn", sa.BigInteger, nullable=False, server_default="0"),
    # Why there is no song: the error's code.
    sa.Column("outcome", sa.String(64)),
    # The song's page, for anyone who has its address, and the song's stage.
    sa.Column("page_id", sa.String(22)),
    sa.Column("stage", sa.String(16)),
    # What retention has deleted already: the engine's record; picture and take; song.
    sa.Column("record_gone", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("picture_gone", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("song_gone", sa.Boolean, nullable=False, server_default=sa.false()),
    # When it was queued again. Limits and retention still count from `created_at`.
    sa.Column("queued_at", sa.Float),
    # The dollars that it is expected to cost. While the job is open, budgets count what is not booked yet.
    sa.Column("reserved", sa.Float, nullable=False, server_default="0"),
    sa.Index("usage_by_user", "user_id", "created_at"),
    sa.Index("usage_by_state", "state", "created_at"),
    sa.Index("usage_by_guild", "guild_id", "created_at"),
    sa.Index("usage_by_page", "page_id", unique=True),
)
songs = sa.Table(
    "songs",
    tables,
    sa.Column("job_id", sa.String(32), primary_key=True),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("guild_id", sa.BigInteger),
    sa.Column("channel_id", sa.BigInteger, nullable=False),
    sa.Column("message_id", sa.BigInteger, nullable=False),
    sa.Column("private", sa.Boolean, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("song", sa.Text, nullable=False),
    # The song that this one is another take of.
    sa.Column("parent_id", sa.String(32)),
    # The first song of the chain of takes, whose member sent the picture. None: this is that song.
    sa.Column("root_id", sa.String(32)),
    # The newest messages with its video, as JSON: [[channel, message], ...].
    sa.Column("videos", sa.Text, nullable=False, server_default="[]"),
    # The channel of the request, the parent of a public thread: who can see that channel can see the song in lists.
    sa.Column("asked_in", sa.BigInteger),
    sa.Index("songs_by_user", "user_id", "created_at"),
    sa.Index("songs_by_guild", "guild_id", "created_at"),
    sa.Index("songs_by_root", "root_id"),
)
# One row per paid call, written before the call begins; also where the answer was useless or never came.
costs = sa.Table(
    "costs",
    tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("job_id", sa.String(32), nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("provider", sa.String(32), nullable=False),
    sa.Column("model", sa.String(200), nullable=False),
    sa.Column("dollars", sa.Float, nullable=False),
    sa.Column("input_tokens", sa.Integer, nullable=False),
    sa.Column("output_tokens", sa.Integer, nullable=False),
    sa.Column("request_id", sa.String(200), nullable=False),
    # Identifies the call, so that a second try to book it finds the first.
    sa.Column("call_id", sa.String(32)),
    # False: `dollars` is the expected price, because the call still runs or its result is not known.
    sa.Column("billed", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Index("costs_by_job", "job_id"),
    sa.Index("costs_by_call", "call_id", unique=True),
    sa.Index("costs_by_time", "created_at"),
)
# Paid readings, so that the same question is not paid twice.
readings = sa.Table(
    "readings",
    tables,
    sa.Column("question", sa.String(64), primary_key=True),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("brief", sa.Text, nullable=False),
    sa.Index("readings_by_time", "created_at"),
)
# The calls to a provider that still run, and those of the last minute.
calls = sa.Table(
    "calls",
    tables,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("provider", sa.String(32), nullable=False),
    sa.Column("started_at", sa.Float, nullable=False),
    sa.Column("until", sa.Float, nullable=False),  # when it ended, or when it counts as one of a dead process
    sa.Index("calls_by_provider", "provider", "started_at"),
)
likes = sa.Table(
    "likes",
    tables,
    sa.Column("job_id", sa.String(32), primary_key=True),
    sa.Column("user_id", sa.BigInteger, primary_key=True),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Index("likes_by_user", "user_id", "created_at"),
)
# What a server's moderators have set, as JSON, and when the bot left the server.
guilds = sa.Table(
    "guilds",
    tables,
    sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("settings", sa.Text, nullable=False),
    sa.Column("changed_at", sa.Float, nullable=False),
    sa.Column("left_at", sa.Float),
)
# What a member has chosen, as JSON.
members = sa.Table(
    "members",
    tables,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("settings", sa.Text, nullable=False),
)
# Facts about the installation, such as which commands it has registered with Discord.
notes = sa.Table(
    "notes",
    tables,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
)
# Members' requests that are not orders yet, so that another process can continue after a crash.
requests = sa.Table(
    "requests",
    tables,
    sa.Column("request_id", sa.String(32), primary_key=True),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("owner", sa.String(32), nullable=False),
    sa.Column("leased_until", sa.Float, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
)
# Pages of deleted songs: only that they existed is known.
gone_pages = sa.Table(
    "gone_pages",
    tables,
    sa.Column("page_id", sa.String(22), primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
)
