"""The ways of asking for songs - a command, a private one, one from where the bot is not, a post - and their answers.

Where the status messages stand is decided here, what becomes of them in intake.py. Several pictures have one line in
the channel with a thread on it, where each has its own status message; where there can be no thread, these stand in
the channel.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import discord

from bot.delivery import THREAD_EXISTS, link_to
from bot.faults import retried
from bot.messages import say
from melodify_core.errors import Rejected
from melodify_core.models import Place, Wish

log = logging.getLogger(__name__)
Interaction = discord.Interaction[discord.Client]


@dataclass(frozen=True, slots=True)
class Request:
    """What is the same in every way of asking. Of the `sent` pictures these are taken."""

    first_id: str  # of the interaction or message: the first picture's job
    user_id: int
    pictures: tuple[discord.Attachment, ...]
    sent: int
    wish: Wish
    place: Place  # all of it but the status message, which does not stand yet
    private: bool = False
    role_ids: tuple[int, ...] = ()

    @property
    def several(self) -> bool:
        """Whether there is more than one song to make."""
        return len(self.pictures) > 1


class Ask(ABC):
    """One member's request, still tied to what Discord sent. Methods raise what discord.py raises."""

    def __init__(self, client: discord.Client, request: Request) -> None:
        self.request = request
        self._client = client
        self._thread: discord.PartialMessageable | None = None
        self._headed = False
        self._lines: dict[int, discord.Message] = {}

    async def begin(self) -> None:
        """Prepare for several songs: one line in the channel, with a thread on it where that is possible."""
        if not (self.request.several and self.request.place.threadable):
            return
        language = self.request.wish.language
        text = say(language, "status.several", count=len(self.request.pictures))
        # Not picture 1's nonce: Discord would take its line in the thread for this one.
        head = await self._say(text, 0, self._note_on_sent(), "s")
        self._thread = await self._open_thread(head)

    async def acknowledge(self) -> None:  # noqa: B027 - most ways of asking need nothing
        """Show the asker that the picture has arrived, where Discord itself shows nothing."""

    async def open_status(self, number: int) -> Place:
        """Post the status message of picture `number`, from 1, and say where it stands. Raises Rejected."""
        if number in self._lines:
            return self._place(self._lines[number])
        embeds = self._note_on_picture(number)
        if number == 1 and not self._headed:
            embeds = self._note_on_sent() + embeds
        line = await self._say(say(self.request.wish.language, "status.received"), number, embeds, "s")
        self._lines[number] = line
        return self._place(line)

    def _place(self, line: discord.Message) -> Place:
        changes: dict[str, object] = {"channel_id": line.channel.id, "status_id": line.id}
        if self.request.several:
            changes["threadable"] = False  # the songs belong together, where their lines are
        return self.request.place.model_copy(update=changes)

    async def answer(self, text: str, number: int = 1) -> None:
        """Say the one sentence with which picture `number` ends, in its status message where there is one."""
        if line := self._lines.get(number):
            await retried(lambda: line.edit(content=text))
        else:
            await self._say(text, number, [], "a")

    async def _say(self, text: str, number: int, embeds: list[discord.Embed], mark: str) -> discord.Message:
        # A second message of the same nonce within minutes is the first one, also from another process.
        nonce = f"{mark}{self.request.first_id}-{number}"
        if self._thread is not None:
            thread = self._thread
            return await retried(lambda: thread.send(text, embeds=embeds, nonce=nonce))
        if not self._headed:
            self._headed = True
            return await self._say_first(text, embeds, nonce)
        return await self._say_more(text, embeds, nonce)

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

    async def _open_thread(self, head: discord.Message) -> discord.PartialMessageable | None:
        language, place = self.request.wish.language, self.request.place
        name = say(language, "status.thread", count=len(self.request.pictures))
        try:
            await head.create_thread(name=name, auto_archive_duration=place.archive_minutes)  # type: ignore[arg-type]
        except discord.HTTPException as error:
            if error.code != THREAD_EXISTS:
                log.info("request %s: no thread, the songs go into the channel: %s", self.request.first_id, error)
                return None
        # A thread has its message's id.
        return self._client.get_partial_messageable(head.id, guild_id=place.guild_id)

    @abstractmethod
    async def _say_first(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        """Say the first thing."""

    @abstractmethod
    async def _say_more(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        """Say something more beside it."""


class PostAsk(Ask):
    """Pictures in a message; the bot replies to it."""

    def __init__(self, client: discord.Client, message: discord.Message, request: Request) -> None:
        super().__init__(client, request)
        self._message = message

    async def acknowledge(self) -> None:
        """Post the status message: a post has no "thinking", and in a rush the limits may take a second to look up."""
        if not self.request.several and self.request.pictures:
            await self.open_status(1)

    async def _say_first(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        return await reply(self._message, text, nonce, embeds)

    async def _say_more(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        return await reply(self._message, text, nonce, embeds)


class CommandAsk(Ask):
    """A command whose deferred response says the first thing; whatever follows the bot posts itself."""

    def __init__(self, interaction: Interaction, request: Request) -> None:
        super().__init__(interaction.client, request)
        self._interaction = interaction

    async def _say_first(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        del nonce  # a response is one by itself
        return await retried(lambda: self._interaction.edit_original_response(content=text, embeds=embeds))

    async def _say_more(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        place = self.request.place
        channel = self._client.get_partial_messageable(place.channel_id, guild_id=place.guild_id)
        return await retried(lambda: channel.send(text, embeds=embeds, nonce=nonce))


class TokenAsk(CommandAsk):
    """A command from where the bot is not: all answers go through the interaction's token."""

    async def _say_more(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        del nonce  # follow-ups have none
        return await self._interaction.followup.send(text, embeds=embeds, ephemeral=self.request.private, wait=True)


class PrivateAsk(CommandAsk):
    """A command whose response only the asker sees; status and song go to the direct messages."""

    async def open_status(self, number: int) -> Place:
        """Post the status message to the asker. Raises Rejected("discord.dm_closed")."""
        language = self.request.wish.language
        try:
            user, nonce = self._interaction.user, f"s{self.request.first_id}-{number}"
            status = await retried(lambda: user.send(say(language, "status.received"), nonce=nonce))
        except discord.Forbidden as error:  # 50007 among others: this member takes no messages from us
            raise Rejected("discord.dm_closed") from error
        self._lines[number] = status
        link = link_to(None, status.channel.id, status.id)
        note = say(language, "status.private", link=link)
        await retried(lambda: self._interaction.edit_original_response(content=note))
        return Place(channel_id=status.channel.id, status_id=status.id, ordered_in=self.request.place.guild_id)

    async def answer(self, text: str, number: int = 1) -> None:
        """Put the sentence into the response; nothing stays in the direct messages."""
        await retried(lambda: self._interaction.edit_original_response(content=text))
        if status := self._lines.pop(number, None):
            await status.delete()


async def reply(
    message: discord.Message, text: str, nonce: str, embeds: Sequence[discord.Embed] = ()
) -> discord.Message:
    """Reply once: a second reply with the same nonce within minutes is the first one, also from another process."""
    # The post may be gone by now: then this is a plain message.
    reference = message.to_reference(fail_if_not_exists=False)
    return await retried(
        lambda: message.channel.send(text, reference=reference, nonce=nonce, embeds=embeds),
    )
