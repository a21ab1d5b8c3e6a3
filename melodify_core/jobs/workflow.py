"""From a stored picture to a delivered song, step by step. Plain functions: the engine makes each step durable.

How a job ends, with a song or an apology, is in completion.py.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from melodify_core.errors import OVER_BUDGET, Code, MelodifyError, Refused, Rejected, Unavailable
from melodify_core.jobs.completion import CANCELLED, deliver, fail_job
from melodify_core.jobs.context import JobContext, Step, fetch, is_stored, show_stage, store
from melodify_core.jobs.paid_calls import book_call
from melodify_core.jobs.players import (
    Gone,
    Player,
    are_known,
    followers,
    has_steps,
    is_free,
    may_be_free,
    noted,
    players_of,
    step_of,
)
from melodify_core.jobs.retry import with_db_retry
from melodify_core.jobs.titles import RECENT_TITLES, with_covered_titles, words_unlike
from melodify_core.media.audio import mastered
from melodify_core.models import Bill, Brief, Commission, Job, Mastered, Picture, Progress, RawTake, Song, Stage, Take
from melodify_core.observability.log_context import provider_span, stage_span
from melodify_core.ports import CommissioningComposer, PaidCall, ProviderContext
from melodify_core.providers import Providers
from melodify_core.storage.layout import midi_key, song_key, take_keys, tidy
from melodify_core.threads import finished, unbroken
from melodify_core.usage.pseudonym import pseudonym

log = logging.getLogger(__name__)
# What is left of a message for the picture and the text beside the audio.
MESSAGE_BYTES = 512 * 1024
STORAGE_TRIES = 3
USELESS: Code = "music.failed"


async def make_song(job: Job, step: Step, context: JobContext) -> None:
    """Bring the job to its end: a delivered song, or an apology and a refund. Raises only when interrupted."""
    try:
        if await _start(job, context):
            await _make(job, context, step)
        else:
            # The job was cancelled while it waited, and the process that cancelled it has not informed its asker.
            await fail_job(job, context, step, Rejected(CANCELLED))
    except MelodifyError as error:
        if error.code == CANCELLED:
            log.info("job %s was cancelled", job.job_id)
        else:
            log.warning("job %s failed, its asker gets an apology: %s", job.job_id, error, exc_info=error.__cause__)
        await fail_job(job, context, step, error)
    except Exception:  # the job's boundary: whatever went wrong, the asker gets an apology and pays nothing
        log.exception("job %s failed, its asker gets an apology", job.job_id)
        await fail_job(job, context, step, Unavailable("internal"))


async def _start(job: Job, context: JobContext) -> bool:
    """Note that the job runs; False when it was cancelled before. Raises Rejected where a budget is used up."""
    try:
        return await with_db_retry(context.ledger.start, job.job_id, time.time())
    except Rejected as refusal:
        # Whatever is still to be paid is checked when it is booked.
        if refusal.code in OVER_BUDGET and may_be_free(job, context.providers):
            return True
        raise


async def _make(job: Job, context: JobContext, step: Step) -> None:
    # Show each stage inside its step. Otherwise a job that continues after a crash would show stages that are done
    # already: an early stage would replace the apology, or the link to the song, for good.
    with stage_span(Stage.LOOKING):
        reading = await _caption(job, context, step)
    song = await _play(job, reading, context, step)
    with stage_span(Stage.DELIVERING):
        await deliver(job, song, context, step)


async def _caption(job: Job, context: JobContext, step: Step) -> Brief:
    if job.brief is not None:
        return job.brief  # another take pays for its music only
    captioner = context.providers.captioner

    async def caption() -> Brief:
        await show_stage(job, Stage.LOOKING, context)
        picture = await _picture(job, context)
        async with context.paid.gate(captioner.name, job.job_id):
            with provider_span(captioner.name):
                return await captioner.caption(picture, job.wish, _provider_context(job, context, repeatable=False))

    with context.paid.unrepeatable.until_recorded(job.job_id):
        return await step("caption", Brief, caption, stoppable=True)


async def _play(job: Job, reading: Brief, context: JobContext, step: Step) -> Song:
    """Have the song made by the first composer that can. Raises the error of the last one that was tried."""
    players: Sequence[Player] = await _players(job, context, step)
    first = players[0].name
    while True:
        player, *others = players
        take: Take | None = None
        try:
            with stage_span(Stage.COMPOSING):
                take = _signed(await _compose_with(player, job, reading, context, step), player, first)
            with stage_span(Stage.MASTERING):
                # Retry: the take is paid for, and an error of the storage must not lose it.
                work = partial(_master, job, reading, take, context)
                return await step("master", Song, work, tries=STORAGE_TRIES, stoppable=True)
        except MelodifyError as error:
            if take is not None and error.code != USELESS:
                raise
            failure = error if take is None else await _drop_useless(take, error, player, job, context)
            players = followers(others, failure, job, context.providers)
            if not players:
                raise
            if job.asks and "gone" not in failure.values:
                raise noted(failure, instead=players[0].name) from error.__cause__
            log.warning("job %s: %s plays instead of %s: %s", job.job_id, players[0].name, player.name, error)


async def _players(job: Job, context: JobContext, step: Step) -> tuple[Player, ...]:
    """Return who may play, also where the settings have changed since the job was queued. Raises Unavailable."""
    providers = context.providers
    if are_known(job, providers):
        return players_of(job, providers)
    recorded = await step.recorded()
    players = players_of(job, providers, recorded)
    if await with_db_retry(context.ledger.has_booked_music, job.job_id, providers.captioner.name):
        # Perhaps a composer that is not named any more was paid: only what was begun goes on, or costs nothing.
        players = tuple(
            each for each in players if has_steps(each, job, recorded) or is_free(each, job, context.providers)
        )
    if not players:
        raise Unavailable("provider.misconfigured")
    return players


def _signed(take: Take, player: Player, first: str) -> Take:
    """Return the take with its composer, and with the `first` one where another plays instead of it."""
    composer = take.composer or player.name
    return take.model_copy(update={"composer": composer, "instead_of": "" if composer == first else first})


async def _drop_useless(
    take: Take, error: MelodifyError, player: Player, job: Job, context: JobContext
) -> MelodifyError:
    """Delete a take that is no music, so that another composer can play; return the error, with "paid" where it was.

    After a restart, the stored take may be the other composer's already.
    """
    key, note = take_keys(job.job_id)
    if await is_stored(context, note):
        stored = Take.model_validate_json(await fetch(context, note))
        if (stored.composer or take.composer) == take.composer:
            await tidy(context.providers.storage, note, key, midi_key(job.job_id))
    return noted(error, paid=1) if await _booked_before(player, job, context) else error


async def _compose_with(player: Player, job: Job, reading: Brief, context: JobContext, step: Step) -> Take:
    """Have the music made in one step, or by a commissioning composer in two."""
    if isinstance(player, CommissioningComposer):
        return await _compose_elsewhere(player, job, reading, context, step)
    booked: set[str] = set()
    provider_context = _provider_context(job, context, repeatable=False, booked=booked)
    work = partial(player.compose, reading, job.wish, provider_context)

    async def compose() -> Take:
        booked.update(await _booked_before(player, job, context))
        with _noting(booked):
            return await _compose_and_store(player, job, context, work)

    with context.paid.unrepeatable.until_recorded(job.job_id):
        return await step(step_of("compose", player, job), Take, compose, stoppable=True)


async def _compose_elsewhere(
    composer: CommissioningComposer, job: Job, reading: Brief, context: JobContext, step: Step
) -> Take:
    """Order the music in one step and collect it in the next. If that fails, stop the work that was ordered."""
    booked: set[str] = set()
    provider_context = _provider_context(job, context, repeatable=True, booked=booked)
    ordered: list[Commission] = []

    async def commission() -> Commission:
        ordered.append(await composer.commission(reading, job.wish, provider_context))
        return ordered[-1]

    async def order() -> Commission:
        booked.update(await _booked_before(composer, job, context))
        # The work holds a slot from now on until it is collected.
        await context.paid.gate.enter(composer.name, job.job_id)
        with _noting(booked):
            # When cancelled, wait for the answer: what was ordered must be known, or it could not be stopped.
            return await unbroken(commission())

    async def collect() -> Take:
        booked.update(await _booked_before(composer, job, context))
        work = partial(composer.collect, ordered[0], provider_context)
        with _noting(booked):
            return await _compose_and_store(composer, job, context, work, begun=True)

    try:
        # After a restart the step returns what it has recorded, and `commission` does not run.
        ordered[:] = [await step(step_of("commission", composer, job), Commission, order, stoppable=True)]
        return await step(step_of("compose", composer, job), Take, collect, stoppable=True)
    except MelodifyError:
        # After an interruption this is skipped: the job continues later, and needs the work.
        for each in ordered:
            await _stop(composer, each, job)
        await context.paid.gate.leave(composer.name, job.job_id)
        raise


async def _booked_before(player: Player, job: Job, context: JobContext) -> set[str]:
    """Return what stands for a call of this composer that was booked before a restart; nothing where there is none."""
    if not isinstance(player, Gone) and is_free(player, job, context.providers):
        return set()
    captioner = context.providers.captioner.name
    return {"before"} if await with_db_retry(context.ledger.has_booked_music, job.job_id, captioner) else set()


@contextmanager
def _noting(booked: Collection[str]) -> Iterator[None]:
    """Note in an error that a call of this composer was paid for, or perhaps was: no other one may be paid then."""
    try:
        yield
    except MelodifyError as error:
        if not booked:
            raise
        raise noted(error, paid=1) from error.__cause__


async def _stop(composer: CommissioningComposer, commission: Commission, job: Job) -> None:
    try:
        await composer.cancel(commission)
    except MelodifyError as error:
        log.warning("job %s: %s could not be stopped and runs on: %s", job.job_id, commission.name, error)


async def _compose_and_store(
    player: Player, job: Job, context: JobContext, work: Callable[[], Awaitable[RawTake]], *, begun: bool = False
) -> Take:
    """Do the work, which may have begun elsewhere, and store its take inside the step, because it is paid for.

    The spool keeps the take until the storage has it. The note about the take is written last. If the note or the
    spooled take exists already, an earlier attempt was interrupted, and nothing is paid again.
    """
    await show_stage(job, Stage.COMPOSING, context)
    key, note = take_keys(job.job_id)
    spool = context.paid.spool
    if await is_stored(context, note):
        if spool:
            await finished(spool.drop, job.job_id)  # a crash may have left it
        return Take.model_validate_json(await fetch(context, note))
    raw = await finished(spool.get, job.job_id) if spool else None
    if raw is None:
        async with context.paid.gate(player.name, job.job_id, begun=begun):
            with provider_span(player.name):
                raw = await work()
            if spool:
                await finished(spool.put, job.job_id, raw)
    take = _describe(key, raw, player.name)
    labels = labels_of(job, context.salt)
    await store(context, key, raw.audio, raw.content_type, labels)
    if raw.midi is not None:
        await store(context, midi_key(job.job_id), raw.midi, "audio/midi", labels)
    await store(context, note, take.model_dump_json().encode(), "application/json", labels)
    if spool:
        await finished(spool.drop, job.job_id)
    return take


def _describe(key: str, raw: RawTake, composer: str) -> Take:
    return Take(
        key_in_storage=key,
        content_type=raw.content_type,
        bpm=raw.bpm,
        key=raw.key,
        mode=raw.mode,
        instruments=raw.instruments,
        model=raw.model,
        meter=raw.meter,
        composer=composer,
    )


async def _master(job: Job, reading: Brief, take: Take, context: JobContext) -> Song:
    await show_stage(job, Stage.MASTERING, context)
    if job.spoiler:
        reading = with_covered_titles(reading, job.wish.language, job.seed)
    choose = partial(words_unlike, reading)
    words = await with_db_retry(context.ledger.claim_words, job, RECENT_TITLES, choose, time.time())
    chosen = {"title": words.title, "caption": words.caption, "spare_titles": (), "spare_captions": ()}
    reading = reading.model_copy(update=chosen)
    raw = await fetch(context, take.key_in_storage)
    # Players show the cover to everybody, so the cover of a spoiler is left out.
    cover = b"" if job.spoiler else await fetch(context, job.picture_key)
    work = partial(mastered, raw, title=reading.title, cover_jpeg=cover, max_bytes=job.place.max_bytes - MESSAGE_BYTES)
    try:
        sound = await context.pool.run(context.song.master_deadline_s, work)
    except Unavailable as error:
        if error.code != "provider.unavailable":
            raise
        # The take cannot be decoded, and another try would not change that.
        raise Refused(USELESS) from error
    await store(context, song_key(job.job_id), sound.audio, "audio/mpeg", labels_of(job, context.salt))
    dollars = await with_db_retry(context.ledger.spent, job.job_id)
    return _song_of(job, reading, take, sound, dollars, context.providers)


def _song_of(job: Job, reading: Brief, take: Take, mastered: Mastered, dollars: float, providers: Providers) -> Song:
    return Song(
        job_id=job.job_id,
        title=reading.title,
        caption=reading.caption,
        # What the composer reports that it played takes precedence over what it was asked to play.
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
        composer=take.composer or providers.composer.name,
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
        spoiler=job.spoiler,
        meter=take.meter,
        instead_of=take.instead_of,
    )


async def _picture(job: Job, context: JobContext) -> Picture:
    jpeg = await fetch(context, job.picture_key)
    return Picture(jpeg, job.picture_width, job.picture_height, job.picture_sha256)


def _provider_context(
    job: Job, context: JobContext, *, repeatable: bool, booked: set[str] | None = None
) -> ProviderContext:
    """Return the provider's view of the job. A `repeatable` call costs nothing again; a stop waits for all others.

    `booked` collects the calls that cost something and are not known to be free.
    """

    async def begun(bill: Bill) -> PaidCall:
        if not repeatable:
            context.paid.unrepeatable.begin(job.job_id)
        return await book_call(job.job_id, bill, context.ledger, booked)

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


def labels_of(job: Job, salt: bytes) -> dict[str, str]:
    """Return the owner of a stored file, for people who look into the storage."""
    return {"job": job.job_id, "guild": str(job.place.guild_id or ""), "user": pseudonym(job.user_id, salt)}
