"""The end of a job: the song is posted, or the apology; what cannot be posted at once is tried again for hours."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from melodify_core.errors import Code, MelodifyError, Rejected, Unavailable, from_record, to_record
from melodify_core.jobs.context import JobContext, Nothing, Step, show, with_db_retry
from melodify_core.models import AcceptedOrder, Job, PendingPost, Posted, Song, Stage, Wish
from melodify_core.observability.log_context import ended, log_context
from melodify_core.ports import Delivery
from melodify_core.storage.layout import keys_of, midi_key, song_key, take_keys, tidy
from melodify_core.threads import finished

log = logging.getLogger(__name__)
QUICK_TRIES = 4
APOLOGY_DEADLINE_S = 30.0
CANCELLED: Code = "job.cancelled"
# Before a pending is posted again: soon at first, in the end every quarter of an hour, six hours in all. A fixed list,
# because the names of the recorded steps count along it.
PAUSES_S = (30.0, 60.0, 120.0, 240.0, 450.0, *(900.0,) * 23)
# The song is there: whoever looks at its status message must not wait long.
LINE_PAUSES_S = (1.0, 4.0, 16.0, *PAUSES_S)


async def deliver(job: Job, song: Song, context: JobContext, step: Step) -> None:
    """Post the song, now or later. Raises Rejected, and Unavailable where there is no later."""
    try:
        posted = await step("deliver", Posted, lambda: _deliver(job, song, context), tries=QUICK_TRIES)
        settled = await _settle(job, song, posted, context)
    except Unavailable as error:
        if not await step.defer_post(PendingPost(job=job, song=song)):
            raise
        log.warning("job %s: the song waits to be posted: %s", job.job_id, error)
        return
    except Rejected as error:
        if error.code != CANCELLED:
            raise
        await fail_job(job, context, step, error, recalls=True)
        return
    if not settled:
        # Posting it again finds the post, and writes the song down then; else it would be taken for lost one day.
        await step.defer_post(PendingPost(job=job, song=song))
    elif posted.line_open:
        await _close_later(job, song, posted, step)


async def _close_later(job: Job, song: Song, posted: Posted, step: Step) -> None:
    try:
        await step.defer_post(PendingPost(job=job, song=song, posted=posted))
    except Exception:  # nothing may undo a song that its asker has
        log.exception("job %s: its status message does not tell of the song", job.job_id)


async def _settle(job: Job, song: Song, posted: Posted, context: JobContext) -> bool:
    """Write the song down and charge it; False when that failed: it is posted by now, and must not be taken back.

    Raises Rejected("job.cancelled") for one that was cancelled in the meantime: that one must be.
    """
    try:
        kept = await with_db_retry(context.ledger.record_song, job, song, posted, time.time())
    except Exception:  # nothing may undo a song that its asker has
        log.exception("job %s: the song is posted, but could not be written down", job.job_id)
        return False
    if not kept:
        raise Rejected(CANCELLED)
    ended("song")
    await tidy(context.providers.storage, *take_keys(job.job_id))
    return True


async def fail_job(job: Job, context: JobContext, step: Step, error: MelodifyError, *, recalls: bool = False) -> None:
    """Refund, apologise now or later, leave nothing behind. Raises only when interrupted.

    The refund is no recorded step: it may come twice, and must come also where the records have become useless. A song
    that may have been posted is recalled.
    """
    try:
        await _refund(job, context, error)
        ended(error.code)
    except Exception:  # the asker hears of it all the same; fail_orphaned_jobs ends the row later
        log.exception("job %s could not be refunded", job.job_id)
    try:
        await step("apologise", Nothing, lambda: _apologise(job, error, context, recalls=recalls), tries=QUICK_TRIES)
    except MelodifyError as second:
        later = await step.defer_post(PendingPost(job=job, error=to_record(error), recalls=recalls))
        log.warning("job %s: the apology %s: %s", job.job_id, "waits" if later else "did not arrive", second)
    except Exception:
        # A job taken up again that ends before its recorded steps meets their names here: the pending has none.
        log.exception("job %s: the apology failed", job.job_id)
        await _apologise_later(job, step, error, recalls=recalls)
    # What failed because something was away can be tried again from the shell: for that the picture stays its days, and
    # a paid take that the storage did not get one day.
    if context.paid.spool is not None and not isinstance(error, Unavailable):
        await finished(context.paid.spool.drop, job.job_id)
    picture = () if isinstance(error, Unavailable) else (job.picture_key,)
    await tidy(context.providers.storage, *picture, *take_keys(job.job_id), song_key(job.job_id), midi_key(job.job_id))


async def _apologise_later(job: Job, step: Step, error: MelodifyError, *, recalls: bool) -> None:
    try:
        await step.defer_post(PendingPost(job=job, error=to_record(error), recalls=recalls))
    except Exception:
        log.exception("job %s: the apology cannot wait either", job.job_id)


async def post(pending: PendingPost, step: Step, context: JobContext) -> None:
    """Post what could not be posted at once, for six hours; then a song is given up like any failed job."""
    for number, pause_s in enumerate(LINE_PAUSES_S if pending.posted else PAUSES_S):
        await step.pause(pause_s)
        try:
            await _post_once(pending, number, step, context)
        except Unavailable as error:
            log.warning("job %s: try %d to post failed: %s", pending.job.job_id, number + 1, error)
        except MelodifyError as error:
            await _drop(pending, error, step, context)
            return
        else:
            return
    await _drop(pending, Unavailable("discord.unavailable"), step, context)


async def _post_once(pending: PendingPost, number: int, step: Step, context: JobContext) -> None:
    job, song = pending.job, pending.song
    if song is None:
        error = from_record(pending.error or {})
        work = partial(_apologise, job, error, context, recalls=pending.recalls)
        await step(f"apologise {number}", Nothing, work)
        return
    if (there := pending.posted) is not None:
        await step(f"close line {number}", Nothing, lambda: _close_line(job, song, there, context))
        return
    posted = await step(f"deliver {number}", Posted, lambda: _deliver(job, song, context))
    if not await _settle(job, song, posted, context):
        raise Unavailable("database.unavailable")
    if posted.line_open:
        await _close_later(job, song, posted, step)


async def _drop(pending: PendingPost, error: MelodifyError, step: Step, context: JobContext) -> None:
    if pending.song is None:
        log.warning("job %s: the apology did not arrive: %s", pending.job.job_id, error)
        return
    if pending.posted is not None:
        log.warning("job %s: its status message does not tell of the song: %s", pending.job.job_id, error)
        return
    # An answer of Discord's may have been lost.
    await fail_job(pending.job, context, step, error, recalls=True)


async def fail_unreadable_job(job_id: str, context: JobContext) -> None:
    """End a job whose record cannot be read any more, with what its usage row knows: refund, apologise, tidy up."""
    accepted = await with_db_retry(context.ledger.accepted_order, job_id)
    if accepted is None or accepted.state not in ("waiting", "running"):
        return
    with log_context(job_id, accepted.place.guild_id if accepted.place else None):
        await with_db_retry(context.ledger.refund, job_id, time.time(), "internal")
        ended("internal")
        try:
            await apologise_for(accepted, Unavailable("internal"), context.delivery, context.song.deliver_deadline_s)
        except MelodifyError as error:
            log.warning("job %s: the apology did not arrive: %s", job_id, error)
        await tidy(context.providers.storage, *keys_of(job_id))


async def apologise_for(
    accepted: AcceptedOrder, error: MelodifyError, delivery: Delivery, deadline_s: float = APOLOGY_DEADLINE_S
) -> None:
    """Apologise for a job of which no more is at hand than its usage row. Raises Unavailable."""
    if accepted.place is None:
        return
    # As much of a job as an apology needs.
    job = Job(
        job_id=accepted.job_id,
        user_id=accepted.user_id,
        place=accepted.place,
        wish=Wish(language=accepted.language),
        picture_key=accepted.picture_key,
        picture_sha256="",
        picture_width=1,
        picture_height=1,
        seed=0,
    )
    async with _deadline(deadline_s):
        await delivery.apologise(job, error)


async def _deliver(job: Job, song: Song, context: JobContext) -> Posted:
    await show(job, Stage.DELIVERING, context)
    # Whoever presses a button under it at once must find it; it is charged when it is posted.
    if not await with_db_retry(context.ledger.write_down, job, song, time.time()):
        raise Rejected(CANCELLED)
    sound = await context.providers.storage.load(song.audio_key)
    picture = await context.providers.storage.load(song.picture_key)
    async with _deadline(context.song.deliver_deadline_s):
        return await _send(job, song, sound, picture, context)


async def _send(job: Job, song: Song, sound: bytes, picture: bytes, context: JobContext) -> Posted:
    """Post the song; where it does not fit, a link to it."""
    try:
        return await context.delivery.deliver(job, song, sound, picture)
    except Rejected as error:
        if error.code != "song.too_large":
            raise
        link = await context.providers.storage.link(song.audio_key, f"{song.title}.mp3")
        if link is None:
            raise
    return await context.delivery.deliver(job, song, link, picture)


async def _close_line(job: Job, song: Song, posted: Posted, context: JobContext) -> Nothing:
    async with _deadline(context.song.deliver_deadline_s):
        await context.delivery.close_line(job, song, posted)
    return Nothing()


async def _refund(job: Job, context: JobContext, error: MelodifyError) -> None:
    if error.code == CANCELLED:
        await with_db_retry(context.ledger.end_cancelled, job.job_id, time.time())
    else:
        await with_db_retry(context.ledger.refund, job.job_id, time.time(), error.code)


async def _apologise(job: Job, error: MelodifyError, context: JobContext, *, recalls: bool = False) -> Nothing:
    async with _deadline(context.song.deliver_deadline_s):
        if recalls:
            await context.delivery.take_back(job)
        await context.delivery.apologise(job, error)
    return Nothing()


@asynccontextmanager
async def _deadline(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise Unavailable("provider.too_slow") from error
