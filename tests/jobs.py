"""Makes orders and jobs for tests."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from melodify_core.models import Bill, Job, Order, Picture, Place, Posted, Progress, Song, Wish
from melodify_core.ports import ProviderContext


def a_job(job_id: str = "1", user_id: int = 1, **changes: object) -> Job:
    values = {
        "job_id": job_id,
        "user_id": user_id,
        "place": Place(channel_id=10, guild_id=20),
        "wish": Wish(seconds=10),
        "picture_key": f"pictures/{job_id}.jpg",
        "picture_sha256": "0" * 64,
        "picture_width": 4,
        "picture_height": 3,
        "seed": 7,
    }
    return Job.model_validate(values | changes)


def an_order(picture: bytes, job_id: str = "1", user_id: int = 1, seconds: int = 10) -> Order:
    return Order(job_id, user_id, Place(channel_id=10, guild_id=20), picture, Wish(seconds=seconds))


def a_song(job_id: str = "1", **changes: object) -> Song:
    values = {
        "job_id": job_id,
        "title": "Amber Dusk",
        "caption": "Warm light over a dark line.",
        "bpm": 84,
        "key": "E",
        "mode": "minor",
        "instruments": ("felt piano", "cello"),
        "mood": ("calm",),
        "valence": 0.2,
        "arousal": -0.4,
        "genre": "folk",
        "seed": 7,
        "captioner": "palette",
        "composer": "arranger",
        "picture_key": f"pictures/{job_id}.jpg",
        "audio_key": f"songs/{job_id}.mp3",
        "duration_s": 10.0,
        "lufs": -14.0,
        "true_peak_dbtp": -1.2,
        "bitrate_kbps": 192,
        "size_bytes": 240_000,
        "waveform": (50,) * 100,
    }
    return Song.model_validate(values | changes)


POSTED = Posted(channel_id=11, message_id=12)


@dataclass
class PaidCalls:
    """What a provider reported of its paid calls: what each was expected to cost, and how it ended."""

    begun: list[Bill] = field(default_factory=list)
    bills: list[Bill] = field(default_factory=list)
    freed: int = 0
    lost: int = 0

    async def begin(self, bill: Bill) -> "Call":
        self.begun.append(bill)
        return Call(self)


@dataclass(frozen=True)
class Call:
    """One paid call."""

    paid_calls: PaidCalls

    async def billed(self, bill: Bill) -> None:
        self.paid_calls.bills.append(bill)

    async def free(self) -> None:
        self.paid_calls.freed += 1

    def lost(self) -> None:
        self.paid_calls.lost += 1


def a_provider_context(
    job_id: str = "1", seed: int = 7, begun: Callable[[Bill], Awaitable["Call"]] | None = None
) -> ProviderContext:
    """Return the context of a job without a picture that forgets every report; `begun` hears of paid calls."""

    async def picture() -> Picture:
        raise AssertionError("no picture was promised")

    async def progress(reached: Progress) -> None:
        del reached

    return ProviderContext(job_id, seed, "0" * 64, None, picture, begun or PaidCalls().begin, progress)
