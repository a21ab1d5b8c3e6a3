"""The straight line from a stored picture to a delivered song. Plain functions: the engine makes each step durable."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from pydantic import BaseModel

from melodify_core import audio
from melodify_core.errors import MelodifyError, Rejected, Unavailable
from melodify_core.models import Bill, Brief, Commission, Job, Picture, Posted, Progress, RawTake, Song, Stage, Take
from melodify_core.ports import Captioner, CommissioningComposer, Composer, Delivery, Errand, Ledger, Storage
from melodify_core.pseudonym import pseudonym
from melodify_core.settings import SongSettings
from melodify_core.workshop import Workshop

log = logging.getLogger(__name__)
Result = TypeVar("Result", bound=BaseModel)
DELIVERY_TRIES = 4
# The picture and the text travel in the same message as the audio.
MESSAGE_BYTES = 512 * 1024


@dataclass(frozen=True, slots=True)
class Parts:
    """What the line is made of."""

    captioner: Captioner
    composer: Composer | CommissioningComposer
    storage: Storage
    delivery: Delivery
    ledger: Ledger
    workshop: Workshop
    song: SongSettings
    salt: bytes = b""


class Step(Protocol):
    """Runs one step and returns its result; a durable one returns the recorded result when the job is repeated."""

    async def __call__(
        self, name: str, model: type[Result], work: Callable[[], Awaitable[Result]], *, tries: int = 1
    ) -> Result:
        """Raises what `work` raised. With `tries`, Unavailable is tried again after a pause."""
        ...


async def plain_step(
    name: str, model: type[Result], work: Callable[[], Awaitable[Result]], *, tries: int = 1
) -> Result:
    """The Step that records nothing: for one song at once."""
    del name, model, tries  # whoever waits in front of a terminal tries again himself
    return await work()


class Nothing(BaseModel):
    """The result of a step that only has an effect."""


async def make_song(job: Job, step: Step, parts: Parts) -> None:
    """Bring the job to its end: a delivered song, or an apology and a refund. Raises only when cancelled."""
    try:
        await _line(job, parts, step)
    except MelodifyError as error:
        log.warning("job %s failed: %s", job.job_id, error, exc_info=error.__cause__)
        await _give_up(job, parts, step, error)
    except Exception:  # the job's boundary: whatever went wrong, the asker hears of it and pays nothing
        log.exception("job %s failed", job.job_id)
        await _give_up(job, parts, step, Unavailable("internal"))


async def _line(job: Job, parts: Parts, step: Step) -> None:
    await asyncio.to_thread(parts.ledger.start, job.job_id)
    await parts.delivery.show_stage(job, Stage.LOOKING)
    reading = await step("caption", Brief, lambda: _caption(job, parts))
    await parts.delivery.show_stage(job, Stage.COMPOSING)
    take = await _take(job, reading, parts, step)
    await parts.delivery.show_stage(job, Stage.MASTERING)
    song = await step("master", Song, lambda: _master(job, reading, take, parts))
    await parts.delivery.show_stage(job, Stage.DELIVERING)
    await step("deliver", Posted, lambda: _deliver(job, song, parts), tries=DELIVERY_TRIES)
    await _tidy(parts.storage, *_take_keys(job))


async def _caption(job: Job, parts: Parts) -> Brief:
    return await parts.captioner.caption(await _picture(job, parts), job.wish, _errand(job, parts))


async def _picture(job: Job, parts: Parts) -> Picture:
    jpeg = await parts.storage.load(job.picture_key)
    return Picture(jpeg, job.picture_width, job.picture_height, job.picture_sha256)


def _errand(job: Job, parts: Parts) -> Errand:
    async def spent(bill: Bill) -> None:
        log.info("job %s: %s %s, $%.5f", job.job_id, bill.provider, bill.model, bill.dollars)
        await asyncio.to_thread(parts.ledger.spend, job.job_id, bill, time.time())

    async def progress(reached: Progress) -> None:
        await parts.delivery.show_stage(job, Stage.COMPOSING, reached)

    return Errand(
        job_id=job.job_id,
        seed=job.seed,
        asker=pseudonym(job.user_id, parts.salt),
        guild_id=job.place.guild_id,
        picture=lambda: _picture(job, parts),
        spent=spent,
        progress=progress,
    )


async def _take(job: Job, reading: Brief, parts: Parts, step: Step) -> Take:
    """Have the music made: in one step, or ordered in one and collected in the next."""
    composer, errand = parts.composer, _errand(job, parts)
    if not isinstance(composer, CommissioningComposer):
        return await step(
            "compose", Take, lambda: _kept(job, parts, lambda: composer.compose(reading, job.wish, errand))
        )
    commission = await step("commission", Commission, lambda: composer.commission(reading, job.wish, errand))
    return await step("compose", Take, lambda: _kept(job, parts, lambda: composer.collect(commission, errand)))


async def _kept(job: Job, parts: Parts, work: Callable[[], Awaitable[RawTake]]) -> Take:
    """Do the work and keep its take, inside the step: what was paid for is safe before the step counts as done.

    The note is written last. Where it stands already, a crash fell between it and the step's record, and nothing is
    paid again.
    """
    key, note = _take_keys(job)
    if await parts.storage.find(note):
        return Take.model_validate_json(await parts.storage.load(note))
    raw = await work()
    take = _described(key, raw)
    await parts.storage.save(key, raw.audio, raw.content_type, labels_of(job, parts.salt))
    await parts.storage.save(note, take.model_dump_json().encode(), "application/json", labels_of(job, parts.salt))
    return take


def _take_keys(job: Job) -> tuple[str, str]:
    return f"takes/{job.job_id}", f"takes/{job.job_id}.json"


def labels_of(job: Job, salt: bytes) -> dict[str, str]:
    """Return whose a stored file is, for those who look into the storage."""
    return {"job": job.job_id, "guild": str(job.place.guild_id or ""), "user": pseudonym(job.user_id, salt)}


def _described(key: str, raw: RawTake) -> Take:
    return Take(
        key_in_storage=key,
        content_type=raw.content_type,
        bpm=raw.bpm,
        key=raw.key,
        mode=raw.mode,
        instruments=raw.instruments,
        model=raw.model,
    )


async def _master(job: Job, reading: Brief, take: Take, parts: Parts) -> Song:
    raw = await parts.storage.load(take.key_in_storage)
    cover = await parts.storage.load(job.picture_key)
    work = partial(
        audio.master, raw, title=reading.title, cover_jpeg=cover, max_bytes=job.place.max_bytes - MESSAGE_BYTES
    )
    mastered = await parts.workshop.run(parts.song.master_deadline_s, work)
    key = f"songs/{job.job_id}.mp3"
    await parts.storage.save(key, mastered.audio, "audio/mpeg", labels_of(job, parts.salt))
    dollars = await asyncio.to_thread(parts.ledger.spent, job.job_id)
    return Song(
        job_id=job.job_id,
        title=reading.title,
        caption=reading.caption,
        # What the composer says it played stands above what was asked of it.
        bpm=take.bpm or reading.bpm,
        key=take.key,
        mode=take.mode or reading.mode,
        instruments=take.instruments or reading.instruments,
        mood=reading.mood,
        valence=reading.valence,
        arousal=reading.arousal,
        genre=reading.genre,
        seed=job.seed,
        captioner=parts.captioner.name,
        composer=parts.composer.name,
        picture_key=job.picture_key,
        audio_key=key,
        dollars=dollars,
        duration_s=mastered.duration_s,
        lufs=mastered.lufs,
        true_peak_dbtp=mastered.true_peak_dbtp,
        bitrate_kbps=mastered.bitrate_kbps,
        size_bytes=len(mastered.audio),
        waveform=mastered.waveform,
    )


async def _deliver(job: Job, song: Song, parts: Parts) -> Posted:
    sound = await parts.storage.load(song.audio_key)
    picture = await parts.storage.load(song.picture_key)
    async with _deadline(parts.song.deliver_deadline_s):
        posted = await _post(job, song, sound, picture, parts)
    await asyncio.to_thread(parts.ledger.keep, job, song, posted, time.time())
    return posted


async def _post(job: Job, song: Song, sound: bytes, picture: bytes, parts: Parts) -> Posted:
    """Post the song; where it does not fit, a link to it."""
    try:
        return await parts.delivery.deliver(job, song, sound, picture)
    except Rejected as error:
        if error.code != "song.too_large":
            raise
        link = await parts.storage.link(song.audio_key, f"{song.title}.mp3")
        if link is None:
            raise
    return await parts.delivery.deliver(job, song, link, picture)


async def _give_up(job: Job, parts: Parts, step: Step, error: MelodifyError) -> None:
    """Refund, apologise, leave nothing behind. Its own failures only reach the log: nobody is left to tell."""
    await step("refund", Nothing, lambda: _refund(job, parts))
    try:
        await step("apologise", Nothing, lambda: _apologise(job, parts, error), tries=DELIVERY_TRIES)
    except MelodifyError as second:
        log.warning("job %s: the apology did not arrive: %s", job.job_id, second)
    await _tidy(parts.storage, job.picture_key, *_take_keys(job), f"songs/{job.job_id}.mp3")


async def _refund(job: Job, parts: Parts) -> Nothing:
    await asyncio.to_thread(parts.ledger.refund, job.job_id)
    return Nothing()


async def _apologise(job: Job, parts: Parts, error: MelodifyError) -> Nothing:
    async with _deadline(parts.song.deliver_deadline_s):
        await parts.delivery.apologise(job, error)
    return Nothing()


async def _tidy(storage: Storage, *keys: str) -> None:
    for key in keys:
        try:
            await storage.delete(key)
        except MelodifyError as error:
            log.warning("%s was not deleted: %s", key, error)


@asynccontextmanager
async def _deadline(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise Unavailable("provider.too_slow") from error
