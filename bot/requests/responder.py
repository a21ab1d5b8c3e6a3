"""How a request is answered, as far as all ways of asking share it: first message, status messages, thread.

Several pictures get one message in the channel, and a thread on it in which each has its own status message. If there
can be no thread, the status messages are in the channel. responders.py has what differs between the ways of asking.
Responders work from recorded data alone, because a restart leaves nothing else.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable

import discord

from bot.discord_api.errors import with_discord_retry
from bot.i18n.messages import say
from bot.posts.destinations import open_thread
from bot.posts.status_messages import edit_message
from bot.requests.request import Request, RequestProgress, StatusLine
from melodify_core.models import Place

log = logging.getLogger(__name__)
GONE = (401, 404)  # the message, or the token that it is edited with


class Responder(ABC):
    """Answers one request. Methods raise what discord.py raises."""

    def __init__(
        self, client: discord.Client, progress: RequestProgress, record: Callable[[RequestProgress], Awaitable[None]]
    ) -> None:
        """Start from the recorded progress. `record` records further progress."""
        self.progress = progress
        self._client = client
        self._record = record
        self._has_first_message = bool(progress.head or progress.lines or progress.next > 1)

    @property
    def request(self) -> Request:
        """What was asked."""
        return self.progress.request

    async def acknowledge(self) -> None:  # noqa: B027 - most ways of asking need nothing
        """Show the asker that the picture has arrived, unless Discord itself shows something."""

    async def start_thread(self) -> None:
        """Post one message for several pictures and open a thread on it, where that is possible."""
        place = self.request.place
        if not (self.request.several and place.threadable):
            return
        if (head := self.progress.head) is None:
            text = self._say("status.several", count=self.request.songs)
            # Use another nonce than picture 1: Discord would take its status message in the thread for this message.
            head = _line_of(await self._send(text, 0, self._note_on_sent(), "s"))
            await self.save(head=head)
        if not self.progress.thread:
            name = self._say("status.thread", count=self.request.songs)
            opened = await open_thread(self._client, head.channel_id, head.message_id, name, place.archive_minutes)
            await self.save(thread=opened)

    async def open_status(self, number: int) -> Place:
        """Post the status message of picture `number`, from 1, and return where its song goes. Raises Rejected."""
        if number not in self.progress.lines:
            embeds = self._note_on_picture(number)
            if number == 1 and not self._has_first_message:
                embeds = self._note_on_sent() + embeds
            await self._save_status(number, await self._send(self._say("status.received"), number, embeds, "s"))
        return self.place_of(self.progress.lines[number])

    def place_of(self, line: StatusLine) -> Place:
        """Return where the song of this status message goes."""
        changes: dict[str, object] = {"channel_id": line.channel_id, "status_id": line.message_id}
        if self.request.several:
            changes["threadable"] = False  # the songs are posted together, where their status messages are
        return self.request.place.model_copy(update=changes)

    async def answer(self, text: str, number: int = 1) -> None:
        """Post the final answer to picture `number`, in its status message if there is one."""
        if line := self.progress.lines.get(number):
            place = self.place_of(line)
            try:
                await with_discord_retry(lambda: edit_message(self._client, place, line.message_id, content=text))
            except discord.HTTPException as error:
                if error.status not in GONE:
                    raise
                first_id = self.request.first_id
                log.info("request %s: status message %d is gone, sending another: %s", first_id, number, error)
            else:
                return
        await self._send(text, number, [], "a")

    async def save(self, **changes: object) -> None:
        """Record the changed progress."""
        self.progress = self.progress.model_copy(update=changes)
        await self._record(self.progress)

    async def _save_status(self, number: int, message: discord.Message) -> None:
        await self.save(lines=self.progress.lines | {number: _line_of(message)})

    async def _send(self, text: str, number: int, embeds: list[discord.Embed], mark: str) -> discord.Message:
        # For some minutes, Discord answers the same nonce with the first message, even to another process.
        nonce = f"{mark}{self.request.first_id}-{number}"
        if self.progress.thread and self.progress.head is not None:
            thread = self._messageable(self.progress.head.message_id)  # a thread has its message's id
            return await with_discord_retry(lambda: thread.send(text, embeds=embeds, nonce=nonce))
        if self._has_first_message:
            return await self._send_more(text, embeds, nonce)
        message = await self._send_first(text, embeds, nonce)
        self._has_first_message = True  # only now: if sending failed, the next message must replace "thinking..."
        return message

    @abstractmethod
    async def _send_first(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        """Send the first message."""

    @abstractmethod
    async def _send_more(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        """Send a further message."""

    def _say(self, key: str, **values: str | float) -> str:
        return say(self.request.wish.language, key, **values)

    def _messageable(self, channel_id: int) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(channel_id, guild_id=self.request.place.guild_id)

    @property
    def _channel(self) -> discord.PartialMessageable:
        return self._messageable(self.request.place.channel_id)

    def _note_on_sent(self) -> list[discord.Embed]:
        # Notes are embeds, so that edits of the text do not change them.
        sent, taken = self.request.sent, len(self.request.pictures)
        if sent == taken:
            return []
        return [discord.Embed(description=self._say("status.first_of", count=sent, taken=taken))]

    def _note_on_picture(self, number: int) -> list[discord.Embed]:
        """Return what tells the status messages of several pictures apart: the number and a small picture."""
        pictures = self.request.pictures
        if not self.request.several:
            return []
        note = self._say("status.picture", number=number, count=len(pictures))
        embed, picture = discord.Embed(description=note), pictures[number - 1]
        return [embed if picture.spoiler else embed.set_thumbnail(url=picture.url)]


def _line_of(message: discord.Message) -> StatusLine:
    return StatusLine(channel_id=message.channel.id, message_id=message.id)
