"""The Delivery port on Discord: posts the progress, the song or the apology.

Uses plain REST calls with the bot's own token. So it works after an interaction has expired, before the gateway is
connected, and in a process without a gateway.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import discord

from bot.discord_api.components import view_of
from bot.discord_api.errors import map_discord_errors
from bot.i18n.messages import name_of, say, sentence
from bot.posts import song_embed
from bot.posts.cancel_button import status_view
from bot.posts.destinations import destinations_of, link_to, open_thread, skip_unreachable, thread_of
from bot.posts.instead_button import InsteadButton
from bot.posts.song_embed import Card
from bot.posts.song_lines import asker_line
from bot.posts.song_view import shows_job, song_view
from bot.posts.status_messages import StatusBoard
from melodify_core.errors import MelodifyError, Refused, Rejected, Unavailable
from melodify_core.models import Forecast, Job, Language, Link, Place, Posted, Progress, Song, Stage
from melodify_core.pages import address_of

log = logging.getLogger(__name__)

RANKS = {stage: rank for rank, stage in enumerate(Stage)}
APOLOGY_RANK = len(RANKS)
# An edit of the status that waits longer than this for Discord's rate limit is out of date.
STATUS_DEADLINE_S = 5.0
SEARCHED_MESSAGES = 200


class DiscordDelivery:
    """Delivers progress, songs and apologies through a Discord client."""

    def __init__(
        self,
        client: discord.Client,
        board: StatusBoard,
        public_url: str = "",
        notify_after_s: float = 0.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Link songs that have a page to it, under `public_url`; "" means that there are no pages.

        Members are notified of songs that took longer than `notify_after_s`; 0 notifies nobody.
        """
        self._notify_after_s = notify_after_s
        self._clock = clock
        self._client = client
        self._board = board
        self._public_url = public_url

    async def show_stage(self, job: Job, stage: Stage, progress: Progress | None = None) -> None:
        """Show a stage in the status message. `deliver` shows DONE, because that line names the song."""
        if stage in (Stage.QUEUED, Stage.DONE):
            return
        if stage is Stage.LOOKING or (stage is Stage.COMPOSING and job.brief is not None):
            # Every attempt starts with one of these, even one that the host or the asker starts after the apology.
            self._board.begin_again(job.job_id, APOLOGY_RANK)
        language, since = job.wish.language, asked_at(job.job_id)
        if progress is None:
            text = say(language, f"status.{stage.value}", since=since)
        else:
            text = say(
                language, "status.composing_elsewhere", since=since, progress=say(language, f"progress.{progress}")
            )
        await self._show_line(job.job_id, job.place, language, stage, text, job.page_id)

    async def show_position(
        self, job_id: str, place: Place, language: Language, forecast: Forecast, page_id: str | None = None
    ) -> None:
        """Show the position in the queue, unless the job has advanced since. Never raises."""
        position, since = max(forecast.position, 1), asked_at(job_id)
        if forecast.starts_at is None:
            text = say(language, "status.queued", position=position, since=since)
        elif forecast.starts_at <= time.time():  # Discord would say "a few seconds ago"
            text = say(language, "status.queued_now", since=since)
        else:
            text = say(language, "status.queued_until", position=position, since=since, until=forecast.starts_at)
        await self._show_line(job_id, place, language, Stage.QUEUED, text, page_id)

    async def deliver(self, job: Job, song: Song, audio: bytes | Link, picture: bytes) -> Posted:
        """Post the song in a thread on the status message, else in its channel. A repeat returns the first post."""
        card = Card(job, song, audio, picture)
        with map_discord_errors(job.place.max_bytes):
            if job.place.token is not None and await self._post_through_interaction(card):
                # Do not link to an ephemeral message: it soon disappears.
                posted = Posted(channel_id=job.place.channel_id, message_id=job.place.status_id or 0)
                return Posted() if job.private else posted
            message = await self._post(card)
        if message is None:
            log.warning("job %s: every place is gone or closed, the song is only in the member's list", job.job_id)
            return await self._close_status(job, song, Posted())
        direct = isinstance(message.channel, discord.DMChannel)
        posted = Posted(channel_id=message.channel.id, message_id=message.id, direct=direct)
        log.info("job %s: posted in %s as %s", job.job_id, posted.channel_id, posted.message_id)
        return await self._close_status(job, song, posted)

    async def _close_status(self, job: Job, song: Song, posted: Posted) -> Posted:
        """Link the song in its status message, or note in the result that this is to be done later."""
        try:
            await self.close_line(job, song, posted)
        except Unavailable as error:
            log.warning(
                "job %s: status message not edited, closing it later: %s",
                job.job_id,
                error,
                exc_info=error.__cause__,
            )
            return posted.model_copy(update={"line_open": True})
        except Exception:  # nothing may undo a song that its asker has
            log.exception("job %s: status message not edited, closing it later", job.job_id)
            return posted.model_copy(update={"line_open": True})
        return posted

    async def close_line(self, job: Job, song: Song, posted: Posted) -> None:
        """Say in the status message where the song is. Raises Unavailable; a deleted message is no error."""
        language = job.wish.language
        title = song_embed.title_of(language, song)
        if posted.message_id:
            guild_id = None if posted.direct else job.place.guild_id
            link = link_to(guild_id, posted.channel_id, posted.message_id)
            text = say(language, "status.done", title=title, link=link)
        else:
            text = say(language, "status.kept", title=title)
        try:
            with map_discord_errors():
                async with asyncio.timeout(STATUS_DEADLINE_S):
                    await self._board.show(job.job_id, job.place, RANKS[Stage.DONE], text)
        except Rejected as refusal:
            log.info("job %s: the status message is gone or closed, it stays as it is: %s", job.job_id, refusal)
        if posted.message_id:
            await self._close_note(job, say(language, "status.private_done", title=title, link=link))

    async def _close_note(self, job: Job, text: str) -> None:
        """Show how a private song ended in the channel where it was asked for, as long as that can be edited."""
        note_id, token = job.place.note_id, job.place.note_token
        if note_id is None or token is None:
            return
        webhook = discord.Webhook.partial(self._client.application_id or 0, token, client=self._client)
        try:
            with map_discord_errors():
                async with asyncio.timeout(STATUS_DEADLINE_S):
                    await webhook.edit_message(note_id, content=text)
        except MelodifyError as error:
            log.info("job %s: the answer in its channel stays as it is: %s", job.job_id, error)

    async def delete_posted_song(self, job: Job) -> None:
        """Delete the song where an attempt posted it; a missing post is no error. Raises Unavailable."""
        try:
            with map_discord_errors():
                await self._delete_posted_song(job)
        except Rejected as refusal:
            log.warning("job %s: its posted song cannot be deleted, it stays: %s", job.job_id, refusal)

    async def apologise(self, job: Job, error: MelodifyError) -> None:
        """Post the error's sentence in the status message, or in its channel when the message is gone."""
        language, offered = job.wish.language, str(error.values.get("instead", ""))
        text, view = sentence(language, error), None
        if offered:
            text += "\n" + say(language, "answer.instead", composer=name_of(language, "composer", offered))
            view = view_of(InsteadButton(job.job_id, offered, language))
        try:
            with map_discord_errors():
                await self._post_apology(job, text, view, hides_picture=isinstance(error, Refused))
        except Rejected as refusal:
            log.warning("job %s: no apology, every place is gone or closed: %s", job.job_id, refusal)
        await self._close_note(job, text)

    def _song_view(self, job: Job) -> discord.ui.View:
        return song_view(job.job_id, job.wish.language, page=bool(self._page(job.page_id)))

    def _page(self, page_id: str | None) -> str:
        return address_of(self._public_url, page_id) if page_id and self._public_url else ""

    async def _show_line(
        self, job_id: str, place: Place, language: Language, stage: Stage, text: str, page_id: str | None
    ) -> None:
        open_until = RANKS[Stage.DELIVERING]
        view = status_view(job_id, language, self._page(page_id)) if RANKS[stage] < open_until else None
        try:
            with map_discord_errors():
                async with asyncio.timeout(STATUS_DEADLINE_S):
                    await self._board.show(job_id, place, RANKS[stage], text, view)
        except MelodifyError as error:
            log.warning(
                "job %s: status message not edited, the job goes on: %s",
                job_id,
                error,
                exc_info=error.__cause__,
            )

    async def _post_apology(self, job: Job, text: str, view: discord.ui.View | None, *, hides_picture: bool) -> None:
        """Edit the status message, else post in its channel, else in a direct message.

        With `hides_picture`, the status message of one of several pictures shows the picture no more.
        """
        if job.place.status_id is not None:
            # If the song was posted through the interaction, it is in this message: remove it.
            clean: dict[str, Any] = {} if job.place.token is None else {"embed": None, "attachments": []}
            try:
                if hides_picture and not clean:
                    clean = {"embeds": await self._embeds_without_picture(job.place, job.place.status_id)}
                await self._board.replace(
                    job.job_id, job.place, APOLOGY_RANK, version=text, content=text, view=view, **clean
                )
            except discord.HTTPException as error:
                skip_unreachable(error, job, "the status message")
            else:
                return
        for destination in destinations_of(self._client, job):
            try:
                if (channel := await destination.open()) is not None:
                    nonce = f"e{job.job_id}"
                    await (channel.send(text, nonce=nonce, view=view) if view else channel.send(text, nonce=nonce))
                    return
            except discord.HTTPException as error:
                skip_unreachable(error, job, destination.name)
        log.warning("job %s: no place is left to apologise in", job.job_id)

    async def _embeds_without_picture(self, place: Place, status_id: int) -> list[discord.Embed]:
        """Return the status message's notes without the picture, none where the message cannot be read."""
        channel = self._client.get_partial_messageable(place.channel_id, guild_id=place.guild_id)
        try:
            status = await channel.fetch_message(status_id)
        except discord.Forbidden:
            return []
        return [embed.set_thumbnail(url=None) for embed in status.embeds]

    async def _post_through_interaction(self, card: Card) -> bool:
        """Edit the song into the status message: a repeated edit does no harm. Return whether that succeeded."""
        try:
            await self._board.replace(
                card.job.job_id,
                card.job.place,
                RANKS[Stage.DONE],
                version=card.job.job_id,
                content=card.text(),
                embed=card.embed(page=self._page(card.job.page_id)),
                attachments=card.files(),
                view=self._song_view(card.job),
            )
        except discord.HTTPException as error:
            skip_unreachable(error, card.job, "the interaction or its message")
            return False
        log.info("job %s: posted through its interaction", card.job.job_id)
        return True

    async def _post(self, card: Card) -> discord.Message | None:
        """Post in the thread, the channel or a direct message; return None when all three are gone or closed."""
        job = card.job
        for destination in destinations_of(self._client, job, lambda: self._open_thread(card)):
            try:
                if (channel := await destination.open()) is not None:
                    return await self._post_once(channel, card)
            except discord.HTTPException as error:
                skip_unreachable(error, job, destination.name)
        return None

    async def _post_once(self, channel: discord.abc.Messageable, card: Card) -> discord.Message:
        if earlier := await self._find(channel, card.job):
            return earlier
        by_dm = isinstance(channel, discord.DMChannel)
        notice = "" if by_dm else self._notice(card.job)
        asker = [discord.Object(card.job.user_id)] if notice else False
        return await channel.send(
            content=card.text(say(card.job.wish.language, "song.by_dm") if by_dm else notice or None),
            allowed_mentions=discord.AllowedMentions(everyone=False, users=asker, roles=False, replied_user=False),
            embed=card.embed(page=self._page(card.job.page_id), large=by_dm or None),
            files=card.files(),
            view=self._song_view(card.job),
            # Discord remembers a nonce for some minutes: enough for an attempt whose answer was just lost.
            nonce=card.job.job_id,
        )

    def _notice(self, job: Job) -> str:
        """Return the line that notifies the member of a song that took long; "" if nobody is to be notified."""
        slow = 0 < self._notify_after_s < self._clock() - asked_at(job.job_id)
        # Who is not to be named is not to be mentioned either.
        wanted = slow and job.notifies and asker_line(job)
        return say(job.wish.language, "song.ready", user=job.user_id) if wanted else ""

    async def _delete_posted_song(self, job: Job) -> None:
        """Delete the song in the first of `_post`'s destinations that has it.

        A song posted through the interaction is in the status message: the apology replaces it there.
        """

        async def thread() -> discord.PartialMessageable | None:
            return thread_of(self._client, job)

        for destination in destinations_of(self._client, job, thread):
            try:
                channel = await destination.open()
                if channel is not None and await self._delete_in(channel, job):
                    return
            except discord.HTTPException as error:
                skip_unreachable(error, job, destination.name)

    async def _delete_in(self, channel: discord.abc.Messageable, job: Job) -> bool:
        posted = await self._find(channel, job)
        if posted is not None:
            await posted.delete()
            log.info("job %s: its posted song is deleted", job.job_id)
        return posted is not None

    async def _find(self, channel: discord.abc.Messageable, job: Job) -> discord.Message | None:
        """Return the message of an earlier attempt, from before a crash or a lost answer, None without one."""
        bot = self._client.user
        # The status message is older than every attempt; a thread has its message's id.
        after = discord.Object(job.place.status_id) if job.place.status_id else None
        async for message in channel.history(limit=SEARCHED_MESSAGES, after=after):
            if bot and message.author.id == bot.id and shows_job(message, job.job_id):
                return message
        return None

    async def _open_thread(self, card: Card) -> discord.PartialMessageable | None:
        """Return the thread on the status message, opened if it is missing; None when Discord refuses."""
        job, place = card.job, card.job.place
        thread = thread_of(self._client, job)
        if thread is None or place.status_id is None:
            return None
        name = song_embed.thread_name(job.wish.language, card.song)
        opened = await open_thread(self._client, place.channel_id, place.status_id, name, place.archive_minutes)
        return thread if opened else None


def asked_at(job_id: str) -> int:
    """Return the Unix second of the request: job ids are Discord's ids, which contain their time."""
    return int(discord.utils.snowflake_time(int(job_id)).timestamp())
