"""How each way of asking is answered: a post, a press, a command, a private one, one by token.

What the ways share is in responder.py. fulfilment.py decides what to answer.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import discord

from bot.discord_api.errors import with_discord_retry
from bot.posts.destinations import link_to
from bot.requests.request import Request, StatusLine, Way
from bot.requests.responder import Responder
from melodify_core.errors import Rejected
from melodify_core.models import Place

log = logging.getLogger(__name__)
# discord.com/developers/docs/topics/opcodes-and-status-codes: unknown webhook, invalid webhook token.
INVALID_TOKEN_CODES = (10015, 50027)
TOKEN_LIFETIME = timedelta(minutes=15)  # discord.com/developers/docs/interactions/receiving-and-responding


class PostResponder(Responder):
    """Answers pictures in a message with replies to it."""

    async def acknowledge(self) -> None:
        """Post the status message now: a post has no "thinking...", and checking the limits may take a second."""
        if self.request.songs == 1:
            await self.open_status(1)

    async def _send_first(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        return await reply(self._channel, self.request.message_id, text, nonce, embeds)

    async def _send_more(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        return await self._send_first(text, embeds, nonce)


class PressResponder(PostResponder):
    """Answers a button under a song: everybody sees the status message, only the presser sees a refusal."""

    async def acknowledge(self) -> None:
        """Do nothing: other members must see nothing until it is certain that there will be a song."""

    async def answer(self, text: str, number: int = 1) -> None:
        """Send the sentence to the presser; delete the status message."""
        if line := self.progress.lines.get(number):
            with suppress(discord.NotFound):
                await self._messageable(line.channel_id).get_partial_message(line.message_id).delete()
        await interaction_of(self._client, self.request).followup.send(text, ephemeral=True)


class CommandResponder(Responder):
    """Answers a command: the deferred response becomes the first message, the bot posts all others itself.

    Only the asker sees a refusal.
    """

    async def answer(self, text: str, number: int = 1) -> None:
        """Send the sentence to the asker, after what everybody saw of this picture is deleted."""
        interaction = interaction_of(self._client, self.request)
        try:
            with suppress(discord.NotFound):
                if line := self.progress.lines.get(number):
                    await self._delete(line)
                elif not self._has_first_message:
                    # The first followup takes the place of "thinking...", for everybody to see: so another text does.
                    await self._edit_response(content=self._say("status.received"))
                    await interaction.delete_original_response()
            await interaction.followup.send(text, ephemeral=True)
        except discord.HTTPException as error:
            if not self._has_expired(error):
                raise
            await super().answer(text, number)

    async def _delete(self, line: StatusLine) -> None:
        await self._messageable(line.channel_id).get_partial_message(line.message_id).delete()

    async def _send_first(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        try:
            return await self._edit_response(content=text, embeds=embeds)
        except discord.HTTPException as error:
            if not self._has_expired(error):
                raise
            return await self._send_without_token(text, embeds, nonce)

    def _has_expired(self, error: discord.HTTPException) -> bool:
        """Return whether the token expired before the bot came back."""
        age = discord.utils.utcnow() - discord.utils.snowflake_time(int(self.request.first_id))
        # If the token is younger, the interaction was never acknowledged: Discord has shown the asker that it failed.
        expired = error.code in INVALID_TOKEN_CODES and age > TOKEN_LIFETIME
        if expired:
            log.info("request %s: its token has expired, posting without it: %s", self.request.first_id, error)
        return expired

    async def _edit_response(self, **changes: Any) -> discord.Message:
        # An edit needs no nonce: there is only one response.
        interaction = interaction_of(self._client, self.request)
        return await with_discord_retry(lambda: interaction.edit_original_response(**changes))

    async def _send_without_token(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        return await with_discord_retry(lambda: self._channel.send(text, embeds=embeds, nonce=nonce))

    async def _send_more(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        return await self._send_without_token(text, embeds, nonce)

    async def _send_dm(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        channel = await with_discord_retry(lambda: self._client.create_dm(discord.Object(self.request.user_id)))
        return await with_discord_retry(lambda: channel.send(text, embeds=embeds, nonce=nonce))


class TokenResponder(CommandResponder):
    """Answers a command from where the bot is not a member: through the interaction's token."""

    async def _delete(self, line: StatusLine) -> None:
        await interaction_of(self._client, self.request).followup.delete_message(line.message_id)

    def place_of(self, line: StatusLine) -> Place:
        """Return where the song goes: by the token, or to the direct messages if its status message is there."""
        place = super().place_of(line)
        if line.channel_id == self.request.place.channel_id:
            return place
        return _in_dms(line, place.guild_id)

    async def _send_more(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        followup = interaction_of(self._client, self.request).followup  # followups have no nonce
        try:
            return await followup.send(text, embeds=embeds, ephemeral=self.request.private, wait=True)
        except discord.HTTPException as error:
            if not self._has_expired(error):
                raise
            return await self._send_without_token(text, embeds, nonce)

    async def _send_without_token(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        return await self._send_dm(text, embeds, nonce)


class PrivateResponder(CommandResponder):
    """Answers a command in a response that only the asker sees, and in direct messages: status and song."""

    async def open_status(self, number: int) -> Place:
        """Post the status message to the asker. Raises Rejected("discord.dm_closed")."""
        if number not in self.progress.lines:
            try:
                status = await self._send_dm(self._say("status.received"), [], f"s{self.request.first_id}-{number}")
            except discord.Forbidden as error:  # 50007 among others: the member accepts no messages from the bot
                raise Rejected("discord.dm_closed") from error
            await self._save_status(number, status)
        line = self.progress.lines[number]
        note = self._say("status.private", link=link_to(None, line.channel_id, line.message_id))
        try:
            shown = await self._edit_response(content=note)
        except discord.HTTPException as error:
            if not self._has_expired(error):
                raise
            return self.place_of(line)
        # The end is shown there too.
        return self.place_of(line).model_copy(update={"note_id": shown.id, "note_token": self.request.token})

    def place_of(self, line: StatusLine) -> Place:
        """Return that the song goes to the direct messages."""
        return _in_dms(line, self.request.place.guild_id)

    async def answer(self, text: str, number: int = 1) -> None:
        """Put the sentence into the response; delete the status message in the direct messages."""
        try:
            await self._send_first(text, [], f"a{self.request.first_id}-{number}")
        finally:
            await self._delete_status(number)

    async def _delete_status(self, number: int) -> None:
        if line := self.progress.lines.get(number):
            channel = self._client.get_partial_messageable(line.channel_id)
            await channel.get_partial_message(line.message_id).delete()
            await self.save(lines={key: value for key, value in self.progress.lines.items() if key != number})

    async def _send_without_token(self, text: str, embeds: list[discord.Embed], nonce: str) -> discord.Message:
        return await self._send_dm(text, embeds, nonce)


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
    """Reply once: for some minutes, Discord answers the same nonce with the first reply, even to another process."""
    # If the post is gone by now, this is a plain message.
    reference = channel.get_partial_message(message_id).to_reference(fail_if_not_exists=False)
    return await with_discord_retry(
        lambda: channel.send(text, reference=reference, nonce=nonce, embeds=embeds),
    )


def interaction_of(client: discord.Client, request: Request) -> discord.Interaction[discord.Client]:
    """Return the interaction of the request, as far as its answers need it."""
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
