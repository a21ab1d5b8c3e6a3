"""The end of a job: posts the song or the apology, and retries for hours what cannot be posted at once.

How the song is made is in workflow.py. Where and how it is posted is decided by the Delivery.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from melodify_core.errors import Code, MelodifyError, Rejected, Unavailable, from_record, to_record
from melodify_core.jobs.context import JobContext, Nothing, Step, show_stage
from melodify_core.jobs.retry import with_db_retry
from melodify_core.models import AcceptedOrder, Job, PendingPost, Posted, Song, Stage, Wish
from melodify_core.observability.log_context import count_outcome, log_context
from melodify_core.ports import Delivery
from melodify_core.storage.layout import keys_of, song_key, take_keys, tidy
from melodify_core.threads import finished

log = logging.getLogger(__name__)
QUICK_TRIES = 4
APOLOGY_DEADLINE_S = 30.0
CANCELLED: Code = "job.cancelled"
# The pauses before each further try to post: 30 seconds at first, 15 minutes at last, six hours in all. The
# list is fixed, because recorded steps are numbered along it.
PAUSES_S = (30.0, 60.0, 120.0, 240.0, 450.0, *(900.0,) * 23)
# For the link in the status message of a posted song: shorter at first, because members wait for it.
LINE_PAUSES_S = (1.0, 4.0, 16.0, *PAUSES_S)


async def deliver(job: Job, song: Song, context: JobContext, step: Step) -> None:
    """Post the song, now or later. Raises Rejected, and Unavailable where `step` cannot defer posts."""
    try:
        posted = await step("deliver", Posted, lambda: _deliver(job, song, context), tries=QUICK_TRIES)
        recorded = await _record_and_charge(job, song, posted, context)
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
    if not recorded:
        # The deferred try finds the post and records the song. Without it, maintenance would fail the job as orphaned.
        await step.defer_post(PendingPost(job=job, song=song))
    elif posted.line_open:
        await _defer(PendingPost(job=job, song=song, posted=posted), step)


async def _deliver(job: Job, song: Song, context: JobContext) -> Posted:
    await show_stage(job, Stage.DELIVERING, context)
    # Record the song first: a button that is pressed right after the post must find it. It is charged after the post.
    if not await with_db_retry(context.ledger.record_unposted, job, song, time.time()):
        raise Rejected(CANCELLED)
    job = await with_db_retry(context.ledger.refreshed, job)
    storage = context.providers.storage
    sound = await storage.load(song.audio_key)
    picture = await storage.load(song.picture_key)
    async with _deadline(context.song.deliver_deadline_s):
        try:
            return await context.delivery.deliver(job, song, sound, picture)
        except Rejected as error:
            if error.code != "song.too_large":
                raise
            link = await storage.link(song.audio_key, f"{song.title}.mp3")
            if link is None:
                raise
        return await context.delivery.deliver(job, song, link, picture)


async def _record_and_charge(job: Job, song: Song, posted: Posted, context: JobContext) -> bool:
    """Record the posted song and charge it; return False when that failed, and the post must stay all the same.

    Raises Rejected("job.cancelled") for a song that was cancelled meanwhile: its post must be deleted.
    """
    try:
        charged = await with_db_retry(context.ledger.record_song, job, song, posted, time.time())
    except Exception:  # nothing may undo a song that its asker has
        log.exception("job %s: the song is posted but not recorded: it will be later", job.job_id)
        return False
    if not charged:
        raise Rejected(CANCELLED)
    count_outcome("song")
    await tidy(context.providers.storage, *take_keys(job.job_id))
    return True


async def fail_job(job: Job, context: JobContext, step: Step, error: MelodifyError, *, recalls: bool = False) -> None:
    """Refund, apologise now or later, delete the files. Raises only when interrupted.

    The refund is not a recorded step: it may run twice, and must run even if the records cannot be used. With
    `recalls`, delete a song that may have been posted.
    """
    now, pending = time.time(), PendingPost(job=job, error=to_record(error), recalls=recalls)
    try:
        if error.code == CANCELLED:
            await with_db_retry(context.ledger.end_cancelled, job.job_id, now)
        else:
            await with_db_retry(context.ledger.refund, job.job_id, now, error.code)
        count_outcome(error.code)
    except Exception:
        log.exception("job %s is not refunded: it will be as an orphaned job; the apology goes out now", job.job_id)
    try:
        await step("apologise", Nothing, lambda: _apologise(job, error, context, recalls=recalls), tries=QUICK_TRIES)
    except MelodifyError as second:
        later = await step.defer_post(pending)
        log.warning("job %s: the apology %s: %s", job.job_id, "waits" if later else "did not arrive", second)
    except Exception:
        # After a restart the job may fail at an earlier step than before. The engine then finds the record of another
        # step, and raises. The pending post has a record of its own.
        log.exception("job %s: the apology failed, it is queued for later", job.job_id)
        await _defer(pending, step)
    # After Unavailable the host can retry the job without paying again: picture and take are kept for
    # `retention.picture_days`, and a take that did not reach the storage is kept in the spool for one day.
    retryable = isinstance(error, Unavailable) or "instead" in error.values
    if context.paid.spool is not None and not retryable:
        await finished(context.paid.spool.drop, job.job_id)
    await tidy(context.providers.storage, *((song_key(job.job_id),) if retryable else keys_of(job.job_id)))


async def _apologise(job: Job, error: MelodifyError, context: JobContext, *, recalls: bool) -> Nothing:
    async with _deadline(context.song.deliver_deadline_s):
        if recalls:
            await context.delivery.delete_posted_song(job)
        await context.delivery.apologise(job, error)
    return Nothing()


async def _defer(pending: PendingPost, step: Step) -> None:
    """Queue the post. Never raises: an error here must not undo a posted song or the end of a failed job."""
    try:
        await step.defer_post(pending)
    except Exception:
        what = "the apology" if pending.song is None else "the last edit of its status message"
        log.exception("job %s: %s could not be queued, it is not posted", pending.job.job_id, what)


async def post(pending: PendingPost, step: Step, context: JobContext) -> None:
    """Post what could not be posted at once. After six hours a song fails like any other job."""
    for number, pause_s in enumerate(LINE_PAUSES_S if pending.posted else PAUSES_S):
        await step.pause(pause_s)
        try:
            await _post_once(pending, number, step, context)
        except Unavailable as error:
            log.warning("job %s: try %d to post failed, trying again: %s", pending.job.job_id, number + 1, error)
        except MelodifyError as error:
            await _fail_post(pending, error, step, context)
            return
        else:
            return
    await _fail_post(pending, Unavailable("discord.unavailable"), step, context)


async def _post_once(pending: PendingPost, number: int, step: Step, context: JobContext) -> None:
    job, song = pending.job, pending.song
    if song is None:
        error = from_record(pending.error or {})
        work = partial(_apologise, job, error, context, recalls=pending.recalls)
        await step(f"apologise {number}", Nothing, work)
        return
    if (posted := pending.posted) is not None:
        await step(f"close line {number}", Nothing, partial(_close_line, job, song, posted, context))
        return
    posted = await step(f"deliver {number}", Posted, lambda: _deliver(job, song, context))
    if not await _record_and_charge(job, song, posted, context):
        raise Unavailable("database.unavailable")
    if posted.line_open:
        await _defer(PendingPost(job=job, song=song, posted=posted), step)


async def _close_line(job: Job, song: Song, posted: Posted, context: JobContext) -> Nothing:
    async with _deadline(context.song.deliver_deadline_s):
        await context.delivery.close_line(job, song, posted)
    return Nothing()


async def _fail_post(pending: PendingPost, error: MelodifyError, step: Step, context: JobContext) -> None:
    if pending.song is None:
        log.warning("job %s: the apology did not arrive and is not tried again: %s", pending.job.job_id, error)
    elif pending.posted is not None:
        log.warning("job %s: its status message stays without a link to the song: %s", pending.job.job_id, error)
    else:
        # The song may be posted all the same: Discord's answer to a try may have been lost.
        await fail_job(pending.job, context, step, error, recalls=True)


async def fail_unreadable_job(job_id: str, context: JobContext) -> None:
    """End a job whose record cannot be read any more: refund, apologise and delete, using its usage row."""
    accepted = await with_db_retry(context.ledger.accepted_order, job_id)
    if accepted is None or accepted.state not in ("waiting", "running"):
        return
    with log_context(job_id, accepted.place.guild_id if accepted.place else None):
        await with_db_retry(context.ledger.refund, job_id, time.time(), "internal")
        count_outcome("internal")
        try:
            await apologise_for(accepted, Unavailable("internal"), context.delivery, context.song.deliver_deadline_s)
        except MelodifyError as error:
            log.warning("job %s: the apology did not arrive and is not tried again: %s", job_id, error)
        await tidy(context.providers.storage, *keys_of(job_id))


async def apologise_for(
    accepted: AcceptedOrder, error: MelodifyError, delivery: Delivery, deadline_s: float = APOLOGY_DEADLINE_S
) -> None:
    """Apologise for a job of which only the usage row is known. Raises Unavailable."""
    if accepted.place is None:
        return
    # An apology needs only the first fields; the others are filled in.
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


@asynccontextmanager
async def _deadline(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise Unavailable("provider.too_slow") from error
