"""A job is interrupted at every await, and every call to the outside fails once: what was promised is kept.

The services, the engine, the delivery and Discord's REST client are real, on SQLite and a Discord on loopback; the
providers answer at once. Each case is a job of its own, and many run at a time.
"""

import asyncio
import hashlib
import itertools
import pickle
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine
from contextlib import asynccontextmanager, suppress
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
import sqlalchemy as sa
from discord.http import Route

from bot.cli.worker import rest_client
from bot.posts.delivery import DiscordDelivery
from bot.posts.status_messages import StatusBoard
from melodify_core.bootstrap import Services, open_services
from melodify_core.config.settings import Settings
from melodify_core.errors import MelodifyError, Rejected, Unavailable
from melodify_core.jobs import completion as posting
from melodify_core.jobs.context import JobContext, PlainStep, Result
from melodify_core.library import connect
from melodify_core.library.schema import calls, costs, songs, usage
from melodify_core.models import (
    Bill,
    Brief,
    CancelResult,
    Commission,
    Job,
    Order,
    PendingPost,
    Picture,
    Place,
    RawTake,
    Wish,
)
from melodify_core.observability.log_context import log_context
from melodify_core.ports import ProviderContext
from melodify_core.providers import Providers
from melodify_core.storage.folder import FolderStorage
from melodify_core.studio import job_of as new_job
from melodify_core.studio import prepare_picture
from tests.breaking import MOMENTS, Fault, Moment, Port, Strike, breaking_database, every_suspension, own, sqlite_error
from tests.briefs import BRIEF
from tests.discord_server import CHANNEL_ID, GUILD_ID, TOKEN, Discord, job_of, little_discord
from tests.jobs import a_song
from tests.process.crash_worker import Threads
from tests.sounds import chords, wav
from tests.stories import a_picture

LIMITS = dict.fromkeys(
    ("songs_per_minute", "songs_per_hour", "songs_per_day", "waiting_per_user", "waiting_per_guild", "waiting"), 0
)
PICTURE = a_picture(size=(64, 48))
TAKE = RawTake(wav(chords(1.0)), "audio/wav", bpm=90, key="E", mode="minor", instruments=("organ",))
STORAGE = ("save", "load", "read", "find", "delete", "link")
END_S = 120.0
_numbers = itertools.count(900_001)


class Remembering(Threads):
    """Does each different piece of work once: all jobs here have the same picture and the same sound."""

    def __init__(self) -> None:
        super().__init__()
        self._done: dict[bytes, Any] = {}

    async def run(self, deadline_s: float, work: Any, *args: Any, **_: Any) -> Any:  # type: ignore[override]  # any work will do
        key = hashlib.sha256(pickle.dumps((work, args))).digest()
        if key not in self._done:
            self._done[key] = await super().run(deadline_s, work, *args)
        return await super().run(deadline_s, lambda: self._done[key])


@dataclass
class Provider:
    """Both providers in one: every call is paid from its first moment on."""

    port: Port
    name: str
    begun: Counter[str] = field(default_factory=Counter)
    holds: asyncio.Event | None = None

    async def check(self) -> None: ...

    async def close(self) -> None: ...

    async def caption(self, picture: Picture, wish: Wish, provider_context: ProviderContext) -> Brief:
        del picture, wish
        await self.port.through("ask", lambda: self._work(provider_context))
        return BRIEF

    async def compose(self, brief: Brief, wish: Wish, provider_context: ProviderContext) -> RawTake:
        del brief, wish
        await self.port.through("ask", lambda: self._work(provider_context))
        return TAKE

    async def _work(self, provider_context: ProviderContext) -> None:
        bill = Bill(provider=self.name, model="m", dollars=0.06)
        call = await provider_context.begun(bill)
        self.begun[provider_context.job_id] += 1
        if self.holds is not None:
            await self.holds.wait()
        await asyncio.sleep(0.01)
        await call.billed(bill)


@dataclass
class FarProvider(Provider):
    """The same with its work done elsewhere: a repeated order finds the first."""

    runs: set[str] = field(default_factory=set)

    async def commission(self, brief: Brief, wish: Wish, provider_context: ProviderContext) -> Commission:
        del brief, wish
        if provider_context.job_id not in self.runs:
            self.runs.add(provider_context.job_id)
            await self.port.through("ask", lambda: self._work(provider_context))
        return Commission(name=provider_context.job_id)

    async def collect(self, commission: Commission, provider_context: ProviderContext) -> RawTake:
        await provider_context.progress("running")
        await asyncio.sleep(0.01)
        self.runs.discard(commission.name)
        return TAKE

    async def cancel(self, commission: Commission) -> None:
        await asyncio.sleep(0)
        self.runs.discard(commission.name)


@dataclass
class House:
    """A studio that is opened again and again on the same database, with a proxy at each port."""

    folder: Path
    discord: Discord
    settings: Settings
    strikes: dict[str, Strike] = field(default_factory=dict)
    statements: Port = field(default_factory=lambda: Port(sqlite_error))
    commits: Port = field(default_factory=lambda: Port(sqlite_error))
    files: Port = field(default_factory=lambda: Port(lambda: Unavailable("storage.unavailable")))
    rest: Port = field(default_factory=lambda: Port(aiohttp.ServerDisconnectedError))
    reading: Port = field(default_factory=lambda: Port(lambda: Unavailable("provider.unavailable")))
    playing: Port = field(default_factory=lambda: Port(lambda: Unavailable("provider.unavailable")))
    lines: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reader = Provider(self.reading, "openai")
        self.player: Provider = Provider(self.playing, "lyria")
        self.threads = Remembering()
        self.engine = connect(self.settings.database.url)

    def compose_far(self, far: bool) -> None:  # the test's parameter
        """Have the music made elsewhere, or not."""
        if far:
            self.player = FarProvider(self.playing, "pipeline")

    @asynccontextmanager
    async def studio(self) -> AsyncIterator[Services]:
        """Open the services, as a new process would."""
        storage = self.files.around(FolderStorage(self.folder / "files"), *STORAGE)
        providers = Providers(cast("Any", self.reader), cast("Any", self.player), storage)
        async with rest_client(self.settings) as client:
            await client.login(TOKEN)
            request = client.http.request
            client.http.request = lambda *a, **n: self.rest.through(str(a[0].url), lambda: request(*a, **n))  # type: ignore[method-assign]
            self.delivery = cast("Any", DiscordDelivery(client, StatusBoard(client)))
            async with open_services(self.settings, self.delivery, self.threads, providers=providers) as services:
                database = services.studio._library._engine
                with breaking_database(database, self.statements, self.commits), every_suspension(self.strikes):
                    yield services

    def an_order(self) -> Order:
        """Return a new member's order, whose status message is in the channel."""
        job_id = str(next(_numbers))
        self.lines[job_id] = status = self.discord.status_message(CHANNEL_ID, job_id)["id"]
        place = Place(channel_id=int(CHANNEL_ID), guild_id=int(GUILD_ID), status_id=int(status), threadable=True)
        return Order(job_id, int(job_id), place, PICTURE, Wish(seconds=10))

    def rows(self, table: sa.Table) -> list[sa.Row[Any]]:
        """Return the rows of a table."""
        with self.engine.connect() as connection:
            return list(connection.execute(sa.select(table)))

    def states(self) -> dict[str, str]:
        """Return what the ledger says of each job."""
        return {row.job_id: row.state for row in self.rows(usage)}

    def stored(self) -> dict[str, set[str]]:
        """Return the files of each job, in storage and spool."""
        found: dict[str, set[str]] = {}
        for path in self.folder.rglob("*"):
            if path.is_file() and path.parent != self.folder:
                found.setdefault(path.name.lstrip(".").partition(".")[0], set()).add(path.name)
        return found

    def posted(self) -> Counter[str]:
        """Return how often each job's song is in Discord."""
        return Counter(map(job_of, self.discord.songs()))

    def wrong(self, *but: str, accepted: Collection[str] = ()) -> dict[str, list[str]]:
        """Return the broken promises by job; those that contain one of `but` are left out."""
        states, stored, posted = self.states(), self.stored(), self.posted()
        kept = {row.job_id for row in self.rows(songs)}
        booked = Counter(row.job_id for row in self.rows(costs))
        found: dict[str, list[str]] = {}
        for job_id, line in self.lines.items():
            state = states.get(job_id)
            begun = self.reader.begun[job_id] + self.player.begun[job_id]
            claims = {
                f"{state}, but accepted": state is not None or job_id not in accepted,
                "it is still open": state not in ("waiting", "running"),
                f"{state}, posted {posted[job_id]} times": posted[job_id] == (state == "charged"),
                f"{state}, kept: {job_id in kept}": (job_id in kept) == (state == "charged"),
                f"{begun} calls, {booked[job_id]} booked": begun == booked[job_id],
                f"{state} for {booked[job_id]} calls": state != "withdrawn" or not booked[job_id],
                f"{state}, stored: {stored.get(job_id)}": _belongs(state, job_id, stored.get(job_id, set()))
                or self.undeleted(job_id),
                # Before there is a row, the line is the intake's.
                f"{state}, line: {self.said(line)}": state is None or not self.is_open(line),
            }
            broken = [claim for claim, holds in claims.items() if not (holds or any(text in claim for text in but))]
            if broken:
                found[job_id] = broken
        return found

    def undeleted(self, job_id: str) -> bool:
        """Return whether a file of the job could not be deleted when it was to be: then retention does it."""
        fault = self.files.faults.get(job_id)
        return fault is not None and fault.struck == "delete"

    def said(self, line: str) -> str:
        """Return what a status message says."""
        return str(self.discord.messages[line]["content"])

    def is_open(self, line: str) -> bool:
        """Return whether the status message still promises something."""
        buttons = str(self.discord.messages[line]["components"])
        final = ("is ready", "Cancelled", "does not count", "not count")
        return "cancel:" in buttons or not any(sign in self.said(line) for sign in final)

    def held(self) -> list[str]:
        """Return the slots at the providers that are still taken, and the runs that still run."""
        runs = sorted(self.player.runs) if isinstance(self.player, FarProvider) else []
        return runs + [row.id for row in self.rows(calls) if row.until > time.time()]


def _belongs(state: str | None, job_id: str, names: set[str]) -> bool:
    picture, song = {f"{job_id}.jpg", f".{job_id}.jpg.type"}, {f"{job_id}.mp3", f".{job_id}.mp3.type"}
    if state == "charged":
        return names == picture | song
    # For another try from the shell the picture of what failed stays some days.
    return not names or (state == "refunded" and names == picture)


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    settings = Settings.model_validate(
        {
            "database": {"url": f"sqlite:///{tmp_path}/melodify.db"},
            "folder": {"path": tmp_path / "files"},
            "limits": LIMITS,
            "work": {"poll_s": 0.05, "jobs": 24, "drain_s": 0},
            # Caps that count but never make a job wait: far more jobs are interrupted than could ever run.
            **{provider: {"calls": 1000} for provider in ("openai", "lyria", "pipeline")},
        }
    )
    async with little_discord() as world:
        world.generous = True
        # What `use_proxies` does for a process, for this test alone.
        monkeypatch.setattr(Route, "BASE", world.api_url)
        house = House(tmp_path, world, settings)
        yield house
        house.engine.dispose()
        house.threads.close()


async def until(happens: Callable[[], bool]) -> None:
    async with asyncio.timeout(END_S):
        while not happens():
            await asyncio.sleep(0.2)  # most conditions read whole tables


async def probe(house: House, *, helpers: bool = True) -> Strike:
    """Make one song undisturbed; return what was counted."""
    async with house.studio() as services:
        order = house.an_order()
        strike = house.strikes[order.job_id] = Strike(0, "begin", lambda: None, helpers)
        await services.studio.submit(order)
        await services.studio.idle(END_S)
    assert house.wrong() == {}
    return strike


# A song has more than a hundred awaits: the quick tests take some of them, each run others. The slow ones take every
# await of our own. Half of all are asyncio's, in `threads.unbroken`, at the same moments: tests/unit/test_threads.py
# takes each of those. A song made here differs from one made elsewhere in the composer's call alone.
slow = partial(pytest.param, marks=(pytest.mark.slow, pytest.mark.no_cover))  # the quick ones are measured
some_awaits = pytest.mark.parametrize(
    ("far", "stride", "helpers"), [(False, 24, True), (True, 24, True), slow(False, 4, False), slow(True, 1, False)]
)


async def test_an_order_that_is_interrupted_at_any_await_is_a_song_or_nothing(house: House) -> None:
    async with house.studio() as services:
        accepted = await interrupted(house, services.studio.submit)
        await services.studio.idle(END_S)
        await until(lambda: not services.studio._engine.active)
    assert house.wrong(accepted=accepted) == {}
    assert set(house.states().values()) == {"charged"}


async def interrupted(
    house: House,
    work: Callable[[Order], Coroutine[Any, Any, object]],
    before: Callable[[Order], Awaitable[object]] | None = None,
) -> set[str]:
    """Interrupt the work at every await, each time for another order; return for which it came to its end."""
    ended: set[str] = set()
    for at in itertools.count(1):
        for moment in MOMENTS:
            order = house.an_order()
            if before is not None:
                await before(order)
            struck, task = await struck_at(at, moment, partial(work, order))
            if not task.cancelled():
                task.result()
                ended.add(order.job_id)
        if not struck:
            return ended
    raise AssertionError


async def struck_at(
    at: int, moment: Moment, work: Callable[[], Coroutine[Any, Any, object]]
) -> tuple[bool, asyncio.Task[Any]]:
    """Do the work in a task that is cancelled at one of its awaits; return whether it came to that, and the task."""
    tasks: list[asyncio.Task[Any]] = []
    strike = Strike(at, moment, lambda: tasks[0].cancel())  # noqa: PLW0108  # there is none yet
    context = copy_context()
    context.run(own.set, strike)
    tasks.append(asyncio.get_running_loop().create_task(work(), context=context))
    await asyncio.wait(tasks)
    return strike.struck, tasks[0]


@some_awaits
async def test_a_job_that_is_interrupted_at_any_await_goes_on_at_the_next_start(
    house: House, stride: int, *, far: bool, helpers: bool
) -> None:
    house.compose_far(far)
    count = (await probe(house, helpers=helpers)).seen
    async with house.studio() as services:
        making = services.studio._engine._making

        def interrupt(job_id: str) -> None:
            if run := making.get(job_id):
                run.task.cancel()

        await at_many_awaits(house, services, count, stride, interrupt, helpers=helpers)
        await until(
            lambda: all(
                (house.strikes[job_id].struck and job_id not in making) or state not in ("waiting", "running")
                for job_id, state in house.states().items()
            )
        )
    house.strikes.clear()
    async with house.studio() as services:
        await services.studio.idle(END_S)
        await until(lambda: not services.studio._engine.active)
    assert house.wrong() == {}
    assert set(house.states().values()) == {"charged"}


async def at_many_awaits(
    house: House, services: Services, count: int, stride: int, act: Callable[[str], object], *, helpers: bool
) -> None:
    """Order a song for each of these awaits, at which `act` is called with the job's id."""
    for at, moment in itertools.product(range(random.randint(1, stride), count + 1, stride), MOMENTS):
        order = house.an_order()
        house.strikes[order.job_id] = Strike(at, moment, partial(act, order.job_id), helpers)
        await services.studio.submit(order)


@some_awaits
async def test_a_job_that_its_asker_cancels_at_any_await_is_a_song_or_cancelled(
    house: House, stride: int, *, far: bool, helpers: bool
) -> None:
    house.compose_far(far)
    count = (await probe(house, helpers=helpers)).seen
    cancelling: dict[str, asyncio.Task[Any]] = {}
    async with house.studio() as services:

        def cancel(job_id: str) -> None:
            cancelling[job_id] = asyncio.Task(services.studio.cancel(job_id, int(job_id)), context=Context())

        await at_many_awaits(house, services, count, stride, cancel, helpers=helpers)
        await services.studio.idle(END_S)
        await until(lambda: not services.studio._engine.active and all(task.done() for task in cancelling.values()))
    assert house.wrong() == {}
    assert house.held() == []
    states, paid = house.states(), {row.job_id for row in house.rows(costs)}
    # A member who was told that it is being cancelled gets no song, and is charged if something was paid.
    assert {states[job_id] for job_id, task in cancelling.items() if task.exception()} <= {"charged"}
    stopped = {states[job_id]: job_id in paid for job_id, task in cancelling.items() if not task.exception()}
    assert stopped.items() <= {"forfeited": True, "refunded": False, "withdrawn": False}.items()


async def test_a_cancelling_that_is_interrupted_at_any_await_leaves_no_line_open(house: House) -> None:
    async with one_at_a_time(house) as services:
        await interrupted(house, partial(cancelled_and_told, house, services), services.studio.submit)
        await all_lines_closed(house, services)
    assert house.wrong() == {}
    assert {"withdrawn"} <= set(house.states().values()) <= {"withdrawn", "charged"}


@pytest.mark.parametrize("port", ["statements", "commits", "files", "rest"])
async def test_a_cancelling_of_which_one_call_fails_leaves_no_line_open(house: House, port: str) -> None:
    broken: Port = getattr(house, port)
    async with one_at_a_time(house) as services:
        for at in itertools.count(1):
            faults = [Fault(at, moment) for moment in MOMENTS]
            for fault in faults:
                order = house.an_order()
                await services.studio.submit(order)
                broken.calls[order.job_id], broken.faults[order.job_id] = 0, fault
                with suppress(Unavailable), log_context(order.job_id):
                    await cancelled_and_told(house, services, order)
            if not any(fault.struck for fault in faults):
                break
        broken.faults.clear()
        await all_lines_closed(house, services)
    assert house.wrong() == {}
    assert {"withdrawn"} <= set(house.states().values()) <= {"withdrawn", "charged"}


@asynccontextmanager
async def one_at_a_time(house: House) -> AsyncIterator[Services]:
    """Open the studio where one job runs for ever, and all others wait."""
    house.settings = house.settings.model_copy(update={"work": house.settings.work.model_copy(update={"jobs": 1})})
    house.reader.holds = asyncio.Event()
    async with house.studio() as services:
        await services.studio.submit(house.an_order())
        await until(lambda: house.reader.begun.total() == 1)
        yield services


async def cancelled_and_told(house: House, services: Services, order: Order) -> None:
    """Cancel a waiting job as the button does: stop it, say so, and forget it."""
    result = await services.studio.cancel(order.job_id, order.user_id)
    assert result == CancelResult(caller_informs_asker=True, language="en")
    accepted = services.studio._library.accepted_order(order.job_id)
    assert accepted is not None
    await posting.apologise_for(accepted, Rejected("job.cancelled"), house.delivery)
    await services.studio.confirm_cancelled(order.job_id)


async def all_lines_closed(house: House, services: Services) -> None:
    """Let the waiting jobs have their turn."""
    assert house.reader.holds is not None
    house.reader.holds.set()
    await services.studio.idle(END_S)
    async with asyncio.timeout(END_S):
        while await services.studio._engine.dead(list(house.lines)) != set(house.lines):
            await asyncio.sleep(0.05)


async def test_a_song_that_is_posted_late_and_cancelled_at_any_await_never_stays(house: House) -> None:
    async with house.studio() as services:
        count = (await late(house, services, 0, "begin"))[0].seen
        told: dict[str, bool] = {}
        for at, moment in itertools.product(range(1, count + 1), MOMENTS):
            strike, job_id, told_so = await late(house, services, at, moment)
            assert strike.struck
            told[job_id] = told_so
    assert house.wrong() == {}
    assert all((house.states()[job_id] == "forfeited") == told_so for job_id, told_so in told.items())
    assert set(told.values()) == {True, False}


async def test_a_song_that_is_posted_late_and_interrupted_at_any_await_is_posted_once(house: House) -> None:
    async with house.studio() as services:
        count = (await late(house, services, 0, "begin"))[0].seen
        for at, moment in itertools.product(range(1, count + 1), MOMENTS):
            await late(house, services, at, moment, interrupts=True)
    assert house.wrong() == {}
    assert set(house.states().values()) == {"charged"}


async def late(
    house: House, services: Services, at: int, moment: Moment, *, interrupts: bool = False
) -> tuple[Strike, str, bool]:
    """Post a finished song late; at an await its asker cancels, or the work is interrupted and begun again.

    Return the strike, the job, and whether its asker was told that it is being cancelled.
    """
    order = house.an_order()
    job, pending, job_context = await finished_song(house, services, order)
    step, told = Recorded(), []

    async def cancel() -> None:
        with suppress(Rejected):
            await services.studio.cancel(job.job_id, job.user_id)
            told.append(job.job_id)
            step.stop.set()

    async def work() -> None:
        await posting.post(pending, step, job_context)

    cancelling: list[asyncio.Task[None]] = []

    def act() -> None:
        if interrupts:
            task.cancel()
        else:
            cancelling.append(asyncio.Task(cancel(), context=Context()))

    strike = Strike(at, moment, act)
    own_context = copy_context()
    own_context.run(own.set, strike)
    task = asyncio.get_running_loop().create_task(work(), context=own_context)
    await asyncio.wait({task})
    await asyncio.gather(*cancelling)
    if task.cancelled():
        await work()
    else:
        task.result()
    return strike, job.job_id, bool(told)


async def finished_song(house: House, services: Services, order: Order) -> tuple[Job, PendingPost, JobContext]:
    """Return a paid job whose song is made and stored, and waits to be posted."""
    job = new_job(order, await prepare_picture(PICTURE, house.settings, house.threads), house.settings)
    ledger = services.studio._library
    with ledger.transaction() as connection:
        ledger.reserve(connection, job, time.time())
    ledger.start(job.job_id, time.time())
    ledger.book(job.job_id, f"{job.job_id}-call", Bill(provider="lyria", model="m", dollars=0.06), time.time())
    house.player.begun[job.job_id] += 1
    song = a_song(job.job_id)
    await services.storage.save(song.picture_key, PICTURE, "image/jpeg")
    await services.storage.save(song.audio_key, b"sound", "audio/mpeg")
    reader, player = cast("Any", house.reader), cast("Any", house.player)
    providers = Providers(reader, player, services.storage)
    job_context = JobContext(providers, house.delivery, ledger, house.threads, house.settings.song)
    return job, PendingPost(job=job, song=song), job_context


@dataclass
class Recorded(PlainStep):
    """A Step that records, whose pauses are short and whose later is now."""

    records: dict[str, object] = field(default_factory=dict)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(
        self,
        name: str,
        model: type[Result],
        work: Callable[[], Awaitable[Result]],
        *,
        tries: int = 1,
        stoppable: bool = False,
    ) -> Result:
        del model, tries, stoppable
        if name not in self.records:
            try:
                self.records[name] = await work()
            except MelodifyError as error:
                self.records[name] = error
        found = self.records[name]
        if isinstance(found, MelodifyError):
            raise found
        return cast("Result", found)

    async def pause(self, seconds: float) -> None:
        del seconds
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stop.wait(), 0.01)


@pytest.mark.parametrize(
    ("port", "stride"),
    [
        *(("files", 3), ("rest", 3), ("statements", 20), ("commits", 7)),
        *(slow(port, 1) for port in ("files", "rest", "statements", "commits")),
    ],
)
async def test_one_call_that_fails_costs_no_song(house: House, port: str, stride: int) -> None:
    await probe(house)
    broken: Port = getattr(house, port)
    count = broken.calls.total()
    accepted: set[str] = set()
    async with house.studio() as services:
        # A statement fails instead of being executed, at any moment.
        moments = MOMENTS[:1] if port == "statements" else MOMENTS
        for at, moment in itertools.product(range(random.randint(1, stride), count + 1, stride), moments):
            order = house.an_order()
            broken.faults[order.job_id] = Fault(at, moment)
            with suppress(Unavailable):
                await services.studio.submit(order)
                accepted.add(order.job_id)
        await services.studio.idle(END_S)
        # A status message whose last edit failed is closed by a post of its own.
        with suppress(TimeoutError):
            await until(lambda: house.wrong(accepted=accepted) == {})
    assert sum(bool(fault.struck) for fault in broken.faults.values()) > len(broken.faults) / 2
    assert house.wrong(accepted=accepted) == {}
    assert set(house.states().values()) == {"charged"}


@pytest.mark.parametrize("port", ["reading", "playing"])
@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_provider_that_fails_is_apologised_for_and_what_it_was_paid_is_booked(
    house: House, port: str, moment: Moment
) -> None:
    broken: Port = getattr(house, port)
    async with house.studio() as services:
        order = house.an_order()
        broken.faults[order.job_id] = Fault(1, moment)
        await services.studio.submit(order)
        await services.studio.idle(END_S)
        await until(lambda: not services.studio._engine.active)
    assert broken.faults[order.job_id].struck
    assert house.wrong(accepted={order.job_id}) == {}
    assert house.states() == {order.job_id: "refunded"}
