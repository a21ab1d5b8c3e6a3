import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from melodify_core.errors import Refused, Rejected, Unavailable
from melodify_core.jobs.context import PlainStep, Result
from melodify_core.library import Cap, ProviderGate, connect, upgrade
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Brief, Commission, RawTake, Stage, Wish, Wording
from melodify_core.ports import ProviderContext
from melodify_core.storage.folder import FolderStorage
from tests.briefs import BRIEF
from tests.fakes import FarPlayer, LinkingFolder, Player, SongBench


@pytest.fixture
def bench(tmp_path: Path, pool: WorkerPool) -> SongBench:
    return SongBench(tmp_path, pool)


async def test_a_picture_becomes_a_delivered_song(bench: SongBench) -> None:
    await bench.run()
    (song,) = bench.delivery.songs
    assert (song.title, song.bpm, song.key, song.mode) == ("Amber Dusk", 90, "E", "minor")
    assert song.instruments == ("organ",)
    assert (song.captioner, song.composer) == ("reader", "player")
    assert song.duration_s == pytest.approx(3, abs=0.1)
    assert bench.delivery.stages == [Stage.LOOKING, Stage.COMPOSING, Stage.MASTERING, Stage.DELIVERING]
    assert bench.book.lines == ["start 1", "record 1"]
    assert bench.delivery.apologies == []


async def test_a_title_that_the_server_has_heard_lately_is_not_given_again(bench: SongBench) -> None:
    bench.book.words = [Wording("Amber Dusk", "A song.")]
    bench.reader.brief = BRIEF.model_copy(update={"spare_titles": ("Dusk, Slowly",)})
    await bench.run()
    (song,) = bench.delivery.songs
    assert song.title == "Dusk, Slowly"
    assert song.brief == BRIEF.model_copy(update={"title": "Dusk, Slowly"})


async def test_a_song_is_not_told_as_the_latest_one_was(bench: SongBench) -> None:
    bench.book.words = [Wording("Other", BRIEF.caption)]
    bench.reader.brief = BRIEF.model_copy(update={"spare_captions": ("Said in another way.",)})
    await bench.run()
    (song,) = bench.delivery.songs
    assert song.caption == "Said in another way."
    assert song.brief == BRIEF.model_copy(update={"caption": "Said in another way."})


async def test_picture_and_song_are_kept_and_the_raw_take_is_not(bench: SongBench) -> None:
    await bench.run()
    assert bench.files() == {"1.jpg", "1.mid", "1.mp3"}


@pytest.mark.parametrize(
    ("part", "error", "code", "left"),
    [
        ("reader", Refused("provider.refused"), "provider.refused", set()),
        ("delivery", Rejected("discord.forbidden"), "discord.forbidden", set()),
        # These were not the asker's fault: `melodify jobs retry` needs the picture.
        ("player", Unavailable("provider.unavailable"), "provider.unavailable", {"1.jpg"}),
        ("player", ZeroDivisionError("a bug"), "internal", {"1.jpg"}),
    ],
)
async def test_a_failure_is_refunded_apologised_for_and_leaves_at_most_the_picture(
    bench: SongBench, part: str, error: BaseException, code: str, left: set[str]
) -> None:
    getattr(bench, part).error = error
    await bench.run()
    assert bench.delivery.songs == []
    assert bench.delivery.apologies == [code]
    assert bench.book.lines == ["start 1", "refund 1"]
    assert bench.files() == left


async def test_what_the_providers_were_paid_is_noted_and_stands_in_the_song(bench: SongBench) -> None:
    await bench.run()
    assert [bill.provider for bill in bench.book.bills] == ["reader", "player"]
    assert bench.delivery.songs[0].dollars == pytest.approx(0.75)


async def test_a_take_that_was_kept_before_a_crash_is_not_paid_again(bench: SongBench) -> None:
    crash = bench.delivery.error = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        await bench.run()
    assert crash is not None
    assert bench.player.calls == 1
    bench.delivery.error = None
    await bench.run()
    assert bench.player.calls == 1
    assert len(bench.delivery.songs) == 1


async def test_work_done_elsewhere_is_ordered_and_then_collected(bench: SongBench) -> None:
    far = FarPlayer()
    bench.player = far
    await bench.run()
    assert far.orders == ["1"]
    assert far.calls == 1
    assert bench.delivery.stages[1:4] == [Stage.COMPOSING, "provisioning", Stage.MASTERING]
    assert len(bench.delivery.songs) == 1


async def test_a_song_too_large_for_discord_is_given_as_a_link(bench: SongBench) -> None:
    bench.delivery.largest = 1000
    bench.storage = LinkingFolder(bench.folder)
    await bench.run()
    assert [song.title for song in bench.delivery.songs] == ["Amber Dusk"]
    assert bench.delivery.links == ["https://example.org/songs/1.mp3?as=Amber Dusk.mp3"]


async def test_without_links_a_song_too_large_is_apologised_for(bench: SongBench) -> None:
    bench.delivery.largest = 1000
    await bench.run()
    assert bench.delivery.apologies == ["song.too_large"]
    assert bench.book.lines == ["start 1", "refund 1"]


async def test_an_apology_that_cannot_arrive_still_refunds(bench: SongBench) -> None:
    bench.reader.error = Refused("provider.refused")
    bench.delivery.deaf = True
    await bench.run()
    assert bench.book.lines == ["start 1", "refund 1"]
    assert bench.files() == set()


async def test_a_cancelled_job_is_neither_refunded_nor_apologised_for(bench: SongBench) -> None:
    bench.player.for_ever = True
    task = asyncio.create_task(bench.run())
    async with asyncio.timeout(20):
        while not bench.player.calls:
            await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert bench.book.lines == ["start 1"]
    assert bench.delivery.apologies == []


class AwayFolder(FolderStorage):
    """A folder that cannot be reached for some calls: what is named in `away` says for how many."""

    def __init__(self, folder: Path, **away: float) -> None:
        super().__init__(folder)
        self.away = away

    async def _reached(self, kind: str, key: str) -> None:
        shelf = key.partition("/")[0]
        if self.away.get(f"{kind}_{shelf}", 0) > 0:
            self.away[f"{kind}_{shelf}"] -= 1
            raise Unavailable("storage.unavailable")

    async def save(self, key: str, data: bytes, content_type: str, labels: Mapping[str, str] | None = None) -> None:
        await self._reached("save", key)
        await super().save(key, data, content_type, labels)

    async def load(self, key: str) -> bytes:
        await self._reached("load", key)
        return await super().load(key)


@pytest.mark.parametrize("moment", ["save_takes", "load_takes", "save_songs", "load_pictures"])
async def test_a_storage_that_is_away_for_a_while_costs_no_paid_take(bench: SongBench, moment: str) -> None:
    bench.storage = AwayFolder(bench.folder, **{moment: 4})
    await bench.run()
    assert bench.player.calls == 1
    assert len(bench.delivery.songs) == 1
    assert bench.delivery.apologies == []
    assert list((bench.folder / "spool").iterdir()) == []


async def test_a_take_that_a_crash_kept_from_the_storage_is_not_paid_again(bench: SongBench) -> None:
    class Dies(FolderStorage):
        async def save(self, key: str, data: bytes, content_type: str, labels: Mapping[str, str] | None = None) -> None:
            if key.startswith("takes/"):
                raise asyncio.CancelledError
            await super().save(key, data, content_type, labels)

    bench.storage = Dies(bench.folder)
    with pytest.raises(asyncio.CancelledError):
        await bench.run()
    bench.storage = None
    await bench.run()
    assert bench.player.calls == 1
    assert [song.instruments for song in bench.delivery.songs] == [("organ",)]
    assert list((bench.folder / "spool").iterdir()) == []


async def test_a_storage_that_stays_away_ends_in_one_apology_and_another_try_pays_nothing(bench: SongBench) -> None:
    bench.storage = AwayFolder(bench.folder, save_takes=99)
    await bench.run()
    assert bench.delivery.apologies == ["storage.unavailable"]
    bench.storage = None
    await bench.run()
    assert bench.player.calls == 1
    assert len(bench.delivery.songs) == 1
    assert list((bench.folder / "spool").iterdir()) == []


async def test_a_take_that_is_no_music_fails_at_once(bench: SongBench) -> None:
    class Rubbish(Player):
        async def compose(self, brief: Brief, wish: Wish, provider_context: ProviderContext) -> RawTake:
            return replace(await super().compose(brief, wish, provider_context), audio=b"no music at all")

    counted: list[str] = []

    class Counting(PlainStep):
        async def __call__(
            self,
            name: str,
            model: type[Result],
            work: Callable[[], Awaitable[Result]],
            *,
            tries: int = 1,
            stoppable: bool = False,
        ) -> Result:
            del model, stoppable
            for _ in range(tries):
                try:
                    counted.append(name)
                    return await work()
                except Unavailable:
                    continue
            raise Unavailable("provider.unavailable")

    bench.player = Rubbish()
    await bench.run(step=Counting())
    assert counted.count("master") == 1
    assert bench.delivery.apologies == ["music.failed"]


async def test_a_cap_holds_from_the_order_to_the_end_of_the_run_and_a_failure_ends_the_run(
    bench: SongBench, tmp_path: Path
) -> None:
    engine = connect(f"sqlite:///{tmp_path}/melodify.db")
    upgrade(engine)

    @dataclass
    class Runs(FarPlayer):
        """Runs elsewhere that are counted; the second fails."""

        open: set[str] = field(default_factory=set)
        most: int = 0
        cancelled: list[str] = field(default_factory=list)
        name: str = "pipeline"

        async def commission(self, brief: Brief, wish: Wish, provider_context: ProviderContext) -> Commission:
            self.open.add(provider_context.job_id)
            self.most = max(self.most, len(self.open))
            return await super().commission(brief, wish, provider_context)

        async def collect(self, commission: Commission, provider_context: ProviderContext) -> RawTake:
            del commission
            await asyncio.sleep(0.05)
            if provider_context.job_id == "2":
                raise Unavailable("provider.too_slow")
            self.open.discard(provider_context.job_id)
            return await self.compose(BRIEF, Wish(), provider_context)

        async def cancel(self, commission: Commission) -> None:
            self.cancelled.append(commission.name)
            self.open.discard(commission.name.removeprefix("runs/"))

    bench.player = runs = Runs()
    bench.gate = ProviderGate(engine, {"pipeline": Cap(1, 0, 600.0)}, 30.0)
    await asyncio.gather(*(bench.run(str(number)) for number in range(1, 5)))
    assert runs.most == 1
    assert runs.cancelled == ["runs/2"]
    assert len(bench.delivery.songs) == 3
    assert bench.delivery.apologies == ["provider.too_slow"]
    engine.dispose()
