"""Which composer plays when the first one cannot: what is paid, what is recorded, what the card says."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from melodify_core.errors import MelodifyError, Refused, Rejected, Unavailable, from_record, to_record
from melodify_core.jobs.context import PlainStep, Result
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Bill, Brief, Commission, PendingPost, RawTake, Wish
from melodify_core.ports import ProviderContext
from tests.fakes import FarPlayer, Player, RecordingDelivery, SongBench
from tests.jobs import a_job
from tests.sounds import chords, wav


@dataclass
class Failing(Player):
    """A composer that fails before it is paid, after, or with an end that nobody knows."""

    name: str = "first"
    bill: str = "free"

    async def compose(self, brief: Brief, wish: Wish, provider_context: ProviderContext) -> RawTake:
        del brief, wish
        self.calls += 1
        assert self.error is not None
        bill = Bill(provider=self.name, model="m", dollars=0.5)
        call = await provider_context.begun(bill)
        match self.bill:
            case "free":
                await call.free()
            case "lost":
                call.lost()
            case _:
                await call.billed(bill)
        raise self.error


@pytest.fixture
def bench(tmp_path: Path, pool: WorkerPool) -> SongBench:
    bench = SongBench(tmp_path, pool, prices={"first": 0.5, "second": 0.5, "third": 0.0})
    bench.player = Failing(Unavailable("provider.exhausted"))
    bench.fallbacks = (Player(name="second"),)
    return bench


AWAY = ["unavailable", "too_slow", "busy", "exhausted", "misconfigured"]
CANNOT: list[MelodifyError] = [
    *(Unavailable(f"provider.{name}") for name in AWAY),  # type: ignore[arg-type]  # all of them are codes
    Unavailable("music.failed"),
    Refused("music.blocked"),
    Refused("provider.refused"),
    Rejected("limit.budget", retry_at=1),
    Rejected("limit.guild_budget", retry_at=1),
]


@pytest.mark.parametrize("error", CANNOT, ids=lambda error: error.code)
async def test_where_the_first_cannot_the_next_plays_and_the_song_says_so(
    bench: SongBench, error: MelodifyError
) -> None:
    bench.player.error = error
    await bench.run()
    (song,) = bench.delivery.songs
    assert (song.composer, song.instead_of) == ("second", "first")
    assert bench.delivery.apologies == []
    assert bench.book.lines == ["start 1", "record 1"]


async def test_where_the_first_can_nobody_else_is_asked(bench: SongBench) -> None:
    bench.player = Player(name="first")
    await bench.run()
    (song,) = bench.delivery.songs
    assert (song.composer, song.instead_of) == ("first", "")
    assert bench.fallbacks[0].calls == 0


@pytest.mark.parametrize(
    "error", [Unavailable("storage.unavailable"), Rejected("job.cancelled"), ZeroDivisionError()], ids=repr
)
async def test_what_is_not_the_composer_s_fault_is_no_reason_to_change_it(
    bench: SongBench, error: BaseException
) -> None:
    bench.player.error = error
    await bench.run()
    assert bench.delivery.songs == []
    assert bench.fallbacks[0].calls == 0


@pytest.mark.parametrize("bill", ["lost", "billed"])
async def test_after_a_call_that_may_be_billed_only_a_free_composer_plays(bench: SongBench, bill: str) -> None:
    bench.player = Failing(Unavailable("provider.too_slow"), bill=bill)
    bench.fallbacks = (Player(name="second"), Player(name="third"))
    await bench.run()
    (song,) = bench.delivery.songs
    assert (song.composer, song.instead_of) == ("third", "first")
    assert bench.fallbacks[0].calls == 0


async def test_a_call_that_a_restart_interrupted_counts_as_paid(bench: SongBench) -> None:
    bench.player = Failing(asyncio.CancelledError(), bill="lost")
    step = Recorded()
    with pytest.raises(asyncio.CancelledError):
        await bench.run(step=step)
    bench.player = Failing(Unavailable("provider.busy"), bill="free")
    bench.fallbacks = (Player(name="second"), Player(name="third"))
    await bench.run(step=step.again())
    assert bench.fallbacks[0].calls == 0
    assert bench.delivery.songs[0].composer == "third"


async def test_without_a_free_composer_the_first_one_s_error_is_told(bench: SongBench) -> None:
    bench.player = Failing(Unavailable("provider.too_slow"), bill="lost")
    await bench.run()
    assert bench.delivery.apologies == ["provider.too_slow"]
    assert bench.fallbacks[0].calls == 0


async def test_where_nobody_can_the_last_error_is_told(bench: SongBench) -> None:
    bench.fallbacks = (Failing(Unavailable("provider.busy"), name="second"),)
    await bench.run()
    assert bench.delivery.apologies == ["provider.busy"]
    assert bench.book.lines == ["start 1", "refund 1"]


async def test_a_composer_elsewhere_follows_and_is_followed(bench: SongBench) -> None:
    class Lost(FarPlayer):
        async def collect(self, commission: Commission, provider_context: ProviderContext) -> RawTake:
            del commission, provider_context
            raise Unavailable("music.failed")

        async def cancel(self, commission: Commission) -> None:
            cancelled.append(commission.name)

    cancelled: list[str] = []
    bench.player = Lost(name="first")
    bench.fallbacks = (FarPlayer(name="second"),)
    await bench.run()
    (song,) = bench.delivery.songs
    assert (song.composer, song.instead_of) == ("second", "first")
    assert cancelled == ["runs/1"]


@dataclass
class Recorded(PlainStep):
    """What a durable engine does: it returns what is recorded, and refuses another step than the recorded one."""

    records: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    at: int = 0
    dies_after: str = ""  # the step whose work is done and not recorded

    async def __call__(
        self,
        name: str,
        model: type[Result],
        work: Callable[[], Awaitable[Result]],
        *,
        tries: int = 1,
        stoppable: bool = False,
    ) -> Result:
        del tries, stoppable
        if self.at == len(self.records):
            try:
                record = {"result": (await work()).model_dump(mode="json")}
            except MelodifyError as error:
                record = {"failed": to_record(error)}
            if name == self.dies_after:
                raise asyncio.CancelledError
            self.records.append((name, record))
        known, record = self.records[self.at]
        assert known == name, f"{name} where {known} is recorded"
        self.at += 1
        if failure := record.get("failed"):
            raise from_record(failure)
        return model.model_validate(record["result"])

    async def recorded(self) -> list[str]:
        return [name for name, _ in self.records]

    def again(self) -> "Recorded":
        return Recorded(self.records)


async def test_a_restart_asks_nobody_again_who_has_answered(bench: SongBench) -> None:
    bench.player = Failing(Unavailable("provider.too_slow"), bill="lost")
    dying = Failing(asyncio.CancelledError(), name="third")
    bench.fallbacks = (Player(name="second"), dying)
    step = Recorded()
    with pytest.raises(asyncio.CancelledError):
        await bench.run(step=step)
    bench.fallbacks = (bench.fallbacks[0], Player(name="third"))
    await bench.run(step=step.again())
    assert [name for name, _ in step.records] == ["caption", "compose", "compose 3", "master", "deliver"]
    assert (bench.player.calls, bench.fallbacks[0].calls, bench.fallbacks[1].calls) == (1, 0, 1)
    assert bench.delivery.songs[0].composer == "third"


async def test_a_job_of_an_earlier_version_goes_on_as_it_began(bench: SongBench) -> None:
    """Its record names no composers, and has a failed take and perhaps an apology: no other composer is asked."""
    step = Recorded()
    second, bench.fallbacks = bench.fallbacks, ()
    await bench.run(step=step)
    assert [name for name, _ in step.records] == ["caption", "compose", "apologise"]

    # An update: the settings name a second composer, the job's record none.
    updated = SongBench(bench.folder, bench.pool, bench.reader, bench.player, RecordingDelivery(), bench.book)
    updated.fallbacks, updated.names = second, ()
    await updated.run(step=step.again())
    assert updated.delivery.songs == []
    assert second[0].calls == 0


NAMES = ("first", "second", "third")


@pytest.mark.parametrize("asks", [False, True])
async def test_a_fallback_goes_on_although_the_settings_changed_meanwhile(bench: SongBench, asks: bool) -> None:
    bench.names = NAMES
    bench.fallbacks = (Failing(asyncio.CancelledError(), name="second"), Player(name="third"))
    step = Recorded()
    with pytest.raises(asyncio.CancelledError):
        await bench.run(step=step)
    bench.player, bench.fallbacks = Player(name="second"), ()
    bench.asks = asks  # a job that asks ends with the first failure
    await bench.run(step=step.again())
    if asks:
        assert bench.delivery.offers == ["second"]
        return
    assert [name for name, _ in step.records] == ["caption", "compose", "compose 2", "master", "deliver"]
    (song,) = bench.delivery.songs
    assert (song.composer, song.instead_of) == ("second", "first")


async def test_a_paid_take_becomes_a_song_although_its_composer_was_switched_off_meanwhile(bench: SongBench) -> None:
    bench.names = ("first", "second")
    bench.player = Player(name="first")
    bench.delivery.error = asyncio.CancelledError()
    step = Recorded()
    with pytest.raises(asyncio.CancelledError):
        await bench.run(step=step)
    bench.delivery.error = None
    bench.player, bench.fallbacks = Player(name="second"), ()
    step.records = step.records[:2]  # the mastering, too, was interrupted
    await bench.run(step=step.again())
    (song,) = bench.delivery.songs
    assert (song.composer, song.instead_of) == ("first", "")
    assert bench.player.calls == 0


async def test_where_all_composers_were_switched_off_another_one_plays_unless_something_was_paid(
    bench: SongBench,
) -> None:
    bench.names = ("first", "second")
    bench.fallbacks = (Failing(asyncio.CancelledError(), name="second"),)
    step = Recorded()
    with pytest.raises(asyncio.CancelledError):
        await bench.run(step=step)
    bench.player, bench.fallbacks = Player(name="other"), ()
    await bench.run(step=step.again())
    assert [name for name, _ in step.records][1:3] == ["compose", "compose 3"]
    assert bench.delivery.songs[0].composer == "other"


@pytest.mark.parametrize("now", ["free", "paid"])
async def test_a_composer_that_was_switched_off_in_its_paid_call_counts_as_paid(bench: SongBench, now: str) -> None:
    bench.names = NAMES
    bench.player = Failing(asyncio.CancelledError(), bill="lost")
    step = Recorded()
    with pytest.raises(asyncio.CancelledError):
        await bench.run(step=step)
    bench.player = Player(name="second")
    bench.fallbacks = (Player(name="third"),) if now == "free" else ()
    await bench.run(step=step.again())
    assert bench.player.calls == 0
    assert [song.composer for song in bench.delivery.songs] == (["third"] if now == "free" else [])
    assert bench.delivery.apologies == ([] if now == "free" else ["provider.misconfigured"])


@pytest.mark.parametrize("names", [("first",), ("first", "second")])
async def test_a_composer_elsewhere_that_was_switched_off_is_followed(bench: SongBench, names: tuple[str, ...]) -> None:
    class Lost(FarPlayer):
        async def collect(self, commission: Commission, provider_context: ProviderContext) -> RawTake:
            del commission, provider_context
            raise asyncio.CancelledError

    bench.names, bench.name = (names, "") if len(names) > 1 else ((), "first")
    bench.player, bench.fallbacks = Lost(name="first"), ()
    step = Recorded()
    with pytest.raises(asyncio.CancelledError):
        await bench.run(step=step)
    bench.player = Player(name="second")
    await bench.run(step=step.again())
    assert bench.delivery.apologies == []
    assert [name for name, _ in step.records][:4] == ["caption", "commission", "compose", "compose 2"]
    (song,) = bench.delivery.songs
    assert (song.composer, song.instead_of) == ("second", "first")


async def test_a_job_that_had_its_apology_plays_nothing_after_the_settings_changed(bench: SongBench) -> None:
    bench.names, bench.name, bench.fallbacks = (), "first", ()
    step = Recorded()
    await bench.run(step=step)
    bench.player = Player(name="second")
    await bench.run(step=step.again())
    assert bench.player.calls == 0
    assert bench.delivery.apologies == ["provider.exhausted"]


@dataclass
class Free(Player):
    """A composer that costs nothing."""

    async def compose(self, brief: Brief, wish: Wish, provider_context: ProviderContext) -> RawTake:
        del brief, wish, provider_context
        self.calls += 1
        return RawTake(wav(chords(3)), "audio/wav")


@dataclass
class Useless(Player):
    """A composer that is paid and returns what is no music."""

    name: str = "first"
    sound: bytes = b"This is no sound."

    async def compose(self, brief: Brief, wish: Wish, provider_context: ProviderContext) -> RawTake:
        return replace(await super().compose(brief, wish, provider_context), audio=self.sound)


SILENCE = wav(np.zeros((2 * 44100, 2)))


@pytest.mark.parametrize("sound", [b"This is no sound.", SILENCE], ids=["garbage", "silence"])
async def test_after_a_paid_sound_that_is_no_music_the_next_free_composer_plays(bench: SongBench, sound: bytes) -> None:
    bench.player = Useless(sound=sound)
    bench.fallbacks = (Player(name="second"), Free(name="third"))
    step = Recorded()
    await bench.run(step=step)
    (song,) = bench.delivery.songs
    assert (song.composer, song.instead_of) == ("third", "first")
    assert bench.fallbacks[0].calls == 0
    assert song.duration_s == pytest.approx(3, abs=0.1)
    assert [name for name, _ in step.records] == ["caption", "compose", "master", "compose 3", "master", "deliver"]
    await bench.run(step=step.again())
    assert bench.fallbacks[1].calls == 1


async def test_a_useless_free_sound_is_followed_by_one_that_is_paid(bench: SongBench) -> None:
    class Cheap(Useless, Free): ...

    bench.player = Cheap(name="third")
    bench.fallbacks = (Player(name="second"),)
    await bench.run()
    assert bench.delivery.songs[0].composer == "second"


async def test_without_a_free_composer_a_useless_sound_ends_the_job(bench: SongBench) -> None:
    bench.player = Useless()
    await bench.run()
    assert bench.delivery.apologies == ["music.failed"]
    assert bench.fallbacks[0].calls == 0


async def test_a_member_who_is_to_be_asked_is_asked_after_a_useless_sound_too(bench: SongBench) -> None:
    bench.asks = True
    bench.player = Useless()
    bench.fallbacks = (Free(name="third"),)
    await bench.run()
    assert bench.delivery.offers == ["third"]
    # Without the take: the other composer would find it.
    assert bench.files() == {"1.jpg"}


async def test_a_restart_keeps_what_the_next_composer_has_stored_after_a_useless_sound(bench: SongBench) -> None:
    class Cheap(Useless, Free): ...

    bench.player = Cheap(name="third")
    bench.fallbacks = (Player(name="second"),)
    step = Recorded(dies_after="compose 2")
    with pytest.raises(asyncio.CancelledError):
        await bench.run(step=step)
    await bench.run(step=step.again())
    assert bench.delivery.songs[0].composer == "second"
    assert bench.fallbacks[0].calls == 1


async def test_a_member_who_is_to_be_asked_gets_an_offer_and_the_picture_is_kept(bench: SongBench) -> None:
    bench.asks = True
    bench.player.error = Refused("music.blocked")
    step = Recorded()
    await bench.run(step=step)
    assert bench.delivery.songs == []
    assert bench.fallbacks[0].calls == 0
    assert bench.delivery.offers == ["second"]
    assert bench.files() == {"1.jpg"}


async def test_nothing_is_offered_that_would_be_paid_twice(bench: SongBench) -> None:
    bench.asks = True
    bench.player = Failing(Unavailable("provider.too_slow"), bill="lost")
    await bench.run()
    assert bench.delivery.offers == [""]


async def test_a_used_up_budget_ends_no_job_that_somebody_plays_for_nothing(bench: SongBench) -> None:
    def refuse(job_id: str, now: float) -> bool:
        del job_id, now
        raise Rejected("limit.budget", retry_at=1)

    bench.book.start = refuse  # type: ignore[method-assign]  # the ledger refuses
    await bench.run()
    assert bench.delivery.apologies == ["limit.budget"]
    bench.fallbacks = (Player(name="third"),)
    await bench.run()
    assert bench.delivery.songs[0].composer == "third"


def test_a_pending_apology_keeps_its_offer() -> None:
    error = Unavailable("provider.exhausted", instead="arranger", paid=1)
    pending = PendingPost.model_validate_json(PendingPost(job=a_job(), error=to_record(error)).model_dump_json())
    assert from_record(pending.error or {}).values == {"instead": "arranger", "paid": 1}
