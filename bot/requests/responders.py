"""The ways of asking for songs - a command, a private one, one from where the bot is not, a post, a press - and their
answers.

Where the status messages stand is decided here, what becomes of them in intake.py. Several pictures have one line in
the channel with a thread on it, where each has its own status message; where there can be no thread, these stand in
the channel. All of it works from plain data: after a restart there is nothing else.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import discord

from bot.discord_api.errors import with_discord_retry
from bot.i18n.messages import say
from bot.posts.destinations import link_to, open_thread
from bot.posts.status_messages import edit_message
from bot.requests.request import Request, RequestProgress, StatusLine, Way
from melodify_core.errors import Rejected
from melodify_core.models import Place

log = logging.getLogger(__name__)


# discord.com/developers/docs/topics/opcodes-and-status-codes: unknown webhook, invalid webhook token.
INVALID_TOKEN_CODES = (10015, 50027)
GONE = (401, 404)  # the message, or the token that it is edited with
TOKEN_LIFETIME = timedelta(minutes=15)  # discord.com/developers/docs/interactions/receiving-and-responding


class Responder(ABC):
    """One member's request, and what was said to it. Methods raise what discord.py raises."""

    def __init__(
        self, client: discord.Client, progress: RequestProgress, note: Callable[[RequestProgress], Awaitable[None]]
    ) -> None:
        """`note` writes down how far it is."""
        self.progress = progress
        self._client = client
        self._note = note
        self._headed = bool(progress.head or progress.lines or progress.next > 1)

    @property
    def request(self) -> Request:
        """What was asked."""
        return self.progress.request

    async def begin(self) -> None:
        """Prepare for several songs: one line in the channel, with a thread on it where that is possible."""
        if not (self.request.several and self.request.place.threadable):
            return
        if self.progress.head is None:
            text = say(self.request.wish.language, "status.several", count=self.request.songs)
            # Not picture 1's nonce: Discord would take its line in the thread for this one.
            head = await self._say(text, 0, self._note_on_sent(), "s")
            await self.written(head=_status_line(head))
        if not self.progress.thread:
            await self.written(thread=await self._open_thread())

    async def acknowledge(self) -> None:  # noqa: B027 - most ways of asking need nothing
        """Show the asker that the picture has arrived, where Discord itself shows nothing."""

    async def open_status(self, number: int) -> Place:
        """Post the status message of picture `number`, from 1, and say where it stands. Raises Rejected."""
        if number not in self.progress.lines:
            embeds = self._note_on_picture(number)
            if number == 1 and not self._headed:
                embeds = self._note_on_sent() + embeds
            await self.stands(number, await self._say(self._received(), number, embeds, "s"))
        return self.place(self.progress.lines[number])

    async def stands(self, number: int, line: discord.Message) -> None:
        """Write down where the status message of a picture stands."""
        await self.written(lines=self.progress.lines | {number: _status_line(line)})

    async def written(self, **changes: object) -> None:
        """Write down how far it is."""
        self.progress = self.progress.model_copy(update=changes)
        await self._note(self.progress)

    def place(self, line: StatusLine) -> Place:
        """Return where the song goes whose status message this is."""
        changes: dict[str, object] = {"channel_id": line.channel_id, "status_id": line.message_id}
        if self.request.several:
            changes["threadable"] = False  # the songs belong together, where their lines are
        return self.request.place.model_copy(update=changes)

    async def answer(self, text: str, number: int = 1) -> None:
        """Say the one sentence with which picture `number` ends, in its status message where there is one."""
        if line := self.progress.lines.get(number):
            place = self.place(line)
            try:
                await with_discord_retry(lambda: edit_message(self._client, place, line.message_id, content=text))
            except discord.HTTPException as error:
                if error.status not in GONE:
                    raise
                log.info("request %s: its line %d is gone: %s", self.request.first_id, number, error)
            else:
                return
        await self._say(text, number, [], "a")

    def _received(self) -> str:
        return say(self.request.wish.language, "status.received")

    async def _say(self, text: str, number: int, embeds: list[discord.Embed], mark: str) -> discord.Message:
        # A second message of the same nonce within minutes is the first one, also from another process.
        nonce = f"{mark}{self.request.first_id}-{number}"
        if self.progress.thread and self.progress.head is not None:
            thread = self._messageable(self.progress.head.message_id)  # a thread has its message's id
            return await with_discord_retry(lambda: thread.send(text, embeds=embeds, nonce=nonce))
        if self._headed:
            return await self._say_more(text, embeds, nonce)
        message = await self._say_first(text, embeds, nonce)
        self._headed = True  # not before: else "thinking" would stay above what is said next
        return message

    def _messageable(self, channel_id: int) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(channel_id, guild_id=self.request.place.guild_id)

    @property
    def _channel(self) -> discord.PartialMessageable:
        return self._messageable(self.request.place.channel_id)

    def _note_on_sent(self) -> list[discord.Embed]:
        # Notes stand in embeds: edits of the text leave them as they are.
        sent, taken = self.request.sent, len(self.request.pictures)
        if sent == taken:
            return []
        note = say(self.request.wish.language, "status.first_of", count=sent, taken=taken)
        return [discord.Embed(description=note)]

    def _note_on_picture(self, number: int) -> list[discord.Embed]:
        """Return what tells one status message of several from another: number and a small picture."""
        pictures = self.request.pictures
        if not self.request.several:
            return []
        note = say(self.request.wish.language, "status.picture", number=number, count=len(pictures))
        return [discord.Embed(description=note).set_thumbnail(url=pictures[number - 1].url)]

    async def _open_thread(self) -> bool:
        place, head = self.request.place, self.progress.head
        name = say(self.request.wish.language, "status.thread", count=self.request.songs)
        if head is None:
            return False
        return await open_thread(self._client, head.channel_id, head.message_id, name, place.archive_minutes)

    @abstractmethod
    async def _say_first(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        """Say the first thing."""

    @abstractmethod
    async def _say_more(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        """Say something more beside it."""


class PostResponder(Responder):
    """Pictures in a message; the bot replies to it."""

    async def acknowledge(self) -> None:
        """Post the status message: a post has no "thinking", and in a rush the limits may take a second to look up."""
        if self.request.songs == 1:
            await self.open_status(1)

    async def _say_first(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        return await reply(self._channel, self.request.message_id, text, nonce, embeds)

    async def _say_more(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        return await self._say_first(text, embeds, nonce)


class PressResponder(PostResponder):
    """A button under a song: the status is for everybody, why there is none for the presser alone."""

    async def acknowledge(self) -> None:
        """Nothing: whether there will be a song is looked up before anybody else sees something."""

    async def answer(self, text: str, number: int = 1) -> None:
        """Tell the presser; a status that stands there already goes."""
        if line := self.progress.lines.get(number):
            with suppress(discord.NotFound):
                await self._messageable(line.channel_id).get_partial_message(line.message_id).delete()
        await interaction_of(self._client, self.request).followup.send(text, ephemeral=True)


class CommandResponder(Responder):
    """A command whose deferred response says the first thing; whatever follows the bot posts itself."""

    async def _say_first(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        try:
            return await self._edit_response(content=text, embeds=embeds)
        except discord.HTTPException as error:
            if not self._has_expired(error):
                raise
            return await self._say_elsewhere(text, embeds, nonce)

    def _has_expired(self, error: discord.HTTPException) -> bool:
        """Return whether the token has died before the bot came back."""
        age = discord.utils.utcnow() - discord.utils.snowflake_time(int(self.request.first_id))
        # The same is said of one that was never acknowledged: its asker was told by Discord, and asks again.
        died = error.code in INVALID_TOKEN_CODES and age > TOKEN_LIFETIME
        if died:
            log.info("request %s: its token has died before the bot came back: %s", self.request.first_id, error)
        return died

    async def _edit_response(self, **changes: Any) -> discord.Message:
        # A response is one by itself.
        interaction = interaction_of(self._client, self.request)
        return await with_discord_retry(lambda: interaction.edit_original_response(**changes))

    async def _say_elsewhere(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        return await with_discord_retry(lambda: self._channel.send(text, embeds=embeds, nonce=nonce))

    async def _say_more(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        return await self._say_elsewhere(text, embeds, nonce)

    async def _to_asker(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        channel = await with_discord_retry(lambda: self._client.create_dm(discord.Object(self.request.user_id)))
        return await with_discord_retry(lambda: channel.send(text, embeds=embeds, nonce=nonce))


class TokenResponder(CommandResponder):
    """A command from where the bot is not: all answers go through the interaction's token."""

    def place(self, line: StatusLine) -> Place:
        """Return where the song goes: where its line stands in the direct messages, there, and by no token."""
        place = super().place(line)
        if line.channel_id == self.request.place.channel_id:
            return place
        return _in_dms(line, place.guild_id)

    async def _say_more(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        followup = interaction_of(self._client, self.request).followup  # those have no nonce
        try:
            return await followup.send(text, embeds=embeds, ephemeral=self.request.private, wait=True)
        except discord.HTTPException as error:
            if not self._has_expired(error):
                raise
            return await self._say_elsewhere(text, embeds, nonce)

    async def _say_elsewhere(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        return await self._to_asker(text, embeds, nonce)


class PrivateResponder(CommandResponder):
    """A command whose response only the asker sees; status and song go to the direct messages."""

    async def open_status(self, number: int) -> Place:
        """Post the status message to the asker. Raises Rejected("discord.dm_closed")."""
        language = self.request.wish.language
        if number not in self.progress.lines:
            try:
                status = await self._to_asker(self._received(), [], f"s{self.request.first_id}-{number}")
            except discord.Forbidden as error:  # 50007 among others: this member takes no messages from us
                raise Rejected("discord.dm_closed") from error
            await self.stands(number, status)
        line = self.progress.lines[number]
        note = say(language, "status.private", link=link_to(None, line.channel_id, line.message_id))
        try:
            await self._edit_response(content=note)
        except discord.HTTPException as error:
            if not self._has_expired(error):
                raise
        return self.place(line)

    def place(self, line: StatusLine) -> Place:
        """Return the direct messages."""
        return _in_dms(line, self.request.place.guild_id)

    async def answer(self, text: str, number: int = 1) -> None:
        """Put the sentence into the response; nothing stays in the direct messages."""
        try:
            await self._say_first(text, [], f"a{self.request.first_id}-{number}")
        finally:
            await self._take_back(number)

    async def _take_back(self, number: int) -> None:
        if line := self.progress.lines.get(number):
            channel = self._client.get_partial_messageable(line.channel_id)
            await channel.get_partial_message(line.message_id).delete()
            await self.written(lines={key: value for key, value in self.progress.lines.items() if key != number})

    async def _say_elsewhere(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        return await self._to_asker(text, embeds, nonce)


RESPONDERS: dict[Way, type[Responder]] = {
    "post": PostResponder,
    "command": CommandResponder,
    "token": TokenResponder,
    "private": PrivateResponder,
    "press": PressResponder,
}


async def reply(
    channel: discord.PartialMessageable, message_id: int, text: str, nonce: str, embeds: Sequence[discord.Embed] = ()
) -> discord.Message:
    """Reply once: a second reply with the same nonce within minutes is the first one, also from another process."""
    # The post may be gone by now: then this is a plain message.
    reference = channel.get_partial_message(message_id).to_reference(fail_if_not_exists=False)
    return await with_discord_retry(
        lambda: channel.send(text, reference=reference, nonce=nonce, embeds=embeds),
    )


def interaction_of(client: discord.Client, request: Request) -> discord.Interaction[discord.Client]:
    """Return the interaction that the request came by, as far as its answers need it."""
    data: Any = {
        "id": request.first_id,
        "type": discord.InteractionType.application_command.value,
        "token": request.token,
        "version": 1,
        "application_id": client.application_id or 0,
        "attachment_size_limit": request.place.max_bytes,
    }
    interaction = discord.Interaction(data=data, state=client._connection)  # noqa: SLF001 - nothing else builds one
    interaction.channel = client.get_partial_messageable(request.place.channel_id, guild_id=request.place.guild_id)  # type: ignore[assignment]  # all that its messages need
    return interaction


def _in_dms(line: StatusLine, ordered_in: int | None) -> Place:
    return Place(channel_id=line.channel_id, status_id=line.message_id, ordered_in=ordered_in)


def _status_line(message: discord.Message) -> StatusLine:
    return StatusLine(channel_id=message.channel.id, message_id=message.id)
