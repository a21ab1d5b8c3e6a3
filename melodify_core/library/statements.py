"""The statements of every order and every step, built once: building a statement costs more than running it.

Values are bound by name; names begin with "its_" where SQLAlchemy keeps the column's own for itself.
"""

from typing import get_args

import sqlalchemy as sa

from melodify_core.library.schema import costs, guilds, songs, usage
from melodify_core.models import UsageState

OPEN_STATES: tuple[UsageState, ...] = ("waiting", "running")
COUNTED_STATES: tuple[UsageState, ...] = (*OPEN_STATES, "charged", "forfeited")
RECENT_JOBS = 20


def one_of(states: tuple[UsageState, ...], column: sa.ColumnElement[str] = usage.c.state) -> sa.ColumnElement[bool]:
    """Return the condition that a row is in one of the states, which are written into the statement."""
    if not set(states) <= set(get_args(UsageState)):
        raise ValueError(states)
    return column.in_([sa.literal_column(f"'{state}'") for state in states])


IS_OPEN = one_of(OPEN_STATES)
queued_since = sa.func.coalesce(usage.c.queued_at, usage.c.created_at)
_job = usage.c.job_id == sa.bindparam("its_job")
_recent = sa.and_(one_of(COUNTED_STATES), usage.c.created_at > sa.bindparam("since"), ~usage.c.waived)
# A job that is still open counts as waiting however old it is.
_counted = sa.or_(_recent, IS_OPEN)
_count_open = sa.select(sa.func.count()).select_from(usage).where(IS_OPEN)

_mine = sa.and_(_counted, sa.or_(usage.c.user_id == sa.bindparam("user"), usage.c.user_id == sa.bindparam("alias")))
# Includes the job that is checked, in any state: this saves a query while other orders wait.
MEMBER_USE = sa.select(usage.c.job_id, usage.c.created_at, usage.c.state).where(sa.or_(_mine, _job))
GUILD_USE = sa.select(usage.c.created_at).where(_recent, usage.c.guild_id == sa.bindparam("guild"))
GUILD_OPEN = _count_open.where(usage.c.guild_id == sa.bindparam("guild"))
ALL_OPEN = _count_open
GUILD_SETTINGS = sa.select(guilds.c.settings).where(guilds.c.guild_id == sa.bindparam("guild"))

STATE = sa.select(usage.c.state).where(_job)
# A member's second order is queued as if it had come this much later, the third as if twice that: everybody's first
# song comes before anybody's second. In seconds, so that nobody waits for ever (start-time fair queueing).
TURN_S = 3600
_ahead = _count_open.where(usage.c.user_id == sa.bindparam("its_member")).scalar_subquery()
RESERVE = (
    usage.insert()
    .values(turn=sa.bindparam("its_second", type_=sa.BigInteger) + _ahead * sa.literal_column(str(TURN_S)))
    .returning(usage.c.turn)
)
START = (
    usage.update()
    .where(_job, one_of(("waiting",)))
    .values(state=sa.literal_column("'running'"), started_at=sa.bindparam("now"))
)
SET_STAGE = usage.update().where(_job).values(stage=sa.bindparam("its_stage"))
# Only open rows change: a late repeat can neither refund a charged job nor charge a refunded one.
END = (
    usage.update()
    .where(_job, IS_OPEN)
    .values(state=sa.bindparam("its_state"), ended_at=sa.bindparam("now"), outcome=sa.bindparam("its_outcome"))
)
BOOK = costs.insert().values(billed=False)
_call = costs.c.call_id == sa.bindparam("its_call")
BOOKED = sa.select(costs.c.id).where(_call)
SETTLE = costs.update().where(_call).values(billed=True)
UNBOOK = costs.delete().where(_call)
# The same for a job that its asker cancelled: if anything was paid, it counts; else members could spend without limit.
END_CANCELLED = (
    usage.update()
    .where(_job, IS_OPEN)
    .values(
        state=sa.case(
            (
                sa.exists().where(costs.c.job_id == usage.c.job_id, costs.c.dollars > 0),
                sa.literal_column("'forfeited'"),
            ),
            else_=sa.literal_column("'refunded'"),
        ),
        ended_at=sa.bindparam("now"),
        outcome=sa.literal_column("'job.cancelled'"),
    )
)
SPENT = sa.select(sa.func.sum(costs.c.dollars)).where(costs.c.job_id == sa.bindparam("its_job"))
# What open jobs will cost beyond what is booked for them already.
_booked = sa.func.coalesce(
    sa.select(sa.func.sum(costs.c.dollars)).where(costs.c.job_id == usage.c.job_id).scalar_subquery(), 0.0
)
_not_booked = sa.case((usage.c.reserved > _booked, usage.c.reserved - _booked), else_=0.0)
RESERVED = sa.select(sa.func.sum(_not_booked)).where(IS_OPEN, usage.c.reserved > 0)
GUILD_RESERVED = RESERVED.where(usage.c.guild_id == sa.bindparam("guild"))
# What was paid, and what is reserved, for all songs and for a member's.
_paid = (
    sa.select(sa.func.sum(costs.c.dollars))
    .select_from(costs.join(usage, usage.c.job_id == costs.c.job_id))
    .where(costs.c.created_at > sa.bindparam("since"))
)
_of_member = sa.or_(usage.c.user_id == sa.bindparam("user"), usage.c.user_id == sa.bindparam("alias"))
MONEY = sa.select(_paid.scalar_subquery().label("spent"), RESERVED.scalar_subquery().label("reserved"))
MEMBER_MONEY = sa.select(
    _paid.where(_of_member).scalar_subquery().label("spent"),
    RESERVED.where(_of_member).scalar_subquery().label("reserved"),
)
# The job's state and owner, what is booked for it, and what of its expected price is not booked yet.
STARTED = sa.select(
    usage.c.state, usage.c.user_id, usage.c.guild_id, _booked.label("booked"), _not_booked.label("ahead")
).where(_job)
SONG_KNOWN = sa.select(songs.c.job_id).where(songs.c.job_id == sa.bindparam("its_job"))
# No row: that song is gone.
PARENT = (
    sa.select(usage.c.picture_gone)
    .select_from(songs.outerjoin(usage, usage.c.job_id == songs.c.job_id))
    .where(songs.c.job_id == sa.bindparam("its_job"))
)
INSERT_SONG = songs.insert()
UPDATE_SONG = songs.update().where(songs.c.job_id == sa.bindparam("its_job"))
DELETE_SONG = songs.delete().where(songs.c.job_id == sa.bindparam("its_job"))
# Locks the row on PostgreSQL: a cancellation comes either before the song is recorded or too late.
LOCK_STATE = sa.select(usage.c.state, usage.c.cancelled).where(_job).with_for_update()

_me = usage.alias("me")
# 0 for a job that does not wait any more.
POSITION = sa.select(sa.func.count()).where(
    _me.c.job_id == sa.bindparam("its_job"),
    one_of(("waiting",), _me.c.state),
    one_of(("waiting",)),
    sa.or_(usage.c.turn < _me.c.turn, sa.and_(usage.c.turn == _me.c.turn, usage.c.created_at <= _me.c.created_at)),
)
RUNNING = sa.select(sa.func.count()).select_from(usage).where(one_of(("running",)))
LATEST_TIMES = (
    sa.select(usage.c.started_at, usage.c.ended_at)
    .where(one_of(("charged",)), usage.c.started_at.is_not(None), usage.c.ended_at.is_not(None))
    .order_by(usage.c.created_at.desc())
    .limit(sa.literal_column(str(RECENT_JOBS)))
)
# All three in one query, because other orders wait for it: one row for each of the latest times.
_latest = LATEST_TIMES.subquery()
OUTLOOK = sa.select(
    POSITION.scalar_subquery().label("position"),
    RUNNING.scalar_subquery().label("running"),
    (_latest.c.ended_at - _latest.c.started_at).label("took_s"),
).select_from(sa.select(sa.literal_column("1").label("one")).subquery().outerjoin(_latest, sa.true()))
