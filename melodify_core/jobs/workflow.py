"""The straight line from a stored picture to a delivered song. Plain functions: the engine makes each step durable."""

import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, cast

from melodify_core.errors import MelodifyError, Refused, Rejected, Unavailable
from melodify_core.jobs import completion, paid_calls
from melodify_core.jobs.context import JobContext, Step, fetch, found, show, store, with_db_retry
from melodify_core.media import audio
from melodify_core.models import Bill, Brief, Commission, Job, Mastered, Picture, Progress, RawTake, Song, Stage, Take
from melodify_core.observability.log_context import asking, stage_span
from melodify_core.ports import CommissioningComposer, PaidCall, ProviderContext
from melodify_core.providers import Providers
from melodify_core.storage.layout import midi_key, song_key, take_keys
from melodify_core.threads import finished, unbroken
from melodify_core.usage.pseudonym import pseudonym

log = logging.getLogger(__name__)
# The picture and the text travel in the same message as the audio.
MESSAGE_BYTES = 512 * 1024
STORAGE_TRIES = 3


async def make_song(job: Job, step: Step, context: JobContext) -> None:
    """Bring the job to its end: a delivered song, or an apology and a refund. Raises only when interrupted."""
    try:
        if not await with_db_retry(context.ledger.start, job.job_id, time.time()):
            # Cancelled while it waited, by somebody who could not tell its asker, or was interrupted before.
            await completion.fail_job(job, context, step, Rejected(completion.CANCELLED))
            return
        await _make(job, context, step)
    except MelodifyError as error:
        log.warning("job %s failed: %s", job.job_id, error, exc_info=error.__cause__)
        await completion.fail_job(job, context, step, error)
    except Exception:  # the job's boundary: whatever went wrong, the asker hears of it and pays nothing
        log.exception("job %s failed", job.job_id)
        await completion.fail_job(job, context, step, Unavailable("internal"))


async def _make(job: Job, context: JobContext, step: Step) -> None:
    with stage_span(Stage.LOOKING):
        reading = await _reading(job, context, step)
    with stage_span(Stage.COMPOSING):
        take = await _take(job, reading, context, step)
    with stage_span(Stage.MASTERING):
        # The take is paid: a storage that hiccups must not cost it.
        work = partial(_master, job, reading, take, context)
        song = await step("master", Song, work, tries=STORAGE_TRIES, stoppable=True)
    with stage_span(Stage.DELIVERING):
        await completion.deliver(job, song, context, step)


async def _reading(job: Job, context: JobContext, step: Step) -> Brief:
    # Another take pays for its music only.
    if job.brief is not None:
        return job.brief
    with context.paid.underway.holding(job.job_id):
        return await step("caption", Brief, lambda: _caption(job, context), stoppable=True)


async def _caption(job: Job, context: JobContext) -> Brief:
    # Each stage is shown inside its step: when a job is taken up again after a crash, what was done is not shown anew.
    # A line about an early stage would stand in place of the apology, or of the song's link, for good.
    await show(job, Stage.LOOKING, context)
    picture = await _picture(job, context)
    async with context.paid.gate(context.providers.captioner.name, job.job_id):
        with asking(context.providers.captioner.name):
            return await context.providers.captioner.caption(
                picture, job.wish, _provider_context(job, context, once=True)
            )


async def _picture(job: Job, context: JobContext) -> Picture:
    jpeg = await fetch(context, job.picture_key)
    return Picture(jpeg, job.picture_width, job.picture_height, job.picture_sha256)


def _provider_context(job: Job, context: JobContext, *, once: bool) -> ProviderContext:
    """Return the provider's view of the job. What it does `once` cannot be asked for again: a stop waits for that."""

    async def begun(bill: Bill) -> PaidCall:
        if once:
            context.paid.underway.begin(job.job_id)
        return await paid_calls.begin(job.job_id, bill, context.ledger)

    async def progress(reached: Progress) -> None:
        await context.delivery.show_stage(job, Stage.COMPOSING, reached)

    return ProviderContext(
        job_id=job.job_id,
        seed=job.seed,
        asker=pseudonym(job.user_id, context.salt),
        guild_id=job.place.guild_id,
        picture=lambda: _picture(job, context),
        begun=begun,
        progress=progress,
        adult=job.place.adult,
    )


async def _take(job: Job, reading: Brief, context: JobContext, step: Step) -> Take:
    """Have the music made: in one step, or ordered in one and collected in the next."""
    composer = context.providers.composer
    if not isinstance(composer, CommissioningComposer):
        work = partial(composer.compose, reading, job.wish, _provider_context(job, context, once=True))
        with context.paid.underway.holding(job.job_id):
            return await step("compose", Take, lambda: _compose_and_store(job, context, work), stoppable=True)
    provider_context = _provider_context(job, context, once=False)
    ordered: list[Commission] = []

    async def order() -> Commission:
        ordered.append(await composer.commission(reading, job.wish, provider_context))
        return ordered[-1]

    try:
        commission = await step("commission", Commission, lambda: _ordered(job, context, order), stoppable=True)
        ordered.clear()
        return await _collected(job, commission, context, step)
    except MelodifyError:
        # Cancelled while it was being ordered.
        for unheard in ordered:
            await _stop(composer, unheard, job)
        # An interruption is no end: the job goes on, and its run with it.
        await context.paid.gate.leave(composer.name, job.job_id)
        raise


async def _ordered(job: Job, context: JobContext, order: Callable[[], Coroutine[Any, Any, Commission]]) -> Commission:
    """Order the work; from then on it holds a place, until it is collected.

    Cancelled, it hears the answer first: what was ordered must be known, or it could not be stopped.
    """
    await context.paid.gate.enter(context.providers.composer.name, job.job_id)
    return await unbroken(order())


async def _collected(job: Job, commission: Commission, context: JobContext, step: Step) -> Take:
    composer = cast("CommissioningComposer", context.providers.composer)
    collect = partial(composer.collect, commission, _provider_context(job, context, once=False))
    try:
        return await step(
            "compose", Take, lambda: _compose_and_store(job, context, collect, begun=True), stoppable=True
        )
    except MelodifyError:
        # Nobody waits for it any more.
        await _stop(composer, commission, job)
        raise


async def _stop(composer: CommissioningComposer, commission: Commission, job: Job) -> None:
    try:
        await composer.cancel(commission)
    except MelodifyError as error:
        log.warning("job %s: %s goes on: %s", job.job_id, commission.name, error)


async def _compose_and_store(
    job: Job, context: JobContext, work: Callable[[], Awaitable[RawTake]], *, begun: bool = False
) -> Take:
    """Do the work, which may have begun elsewhere, and keep its take inside the step: it is paid for.

    It lies on this machine's disk until the storage has it, and is stored before the step counts as done. The note is
    written last. Where one of them is there already, a crash fell between, and nothing is paid again.
    """
    await show(job, Stage.COMPOSING, context)
    key, note = take_keys(job.job_id)
    spool = context.paid.spool
    if await found(context, note):
        if spool:
            await finished(spool.drop, job.job_id)  # a crash may have left it
        return Take.model_validate_json(await fetch(context, note))
    raw = await finished(spool.get, job.job_id) if spool else None
    if raw is None:
        async with context.paid.gate(context.providers.composer.name, job.job_id, begun=begun):
            with asking(context.providers.composer.name):
                raw = await work()
            if spool:
                await finished(spool.put, job.job_id, raw)
    take = _described(key, raw)
    labels = labels_of(job, context.salt)
    await store(context, key, raw.audio, raw.content_type, labels)
    if raw.midi is not None:
        await store(context, midi_key(job.job_id), raw.midi, "audio/midi", labels)
    await store(context, note, take.model_dump_json().encode(), "application/json", labels)
    if spool:
        await finished(spool.drop, job.job_id)
    return take


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


async def _master(job: Job, reading: Brief, take: Take, context: JobContext) -> Song:
    await show(job, Stage.MASTERING, context)
    raw = await fetch(context, take.key_in_storage)
    cover = await fetch(context, job.picture_key)
    work = partial(
        audio.master, raw, title=reading.title, cover_jpeg=cover, max_bytes=job.place.max_bytes - MESSAGE_BYTES
    )
    try:
        mastered = await context.pool.run(context.song.master_deadline_s, work)
    except Unavailable as error:
        if error.code != "provider.unavailable":
            raise
        # It is no music, and will be none at the next try.
        raise Refused("music.failed") from error
    await store(context, song_key(job.job_id), mastered.audio, "audio/mpeg", labels_of(job, context.salt))
    dollars = await with_db_retry(context.ledger.spent, job.job_id)
    return _song_of(job, reading, take, mastered, dollars, context.providers)


def _song_of(job: Job, reading: Brief, take: Take, mastered: Mastered, dollars: float, providers: Providers) -> Song:
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
        captioner=providers.captioner.name,
        composer=providers.composer.name,
        picture_key=job.picture_key,
        audio_key=song_key(job.job_id),
        dollars=dollars,
        duration_s=mastered.duration_s,
        lufs=mastered.lufs,
        true_peak_dbtp=mastered.true_peak_dbtp,
        bitrate_kbps=mastered.bitrate_kbps,
        size_bytes=len(mastered.audio),
        waveform=mastered.waveform,
        brief=reading,
        wish=job.wish,
        model=take.model,
        parent_id=job.parent_id,
    )
