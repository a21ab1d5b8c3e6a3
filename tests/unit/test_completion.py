"""What cannot be posted at once is queued, tried again for hours, and failed in the end."""

import dataclasses
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from prometheus_client import REGISTRY

from melodify_core.config.settings import SongSettings
from melodify_core.errors import MelodifyError, Rejected, Unavailable, to_record
from melodify_core.jobs.completion import LINE_PAUSES_S, PAUSES_S, fail_job, fail_unreadable_job, post
from melodify_core.jobs.context import JobContext, PlainStep, Result, Step
from melodify_core.jobs.workflow import make_song
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import AcceptedOrder, Bill, Job, PendingPost, Place, Posted, Song, Stage
from melodify_core.observability.log_context import LogContext, current, log_context, trace_job
from melodify_core.providers import Providers
from melodify_core.storage.folder import FolderStorage
from tests.fakes import Book, Player, Reader, RecordingDelivery
from tests.jobs import a_job, a_song
from tests.pictures import sunset

AWAY = Unavailable("discord.unavailable")


@dataclass
class Clock(PlainStep):
    """A Step whose pauses take no time, and whose later is a list."""

    paused_s: list[float] = field(default_factory=list)
    later: list[PendingPost] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    async def __call__(
        self,
        name: str,
        model: type[Result],
        work: Callable[[], Awaitable[Result]],
        *,
        tries: int = 1,
        stoppable: bool = False,
    ) -> Result:
        self.names.append(name)
        return await super().__call__(name, model, work, tries=tries, stoppable=stoppable)

    async def pause(self, seconds: float) -> None:
        self.paused_s.append(seconds)

    async def defer_post(self, pending: PendingPost) -> bool:
        self.later.append(pending)
        return True


@dataclass
class Slow(RecordingDelivery):
    """A delivery that is unavailable for so many calls."""

    away: int = 0

    async def deliver(self, *args: object, **named: object) -> object:  # type: ignore[override]  # whatever is asked
        self.away -= 1
        if self.away >= 0:
            raise AWAY
        return await super().deliver(*args, **named)  # type: ignore[arg-type]  # as it came


async def made(step: Step, context: JobContext) -> None:
    """Make the song of job 1, as the engine does."""
    with trace_job(a_job("1")):
        await make_song(a_job("1"), step, context)


async def posted_late(pending: PendingPost, step: Step, context: JobContext) -> None:
    """Post what waits, as the engine does."""
    with log_context(pending.job.job_id, pending.job.place.guild_id, Stage.DELIVERING):
        await post(pending, step, context)


@pytest.fixture
async def context(tmp_path: Path, pool: WorkerPool) -> JobContext:
    storage = FolderStorage(tmp_path)
    await storage.save("pictures/1.jpg", sunset(), "image/jpeg")
    await storage.save("songs/1.mp3", b"sound", "audio/mpeg")
    return JobContext(Providers(Reader(), Player(), storage), cast("Any", Slow()), Book(), pool, SongSettings())


def ended_as(outcome: str) -> float:
    """Return how many jobs have ended so while they were delivered."""
    labels = {"stage": "delivering", "outcome": outcome}
    return REGISTRY.get_sample_value("melodify_jobs_ended_total", labels) or 0.0


@pytest.fixture
def log_contexts(monkeypatch: pytest.MonkeyPatch) -> dict[str, LogContext | None]:
    """Whose line each logged one is, by its text."""
    found: dict[str, LogContext | None] = {}

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found[record.getMessage()] = current.get()

    monkeypatch.setattr(logging.getLogger("melodify_core"), "handlers", [Listener()])
    return found


def book_of(context: JobContext) -> Book:
    return cast("Book", context.ledger)


def deliverer_of(context: JobContext) -> Slow:
    return cast("Slow", context.delivery)


async def test_a_song_that_cannot_be_posted_now_is_handed_over_and_neither_refunded_nor_charged(
    context: JobContext,
) -> None:
    clock, songs = Clock(), ended_as("song")
    deliverer_of(context).away = 99
    await made(clock, context)
    [pending] = clock.later
    assert pending.song is not None
    assert ended_as("song") == songs
    assert book_of(context).lines == ["start 1"]
    assert deliverer_of(context).apologies == []


async def test_a_line_that_could_not_be_closed_is_closed_later(context: JobContext) -> None:
    clock, songs = Clock(), ended_as("song")
    deliverer_of(context).hesitates = 4
    await made(clock, context)
    [pending] = clock.later
    # The song is posted and recorded all the same.
    assert book_of(context).lines == ["start 1", "record 1"]
    assert (pending.posted is not None, pending.song is not None) == (True, True)
    await posted_late(pending, clock, context)
    assert deliverer_of(context).closed == ["1"]
    assert clock.paused_s == list(LINE_PAUSES_S[:5])
    assert (len(deliverer_of(context).songs), ended_as("song")) == (1, songs + 1)


async def test_an_apology_that_meets_other_records_is_handed_over(context: JobContext) -> None:
    @dataclass
    class Replayed(Clock):
        """The engine's steps when the records contain another step at this position."""

        async def __call__(self, name: str, *args: Any, **named: Any) -> Any:
            if name == "apologise":
                raise RuntimeError("the record at this place is of the step 'caption'")
            return await super().__call__(name, *args, **named)

    clock = Replayed()
    await fail_job(a_job("1"), context, clock, Rejected("limit.budget"))
    [pending] = clock.later
    assert (pending.song, pending.error) == (None, to_record(Rejected("limit.budget")))
    await posted_late(pending, Clock(), context)
    assert len(deliverer_of(context).apologies) == 1


async def test_a_line_that_is_never_closed_takes_no_song_back(context: JobContext) -> None:
    clock = Clock()
    deliverer_of(context).hesitates = 10_000
    await posted_late(PendingPost(job=a_job("1"), song=a_song("1"), posted=Posted(message_id=2)), clock, context)
    assert clock.paused_s == list(LINE_PAUSES_S)
    assert (book_of(context).lines, deliverer_of(context).apologies) == ([], [])
    assert await context.providers.storage.find("songs/1.mp3") is not None


async def test_a_song_that_is_posted_late_has_its_line_closed_later_still(context: JobContext) -> None:
    clock = Clock()
    deliverer_of(context).hesitates = 1
    await posted_late(PendingPost(job=a_job("1"), song=a_song("1")), clock, context)
    [pending] = clock.later
    assert book_of(context).lines == ["record 1"]
    assert pending.posted is not None


class Torn(Book):
    """A ledger that cannot be written to, so many times."""

    torn = 0

    def record_song(self, job: Job, song: Song, posted: Posted, now: float) -> bool:
        self.torn -= 1
        if self.torn >= 0:
            raise RuntimeError("a bug")
        return super().record_song(job, song, posted, now)


async def test_a_posted_song_that_cannot_be_written_down_is_neither_lost_nor_taken_back(context: JobContext) -> None:
    book = Torn()
    book.torn = 2
    torn, clock = dataclasses.replace(context, ledger=book), Clock()
    await made(clock, torn)
    [pending] = clock.later
    assert book.lines == ["start 1"]
    # Posting it again finds the post; what matters here is that it is recorded in the end.
    await posted_late(pending, clock, torn)
    assert book.lines == ["start 1", "record 1"]
    assert deliverer_of(context).apologies == []


async def test_a_song_that_is_cancelled_while_it_waits_to_be_posted_never_appears(context: JobContext) -> None:
    book_of(context).cancelled = True
    await posted_late(PendingPost(job=a_job("1"), song=a_song("1")), Clock(), context)
    assert deliverer_of(context).songs == []
    assert deliverer_of(context).apologies == ["job.cancelled"]
    assert book_of(context).lines == ["refund 1"]


class Cancelling(Slow):
    """A delivery during which the song is cancelled."""

    book: Book

    async def deliver(self, *args: object, **named: object) -> object:  # type: ignore[override]  # whatever is asked
        posted = await super().deliver(*args, **named)
        self.book.cancelled = True
        return posted


@pytest.mark.parametrize("late", [False, True])
async def test_a_song_that_is_cancelled_while_it_is_posted_is_taken_back(context: JobContext, *, late: bool) -> None:
    delivery = Cancelling()
    delivery.book = book_of(context)
    context = dataclasses.replace(context, delivery=cast("Any", delivery))
    if late:
        book_of(context).bills.append(Bill(provider="player", model="m", dollars=0.5))
        await posted_late(PendingPost(job=a_job("1"), song=a_song("1")), Clock(), context)
    else:
        await made(Clock(), context)
    assert delivery.songs == []
    assert delivery.apologies == ["job.cancelled"]
    assert book_of(context).lines[-1] == "end cancelled 1"  # it was paid for


async def test_a_song_that_cannot_be_taken_back_now_is_taken_back_with_its_apology(context: JobContext) -> None:
    delivery, clock = Cancelling(deaf=True), Clock()
    delivery.book = book_of(context)
    context = dataclasses.replace(context, delivery=cast("Any", delivery))
    await posted_late(PendingPost(job=a_job("1"), song=a_song("1")), clock, context)
    assert len(delivery.songs) == 1
    [pending] = clock.later
    delivery.deaf = False
    await posted_late(pending, clock, context)
    assert delivery.songs == []
    assert delivery.apologies == ["job.cancelled"]
    assert book_of(context).lines == ["refund 1"]


async def test_a_parcel_is_posted_when_discord_is_back(context: JobContext) -> None:
    clock, songs = Clock(), ended_as("song")
    deliverer_of(context).away = 3
    await posted_late(PendingPost(job=a_job("1"), song=a_song("1")), clock, context)
    assert clock.paused_s == list(PAUSES_S[:4])
    assert len(deliverer_of(context).songs) == 1
    assert book_of(context).lines == ["record 1"]
    assert ended_as("song") == songs + 1
    assert len(set(clock.names)) == len(clock.names) == 4  # each try is a step of its own


async def test_after_six_hours_a_song_is_given_up_and_refunded(context: JobContext) -> None:
    clock, dropped = Clock(), ended_as("discord.unavailable")
    deliverer_of(context).away = 999
    await posted_late(PendingPost(job=a_job("1"), song=a_song("1")), clock, context)
    assert sum(clock.paused_s) == pytest.approx(6 * 3600)
    assert book_of(context).lines == ["refund 1"]
    assert deliverer_of(context).apologies == ["discord.unavailable"]
    assert ended_as("discord.unavailable") == dropped + 1


class Known(Book):
    """A ledger that knows an open job of a server."""

    def accepted_order(self, job_id: str) -> AcceptedOrder | None:
        return AcceptedOrder(job_id, 1, "running", Place(channel_id=10, guild_id=20), "en", f"pictures/{job_id}.jpg")


async def test_an_unreadable_job_is_counted_and_its_lines_are_its_own(
    context: JobContext, log_contexts: dict[str, LogContext | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise AWAY

    monkeypatch.setattr(deliverer_of(context), "apologise", away)
    labels = {"stage": "", "outcome": "internal"}
    before = REGISTRY.get_sample_value("melodify_jobs_ended_total", labels) or 0.0
    await fail_unreadable_job("1", dataclasses.replace(context, ledger=Known()))
    assert REGISTRY.get_sample_value("melodify_jobs_ended_total", labels) == before + 1
    assert log_contexts == {
        "job 1: the apology did not arrive and is not tried again: discord.unavailable": LogContext("1", 20, None)
    }


@pytest.mark.parametrize("error", [Rejected("provider.refused"), Unavailable("internal")])
async def test_an_apology_that_could_not_arrive_arrives_later(context: JobContext, error: MelodifyError) -> None:
    clock = Clock()
    await posted_late(PendingPost(job=a_job("1"), error=to_record(error)), clock, context)
    assert deliverer_of(context).apologies == [error.code]
    assert book_of(context).lines == []


async def test_a_cancelled_job_that_was_paid_for_is_forfeited(context: JobContext) -> None:
    deliverer_of(context).error = Rejected("job.cancelled")  # as a step would raise it
    await made(Clock(), context)
    assert book_of(context).lines == ["start 1", "end cancelled 1"]


async def test_a_job_that_nobody_knows_is_not_buried(context: JobContext) -> None:
    await fail_unreadable_job("77", context)
    assert book_of(context).lines == []


async def test_a_song_that_could_not_be_posted_is_made_again_without_paying_again(context: JobContext) -> None:
    player = cast("Any", context.providers.composer)
    deliverer_of(context).away = 999
    clock = Clock()
    await made(clock, context)
    await posted_late(PendingPost(job=a_job("1"), song=a_song("1")), clock, context)
    assert book_of(context).lines[-1] == "refund 1"
    deliverer_of(context).away = 0
    before = player.calls
    await made(Clock(), context)
    assert [song.job_id for song in deliverer_of(context).songs] == ["1"]
    assert (before, player.calls) == (1, 1)
