"""The ledger of jobs: what was ordered, paid, charged and refunded. Synchronous; callers run it off the event loop.

Every method raises Unavailable("database.unavailable") while the database is away.
"""

import json
import secrets
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from melodify_core.config.settings import Limits
from melodify_core.errors import Rejected
from melodify_core.library import statements as sql
from melodify_core.library.database import changing, open_schema, read, reading, transaction
from melodify_core.library.guilds import Guilds
from melodify_core.library.schema import costs, members, notes, songs, usage
from melodify_core.library.songbook import erase_songs
from melodify_core.library.stored_settings import read_settings
from melodify_core.models import (
    AcceptedOrder,
    Bill,
    Job,
    MemberSettings,
    Money,
    Place,
    Posted,
    Song,
    Stage,
    UsageState,
    Wording,
)
from melodify_core.storage.layout import picture_key
from melodify_core.usage.guild_rules import limits_in
from melodify_core.usage.limits import DAY_S, Standing, check_budgets
from melodify_core.usage.pseudonym import alias_of

# What retention deletes of an ended job, each kind after its own number of days.
RetainedKind = Literal["record", "picture", "song"]
# How long words stay claimed whose song is not recorded: longer than a song takes from its mastering to its post.
CLAIM_S = 3600.0
CLOCKS_APART_S = 3600.0  # more than any job waits for the database
_CLAIM = "words:"
# The user id of rows whose member was forgotten.
NOBODY = 0


@dataclass(frozen=True, slots=True)
class Queue:
    """How many jobs wait and run, and since when the oldest waiting job waits, in unix seconds."""

    waiting: int
    running: int
    oldest_at: float


@dataclass(frozen=True, slots=True)
class Owners:
    """Which of some jobs own stored files."""

    open: frozenset[str]  # these own every file of a job
    pictures: frozenset[str]  # these own their picture and take: retention has not deleted them yet
    songs: frozenset[str]


class Library:
    """The ledger of jobs and the songs."""

    def __init__(self, engine: sa.Engine, salt: bytes = b"", limits: Limits | None = None) -> None:
        """Open the ledger. Paid calls are checked against the budgets of `limits` and of the servers' settings.

        `salt` is the one of the members' pseudonyms: limits also hold for members who were forgotten.
        """
        self._engine = engine
        self._salt = salt
        self._limits = limits or Limits()
        self._guilds = Guilds(engine)

    def create_schema(self) -> None:
        """Create the tables if they are missing. Raises Misconfigured."""
        open_schema(self._engine)

    def transaction(self) -> AbstractContextManager[sa.Connection]:
        """Open a transaction that excludes all others of its kind, so that what it reads stays true."""
        return transaction(self._engine)

    def reading(self) -> AbstractContextManager[sa.Connection]:
        """Open a connection for several queries in a row."""
        return reading(self._engine)

    def standing_of(
        self,
        user_id: int,
        guild_id: int | None,
        since: float,
        connection: sa.Connection | None = None,
        *,
        limits: Limits | None = None,
        job_id: str | None = None,
    ) -> Standing:
        """Return what counts against the limits of a member in a server, of the server and of all, since the unix time.

        With `limits`, queries that no limit needs are left out: a busy server has many songs a day. With `job_id`,
        `known` says whether that job was accepted before.
        """
        times = {"since": since, "user": user_id, "alias": alias_of(user_id, self._salt), "guild": guild_id}
        rows = self._all(sql.MEMBER_USE, connection, times | {"its_job": job_id})
        mine = [row for row in rows if row.job_id != job_id]
        here = guild_id is not None
        asks_day = here and (limits is None or bool(limits.songs_per_guild_day))
        asks_guild = here and (limits is None or bool(limits.waiting_per_guild))
        asks_all = limits is None or bool(limits.waiting)
        pays_all = limits is None or bool(limits.dollars_per_day)
        pays_guild = here and (limits is None or bool(limits.dollars_per_guild_day))
        used_here = self._all(sql.GUILD_USE, connection, times) if asks_day else []
        return Standing(
            known=len(mine) < len(rows),
            used_at=tuple(row.created_at for row in mine),
            waiting=sum(row.state in sql.OPEN_STATES for row in mine),
            guild_used_at=tuple(row.created_at for row in used_here),
            guild_waiting=self._count(sql.GUILD_OPEN, connection, times) if asks_guild else 0,
            all_waiting=self._count(sql.ALL_OPEN, connection) if asks_all else 0,
            reserved=self._dollars(sql.RESERVED, connection, times) if pays_all else 0.0,
            guild_reserved=self._dollars(sql.GUILD_RESERVED, connection, times) if pays_guild else 0.0,
            spent=self._spending(sa.true(), since, connection) if pays_all else (),
            guild_spent=self._spending(usage.c.guild_id == guild_id, since, connection) if pays_guild else (),
        )

    def _spending(
        self, whose: sa.ColumnElement[bool], since: float, connection: sa.Connection | None
    ) -> tuple[tuple[float, float], ...]:
        # By the minute: a budget of a day needs no more, and a busy day has many payments.
        minute = sa.func.floor(costs.c.created_at / 60) * 60
        query = (
            sa.select(minute.label("at"), sa.func.sum(costs.c.dollars).label("dollars"))
            .select_from(costs.join(usage, usage.c.job_id == costs.c.job_id))
            .where(costs.c.created_at > since, whose)
            .group_by(minute)
            .order_by(minute)
        )
        return tuple((float(row.at), float(row.dollars)) for row in self._all(query, connection))

    def reserve(self, connection: sa.Connection, job: Job, now: float, dollars: float = 0.0) -> int:
        """Write the usage row of an accepted order; return its turn in the queue, the lowest is the first.

        `dollars` is what the job is expected to cost.
        """
        note = {
            "place": job.place.model_dump(mode="json"),
            "language": job.wish.language,
            "picture_key": job.picture_key,
            "picture_size": (job.picture_width, job.picture_height),
            "spoiler": job.spoiler,
            "root_id": _root_of(job, connection),
        }
        values = {
            "job_id": job.job_id,
            "user_id": job.user_id,
            "guild_id": job.place.counts_in,
            "page_id": job.page_id,
            "created_at": now,
            "state": "waiting",
            "reserved": dollars,
            "brief_order": json.dumps(note),
            "its_second": int(now),
            "its_member": job.user_id,
        }
        return int(connection.execute(sql.RESERVE, values).scalar_one())

    def check_parent(self, job: Job, connection: sa.Connection) -> None:
        """Raise Rejected, song.gone or song.picture_gone, where what the job is another take of is gone."""
        if job.parent_id is None:
            return
        rows = self._all(sql.PARENT, connection, {"its_job": job.parent_id})
        if not rows:
            raise Rejected("song.gone")
        if rows[0].picture_gone:
            raise Rejected("song.picture_gone")

    def state(self, job_id: str, connection: sa.Connection | None = None) -> UsageState | None:
        """Return the job's state, None when it was never accepted."""
        rows = self._all(sql.STATE, connection, {"its_job": job_id})
        return rows[0].state if rows else None

    def accepted_order(self, job_id: str) -> AcceptedOrder | None:
        """Return what the usage row knows about an accepted order, None where there is none."""
        rows = self._all(sa.select(usage).where(usage.c.job_id == job_id))
        if not rows:
            return None
        return accepted_order_of(rows[0])

    def waiting(self) -> list[str]:
        """Return the ids of the jobs that wait, the next to start first."""
        query = sa.select(usage.c.job_id).where(usage.c.state == "waiting")
        query = query.order_by(usage.c.turn, usage.c.created_at)
        return [row.job_id for row in self._all(query)]

    def waiting_orders(self) -> list[AcceptedOrder]:
        """Return the jobs that wait, the next to start first."""
        query = sa.select(usage).where(usage.c.state == "waiting").order_by(usage.c.turn, usage.c.created_at)
        return [accepted_order_of(row) for row in self._all(query)]

    def running_orders(self, user_id: int) -> list[AcceptedOrder]:
        """Return the member's jobs that run, the oldest first."""
        mine = (usage.c.state == "running", usage.c.user_id == user_id)
        return [accepted_order_of(row) for row in self._all(sa.select(usage).where(*mine).order_by(usage.c.created_at))]

    def running(self) -> int:
        """Return how many jobs run in all processes."""
        return self._count(sql.RUNNING)

    def typical_s(self) -> float | None:
        """Return the median seconds from start to song of the latest jobs, None before there are any."""
        return _median([row.ended_at - row.started_at for row in self._all(sql.LATEST_TIMES)])

    def outlook(self, job_id: str) -> tuple[int, int, float | None]:
        """Return the job's position in the queue, and what `running` and `typical_s` return, in one query.

        Position 1 starts next, 0 means that the job does not wait any more.
        """
        rows = self._all(sql.OUTLOOK, None, {"its_job": job_id})
        return rows[0].position, rows[0].running, _median([row.took_s for row in rows if row.took_s is not None])

    def open_jobs(self) -> int:
        """Return how many jobs are waiting or running."""
        query = sa.select(sa.func.count()).select_from(usage).where(usage.c.state.in_(sql.OPEN_STATES))
        return int(self._all(query)[0][0])

    def queue(self) -> Queue:
        """Return the length of the queue and the number of running jobs, over all processes."""
        query = (
            sa.select(usage.c.state, sa.func.count().label("jobs"), sa.func.min(sql.queued_since).label("oldest"))
            .where(usage.c.state.in_(sql.OPEN_STATES))
            .group_by(usage.c.state)
        )
        rows = {row.state: row for row in self._all(query)}
        waiting, running = rows.get("waiting"), rows.get("running")
        return Queue(waiting.jobs if waiting else 0, running.jobs if running else 0, waiting.oldest if waiting else 0.0)

    def open_since(self, before: float) -> list[str]:
        """Return the open jobs that were accepted, or queued again, before the unix time, the oldest first."""
        query = (
            sa.select(usage.c.job_id)
            .where(usage.c.state.in_(sql.OPEN_STATES), sql.queued_since < before)
            .order_by(sql.queued_since)
        )
        return [row.job_id for row in self._all(query)]

    def lease(self, task: str, holder: str, now: float, seconds: float) -> bool:
        """Take or renew the lease of a task that one process at a time does; False while another process holds it."""
        name = f"lease:{task}"
        with self.transaction() as connection:
            found = connection.scalar(sa.select(notes.c.text).where(notes.c.name == name))
            owner, _, until = (found or "nobody 0").partition(" ")
            # A lease that ends later than possible was taken by a wrong clock.
            if owner != holder and now < float(until) <= now + seconds:
                return False
            connection.execute(notes.delete().where(notes.c.name == name))
            connection.execute(notes.insert().values(name=name, text=f"{holder} {now + seconds}"))
        return True

    def start(self, job_id: str, now: float) -> bool:
        """Note that the job runs; False when it was cancelled before.

        Raises Rejected, limit.budget or limit.guild_budget, when a job that has cost nothing yet would exceed a budget.
        """
        with changing(self._engine, durable=False) as connection:
            connection.execute(sql.START, {"its_job": job_id, "now": now})
            rows = self._all(sql.STARTED, connection, {"its_job": job_id})
        if not rows:
            return True
        if rows[0].state == "withdrawn":
            return False
        # A job for which something was paid goes on: perhaps only its posting is left, and whatever it has still to pay
        # is checked when it is booked.
        if rows[0].ahead > 0 and not rows[0].booked:
            with self.reading() as connection:
                self._check_budgets(rows[0], rows[0].ahead, now, connection)
        return True

    def _check_budgets(self, job: sa.Row[Any], dollars: float, now: float, connection: sa.Connection) -> None:
        """Raise Rejected where `dollars` more for the job would exceed a budget."""
        if job.user_id in self._limits.exempt_users:
            return
        limits, guild_id = self._limits, job.guild_id
        if guild_id is not None:
            limits = limits_in(limits, self._guilds.settings_of(guild_id, connection), guild_id, ())
        since = now - DAY_S
        spent = self._spending(sa.true(), since, connection) if limits.dollars_per_day else ()
        ours = guild_id is not None and bool(limits.dollars_per_guild_day)
        guild_spent = self._spending(usage.c.guild_id == guild_id, since, connection) if ours else ()
        check_budgets(limits, Standing(spent=spent, guild_spent=guild_spent), dollars, now)

    def note_stage(self, job_id: str, stage: Stage) -> None:
        """Note the job's stage, for the visitors of its page."""
        with changing(self._engine, durable=False) as connection:
            connection.execute(sql.SET_STAGE, {"its_job": job_id, "its_stage": stage.value})

    def book(self, job_id: str, call_id: str, bill: Bill, now: float) -> None:
        """Book a call that begins at its expected price; a call that is booked already stays as it is.

        Raises Rejected, limit.budget or limit.guild_budget, where that would exceed a budget.
        """
        # No other process can book a call during the transaction.
        with self.transaction() as connection:
            if self._all(sql.BOOKED, connection, {"its_call": call_id}):
                return
            rows = self._all(sql.STARTED, connection, {"its_job": job_id})
            if rows:
                self._check_budgets(rows[0], bill.dollars, now, connection)
            connection.execute(sql.BOOK, {"job_id": job_id, "call_id": call_id, "created_at": now, **bill.model_dump()})

    def settle(self, call_id: str, bill: Bill) -> None:
        """Replace a booked call's expected price with what it cost."""
        with self._changing() as connection:
            connection.execute(sql.SETTLE, {"its_call": call_id, **bill.model_dump()})

    def unbook(self, call_id: str) -> None:
        """Remove the booking of a call that is known to cost nothing."""
        with self._changing() as connection:
            connection.execute(sql.UNBOOK, {"its_call": call_id})

    def money(self, since: float, user_id: int | None = None) -> Money:
        """Return what was paid since the unix time and what is reserved, for a member's songs or for all."""
        times = {"since": since, "user": user_id, "alias": alias_of(user_id or 0, self._salt)}
        [row] = self._all(sql.MONEY if user_id is None else sql.MEMBER_MONEY, None, times)
        return Money(float(row.spent or 0), float(row.reserved or 0))

    def spent(self, job_id: str) -> float:
        """Return the dollars paid for the job so far."""
        return float(self._all(sql.SPENT, None, {"its_job": job_id})[0][0] or 0)

    def has_booked_music(self, job_id: str, captioner: str) -> bool:
        """Return whether a call that costs something is booked for the job, other than the captioner's."""
        where = (costs.c.job_id == job_id, costs.c.provider != captioner, costs.c.dollars > 0)
        return bool(self._all(sa.select(costs.c.id).where(*where).limit(1)))

    def claim_words(self, job: Job, limit: int, choose: Callable[[Sequence[Wording]], Wording], now: float) -> Wording:
        """Return the words that `choose` takes, given those of other songs, and keep them until the song is recorded.

        The others are those that other jobs of the server, else of the member, have claimed, and the latest songs
        there, the latest first. A job that claims again replaces its claim.
        """
        guild_id, alias, name = job.place.guild_id, alias_of(job.user_id, self._salt), f"{_CLAIM}{job.job_id}"
        claim = {"guild": guild_id, "member": alias, "until": now + CLAIM_S}
        shared = "member" if guild_id is None else "guild"
        with self.transaction() as connection:
            connection.execute(notes.delete().where(notes.c.name == name))
            claims = [other for other in self._claims(now, connection) if other[shared] == claim[shared]]
            claimed = [Wording(other["title"], other["caption"]) for other in claims]
            words = choose([*claimed, *self._recent_words(job, limit, connection)])
            said = {"title": words.title, "caption": words.caption}
            connection.execute(notes.insert().values(name=name, text=json.dumps(claim | said)))
        return words

    def _claims(self, now: float, connection: sa.Connection) -> list[dict[str, Any]]:
        """Return the claims that hold, and delete those that are over."""
        rows = self._all(sa.select(notes.c.name, notes.c.text).where(notes.c.name.startswith(_CLAIM)), connection)
        claims = {row.name: json.loads(row.text) for row in rows}
        # Others may be ahead: their clocks, and a job that waited for this transaction. A claim further ahead than
        # that was made by a wrong clock.
        over = [name for name, claim in claims.items() if not now < claim["until"] <= now + CLAIM_S + CLOCKS_APART_S]
        if over:
            connection.execute(notes.delete().where(notes.c.name.in_(over)))
        return [claim for name, claim in claims.items() if name not in over]

    def _recent_words(self, job: Job, limit: int, connection: sa.Connection) -> list[Wording]:
        guild_id = job.place.guild_id
        where = songs.c.user_id == job.user_id if guild_id is None else songs.c.guild_id == guild_id
        latest = sa.select(songs.c.song).where(where, songs.c.job_id != job.job_id)
        rows = self._all(latest.order_by(songs.c.created_at.desc()).limit(limit), connection)
        return [Wording(song["title"], song["caption"]) for song in (json.loads(row.song) for row in rows)]

    def refund(self, job_id: str, now: float, code: str = "") -> None:
        """End the job without charging its member; a charged job stays charged."""
        self._end(job_id, "refunded", now, outcome=code)

    def end_cancelled(self, job_id: str, now: float) -> None:
        """End a job that its asker cancelled: it counts if something was paid for it."""
        with self._changing() as connection:
            if connection.execute(sql.END_CANCELLED, {"its_job": job_id, "now": now}).rowcount:
                connection.execute(sql.DELETE_SONG, {"its_job": job_id})

    def reset_usage(self, user_id: int, guild_id: int) -> int:
        """Give a member back what was used in a server; return how many songs that were."""
        used = (usage.c.user_id == user_id, usage.c.guild_id == guild_id, ~usage.c.waived)
        with self._changing() as connection:
            return connection.execute(usage.update().where(*used).values(waived=True)).rowcount

    def cancel_queued(self, job_id: str, now: float) -> bool:
        """End a job that has not begun; False when it has."""
        change = (
            usage.update()
            .where(usage.c.job_id == job_id, usage.c.state == "waiting")
            .values(state="withdrawn", ended_at=now, cancelled=True)
        )
        with self._changing() as connection:
            return connection.execute(change).rowcount == 1

    def request_cancel(self, job_id: str) -> bool:
        """Ask the process that runs the job to stop it; False when the job does not run."""
        change = usage.update().where(usage.c.job_id == job_id, usage.c.state == "running").values(cancelled=True)
        with self._changing() as connection:
            return connection.execute(change).rowcount == 1

    def cancelled(self, job_ids: Collection[str]) -> set[str]:
        """Return those of the jobs that were asked to stop."""
        query = sa.select(usage.c.job_id).where(usage.c.job_id.in_(job_ids), usage.c.cancelled)
        return {row.job_id for row in self._all(query)} if job_ids else set()

    def refreshed(self, job: Job) -> Job:
        """Return the job without the name that its member has withdrawn, and without a link to a song that is gone."""
        changes: dict[str, object] = {}
        with self.reading() as connection:
            chosen = self._all(sa.select(members.c.settings).where(members.c.user_id == job.user_id), connection)
            if chosen and not read_settings(MemberSettings, chosen[0].settings).named:
                changes["named"] = False
            if job.parent_link and not self._all(sql.SONG_KNOWN, connection, {"its_job": job.parent_id}):
                changes["parent_link"] = ""
        return job.model_copy(update=changes)

    def record_unposted(self, job: Job, song: Song, now: float) -> bool:
        """Store the song before it is posted, so that the buttons under it work at once. False for a cancelled job.

        Until `record_song` only its member can see it.
        """
        values = _row_of(job, song, Posted(direct=True), now)
        # After a power failure, the step that posts writes it again.
        with changing(self._engine, durable=False) as connection:
            row = connection.execute(sql.LOCK_STATE, {"its_job": job.job_id}).first()
            if row is None or row.state == "charged":
                return True
            if row.cancelled:
                return False
            if row.state in sql.OPEN_STATES and connection.scalar(sql.SONG_KNOWN, {"its_job": job.job_id}) is None:
                connection.execute(sql.INSERT_SONG, values | {"root_id": _root_of(job, connection)})
        return True

    def record_song(self, job: Job, song: Song, posted: Posted, now: float) -> bool:
        """Record where the song was posted and charge its usage row, in one transaction. A repeat changes nothing.

        Return False for a job that was cancelled before: then nothing is recorded.
        """
        values = _row_of(job, song, posted, now)
        with self._changing() as connection:
            # Lock the job's row first: if two workers both believe that they own the job, one sees the other's song.
            row = connection.execute(sql.LOCK_STATE, {"its_job": job.job_id}).first()
            if row is not None and row.state == "charged":
                return True  # where its song is missing, its member has deleted it
            if row is not None and row.cancelled:
                return False
            self._end(job.job_id, "charged", now, connection)
            connection.execute(notes.delete().where(notes.c.name == f"{_CLAIM}{job.job_id}"))
            if not connection.execute(sql.UPDATE_SONG, {"its_job": job.job_id, **values}).rowcount:
                connection.execute(sql.INSERT_SONG, values | {"root_id": _root_of(job, connection)})
        return True

    def song(self, job_id: str) -> Song | None:
        """Return the song of a job."""
        rows = self._all(sa.select(songs.c.song).where(songs.c.job_id == job_id))
        return Song.model_validate_json(rows[0].song) if rows else None

    def expired(self, kind: RetainedKind, before: float, limit: int) -> list[str]:
        """Return jobs that ended and were created before the unix time, and still have that kind; the oldest first."""
        query = (
            sa.select(usage.c.job_id)
            .where(usage.c.state.not_in(sql.OPEN_STATES), usage.c.created_at < before, ~usage.c[f"{kind}_gone"])
            .order_by(usage.c.created_at)
            .limit(limit)
        )
        return [row.job_id for row in self._all(query)]

    def mark_gone(self, kind: RetainedKind, job_ids: Collection[str]) -> None:
        """Note that retention has deleted that kind of these jobs; songs are removed from all lists."""
        with self._changing() as connection:
            connection.execute(usage.update().where(usage.c.job_id.in_(job_ids)).values({f"{kind}_gone": True}))
            if kind == "song":
                erase_songs(connection, job_ids, time.time())

    def owners(self, job_ids: Collection[str]) -> Owners:
        """Return which of the jobs own files. A job that was never accepted, or has nothing left, owns none."""
        with self.reading() as connection:
            # In this order: a job that ends in between is open in the first result or has its song in the second.
            jobs = sa.select(usage.c.job_id, usage.c.state, usage.c.picture_gone).where(usage.c.job_id.in_(job_ids))
            rows = self._all(jobs, connection)
            known = sa.select(songs.c.job_id).where(songs.c.job_id.in_(job_ids))
            its_songs = {row.job_id for row in self._all(known, connection)}
        keep = {row.job_id for row in rows if not row.picture_gone}
        # A song whose job is not known any more also keeps its picture: nothing else will delete it.
        alone = its_songs - {row.job_id for row in rows}
        return Owners(
            frozenset(row.job_id for row in rows if row.state in sql.OPEN_STATES),
            frozenset(keep | alone),
            frozenset(its_songs),
        )

    def identity(self) -> str:
        """Return a random id that distinguishes this database from any other; create it at first."""
        known = sa.select(notes.c.text).where(notes.c.name == "identity")
        with self.transaction() as connection:
            if (found := connection.scalar(known)) is not None:
                return str(found)
            fresh = secrets.token_hex(16)
            connection.execute(notes.insert().values(name="identity", text=fresh))
        return fresh

    def drop_aliases(self, before: float) -> None:
        """Move the usage of forgotten members to NOBODY once it does not count for limits any more."""
        old = (usage.c.user_id < NOBODY, usage.c.created_at < before)
        with self._changing() as connection:
            connection.execute(usage.update().where(*old).values(user_id=NOBODY, guild_id=None))

    def _end(
        self, job_id: str, state: UsageState, now: float, connection: sa.Connection | None = None, outcome: str = ""
    ) -> None:
        change = {"its_job": job_id, "its_state": state, "now": now, "its_outcome": outcome or None}
        if connection is not None:
            connection.execute(sql.END, change)
            return
        with self._changing() as own:
            # A song that was not posted in the end is deleted.
            if own.execute(sql.END, change).rowcount:
                own.execute(sql.DELETE_SONG, {"its_job": job_id})

    def _changing(self) -> AbstractContextManager[sa.Connection]:
        return changing(self._engine)

    def _all(
        self,
        query: sa.Select[Any],
        connection: sa.Connection | None = None,
        values: dict[str, Any] | None = None,
    ) -> list[sa.Row[Any]]:
        return read(self._engine, query, connection, values)

    def _dollars(self, query: sa.Select[Any], connection: sa.Connection | None, values: dict[str, Any]) -> float:
        return float(self._all(query, connection, values)[0][0] or 0)

    def _count(
        self, query: sa.Select[Any], connection: sa.Connection | None = None, values: dict[str, Any] | None = None
    ) -> int:
        return int(self._all(query, connection, values)[0][0])


def _median(seconds: list[float]) -> float | None:
    return sorted(seconds)[len(seconds) // 2] if seconds else None


def _row_of(job: Job, song: Song, posted: Posted, now: float) -> dict[str, Any]:
    return {
        "job_id": job.job_id,
        "user_id": job.user_id,
        # A song that nobody in the server can see does not belong to the server's songs.
        "guild_id": None if posted.direct else job.place.guild_id,
        "channel_id": posted.channel_id,
        "message_id": posted.message_id,
        "private": job.private,
        "created_at": now,
        "song": song.model_dump_json(),
        "parent_id": job.parent_id,
        "asked_in": job.place.listed_in or job.place.channel_id,
    }


def _root_of(job: Job, connection: sa.Connection) -> str | None:
    """Return the first song of the chain that the job's song is a take of, None where it is no take."""
    if job.parent_id is None:
        return None
    return connection.scalar(sa.select(songs.c.root_id).where(songs.c.job_id == job.parent_id)) or job.parent_id


def accepted_order_of(row: sa.Row[Any]) -> AcceptedOrder:
    """Return the accepted order of a usage row."""
    note = json.loads(row.brief_order or "{}")
    return AcceptedOrder(
        job_id=row.job_id,
        user_id=row.user_id,
        state=row.state,
        place=Place.model_validate(note["place"]) if "place" in note else None,
        language=note.get("language", "en"),
        picture_key=note.get("picture_key", picture_key(row.job_id)),
        page_id=row.page_id,
    )
