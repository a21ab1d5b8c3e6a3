"""Hand-written captioners, composers and deliveries that work, and record their calls."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from melodify_core import ports
from melodify_core.config.settings import SongSettings
from melodify_core.errors import MelodifyError, Rejected, Unavailable
from melodify_core.jobs.context import JobContext, PlainStep, Step
from melodify_core.jobs.paid_calls import Gate, OpenGate, PaidWork
from melodify_core.jobs.workflow import make_song
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import (
    Abilities,
    AcceptedOrder,
    Bill,
    Brief,
    Commission,
    Forecast,
    Job,
    Language,
    Link,
    Picture,
    Place,
    Posted,
    Progress,
    RawTake,
    Song,
    Stage,
    Wish,
    Wording,
)
from melodify_core.observability.log_context import trace_job
from melodify_core.ports import ProviderContext
from melodify_core.providers import Providers
from melodify_core.storage.folder import FolderStorage
from melodify_core.storage.spool import Spool
from tests.briefs import BRIEF
from tests.jobs import a_job
from tests.pictures import sunset
from tests.sounds import chords, wav


@dataclass
class Reader:
    """A captioner that returns one Brief, or fails."""

    error: BaseException | None = None
    name: str = "reader"
    brief: Brief = BRIEF

    async def check(self) -> None: ...

    async def close(self) -> None: ...

    async def caption(self, picture: Picture, wish: Wish, provider_context: ProviderContext) -> Brief:
        del picture, wish
        bill = Bill(provider="reader", model="m", dollars=0.25)
        await (await provider_context.begun(bill)).billed(bill)
        if self.error is not None:
            raise self.error
        return self.brief


@dataclass
class Player:
    """A composer that plays one chord, or fails, or never ends."""

    error: BaseException | None = None
    for_ever: bool = False
    calls: int = 0
    name: str = "player"

    async def check(self) -> None: ...

    async def close(self) -> None: ...

    async def compose(self, brief: Brief, wish: Wish, provider_context: ProviderContext) -> RawTake:
        del brief, wish
        self.calls += 1
        bill = Bill(provider="player", model="m", dollars=0.5)
        await (await provider_context.begun(bill)).billed(bill)
        if self.error is not None:
            raise self.error
        if self.for_ever:
            await asyncio.sleep(3600)
        return RawTake(wav(chords(3)), "audio/wav", bpm=90, key="E", mode="minor", instruments=("organ",), midi=b"MThd")


@dataclass
class FarPlayer(Player):
    """A composer that commissions its work from a service."""

    orders: list[str] = field(default_factory=list)

    # An ordering composer has no `compose`; this one inherits it, and it must not be used.
    async def commission(self, brief: Brief, wish: Wish, provider_context: ProviderContext) -> Commission:
        del brief, wish
        self.orders.append(provider_context.job_id)
        return Commission(name=f"runs/{provider_context.job_id}")

    async def collect(self, commission: Commission, provider_context: ProviderContext) -> RawTake:
        assert commission.name == "runs/1"
        await provider_context.progress("provisioning")
        return await self.compose(BRIEF, Wish(), provider_context)

    async def cancel(self, commission: Commission) -> None:
        raise AssertionError(commission)


class LinkingFolder(FolderStorage):
    """A folder whose files have addresses."""

    async def link(self, key: str, file_name: str) -> Link:
        return Link(f"https://example.org/{key}?as={file_name}", 2_000_000_000)


@dataclass
class RecordingDelivery:
    """A delivery that records its calls."""

    error: BaseException | None = None
    deaf: bool = False
    stages: list[Stage | Progress] = field(default_factory=list)
    positions: list[tuple[str, int]] = field(default_factory=list)
    pages: list[str | None] = field(default_factory=list)  # with the positions
    songs: list[Song] = field(default_factory=list)
    largest: int = 10 << 20
    links: list[str] = field(default_factory=list)
    apologies: list[str] = field(default_factory=list)
    hesitates: int = 0  # so many times a line is not closed
    closed: list[str] = field(default_factory=list)
    offers: list[str] = field(default_factory=list)  # with the apologies

    async def show_stage(self, job: Job, stage: Stage, progress: Progress | None = None) -> None:
        del job
        self.stages.append(progress or stage)

    async def show_position(
        self, job_id: str, place: Place, language: Language, forecast: Forecast, page_id: str | None = None
    ) -> None:
        del place, language
        self.positions.append((job_id, forecast.position))
        self.pages.append(page_id)

    async def deliver(self, job: Job, song: Song, audio: bytes | Link, picture: bytes) -> Posted:
        del job
        assert audio
        assert picture
        if self.error is not None:
            raise self.error
        if isinstance(audio, Link):
            self.links.append(audio.url)
        elif len(audio) > self.largest:
            raise Rejected("song.too_large", limit_mb=0)
        self.songs.append(song)
        return Posted(channel_id=1, message_id=2, line_open=self.hesitates > 0)

    async def close_line(self, job: Job, song: Song, posted: Posted) -> None:
        del song
        assert posted.message_id == 2
        self.hesitates -= 1
        if self.hesitates >= 0:
            raise Unavailable("discord.unavailable")
        self.closed.append(job.job_id)

    async def delete_posted_song(self, job: Job) -> None:
        if self.deaf:
            raise Unavailable("discord.unavailable")
        self.songs = [song for song in self.songs if song.job_id != job.job_id]

    async def apologise(self, job: Job, error: MelodifyError) -> None:
        del job
        if self.deaf:
            raise Unavailable("discord.unavailable")
        self.apologies.append(error.code)
        self.offers.append(str(error.values.get("instead", "")))


@dataclass
class Book:
    """A ledger in memory."""

    lines: list[str] = field(default_factory=list)
    cancelled: bool = False
    bills: list[Bill] = field(default_factory=list)
    open_calls: dict[str, Bill] = field(default_factory=dict)  # by call
    words: list[Wording] = field(default_factory=list)  # of the latest songs

    def book(self, job_id: str, call_id: str, bill: Bill, now: float) -> None:
        del job_id, now
        self.open_calls[call_id] = bill

    def settle(self, call_id: str, bill: Bill) -> None:
        self.open_calls[call_id] = bill
        self.bills.append(bill)

    def unbook(self, call_id: str) -> None:
        del self.open_calls[call_id]

    def has_booked_music(self, job_id: str, captioner: str) -> bool:
        del job_id
        return any(bill.provider != captioner and bill.dollars for bill in self.open_calls.values())

    def claim_words(self, job: Job, limit: int, choose: Callable[[Sequence[Wording]], Wording], now: float) -> Wording:
        del job, now
        return choose(self.words[:limit])

    def spent(self, job_id: str) -> float:
        del job_id
        return sum(bill.dollars for bill in self.bills)

    def start(self, job_id: str, now: float) -> bool:
        del now
        self.lines.append(f"start {job_id}")
        return True

    def note_stage(self, job_id: str, stage: Stage) -> None:
        self.lines.append(f"reach {stage} {job_id}")

    def end_cancelled(self, job_id: str, now: float) -> None:
        del now
        self.lines.append(f"{'end cancelled' if self.bills else 'refund'} {job_id}")

    def refreshed(self, job: Job) -> Job:
        return job

    def record_unposted(self, job: Job, song: Song, now: float) -> bool:
        del job, song, now
        return not self.cancelled

    def accepted_order(self, job_id: str) -> AcceptedOrder | None:
        del job_id
        return None

    def refund(self, job_id: str, now: float, code: str = "") -> None:
        del now, code
        self.lines.append(f"refund {job_id}")

    def record_song(self, job: Job, song: Song, posted: Posted, now: float) -> bool:
        del song, posted, now
        if not self.cancelled:
            self.lines.append(f"record {job.job_id}")
        return not self.cancelled


@dataclass
class SongBench:
    """The whole workflow on test doubles, without an engine."""

    folder: Path
    pool: WorkerPool
    reader: Reader = field(default_factory=Reader)
    player: Player = field(default_factory=Player)
    delivery: RecordingDelivery = field(default_factory=RecordingDelivery)
    book: Book = field(default_factory=Book)
    ledger: ports.Ledger | None = None  # in place of the book
    song: SongSettings = SongSettings()
    storage: FolderStorage | None = None
    gate: Gate = OpenGate()
    fallbacks: tuple[Player, ...] = ()
    prices: dict[str, float] = field(default_factory=dict)  # of the composers, by name
    names: tuple[str, ...] | None = None  # that the job records; None: all composers, where there are several
    name: str = ""  # of the only composer, that the job records
    asks: bool = False

    async def run(self, job_id: str = "1", step: Step | None = None) -> None:
        storage = self.storage or FolderStorage(self.folder)
        await FolderStorage(self.folder).save(f"pictures/{job_id}.jpg", sunset(), "image/jpeg")
        job_context = JobContext(
            Providers(self.reader, self.player, storage, self.fallbacks, self.abilities),
            self.delivery,
            self.ledger or self.book,
            self.pool,
            self.song,
            paid=PaidWork(self.gate, Spool(self.folder / "spool")),
            pauses_s=(0.01,) * 5,
        )
        named = tuple(player.name for player in (self.player, *self.fallbacks)) if self.fallbacks else ()
        job = a_job(job_id, composers=named if self.names is None else self.names, composer=self.name, asks=self.asks)
        with trace_job(job):
            await make_song(job, step or PlainStep(), job_context)

    @property
    def abilities(self) -> dict[str, Abilities]:
        return {name: Abilities(10, 120, "", dollars_per_song=price) for name, price in self.prices.items()}

    def files(self) -> set[str]:
        return {
            path.name
            for path in self.folder.rglob("*")
            if path.is_file() and path.suffix in ("", ".jpg", ".json", ".mid", ".mp3")
        }
