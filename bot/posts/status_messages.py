"""The status message of each job: an older line never overwrites a newer one. Says nothing of its own."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import discord

from melodify_core.models import Place

REMEMBERED_JOBS = 2048


@dataclass(slots=True)
class _Line:
    """What a status message shows."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    rank: int = -1
    text: str | None = None  # None: not shown yet


class StatusBoard:
    """Edits status messages through their channel, where the bot has one: an interaction's token soon dies."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._lines: OrderedDict[str, _Line] = OrderedDict()

    async def show(self, job_id: str, place: Place, rank: int, text: str, view: discord.ui.View | None = None) -> None:
        """Edit the job's status message and its buttons, unless it shows this text or one of a higher rank already.

        Raises what discord.py raises. A place without a status message has nothing to edit.
        """
        await self.replace(job_id, place, rank, text, content=text, view=view)

    async def replace(self, job_id: str, place: Place, rank: int, text: str, **changes: Any) -> None:
        """Change more of the message than its text; `text` says in short what it shows then."""
        if place.status_id is None:
            return
        line = self._line(job_id)
        async with line.lock:
            if rank < line.rank or (rank == line.rank and line.text == text):
                return
            line.rank, line.text = rank, None
            await edit_message(self._client, place, place.status_id, **changes)
            line.text = text

    def begin_again(self, job_id: str, ended: int) -> None:
        """Let a job whose last line was of the rank `ended` show its stages once more: it is tried again."""
        if (line := self._lines.get(job_id)) is not None and line.rank == ended:
            del self._lines[job_id]

    def _line(self, job_id: str) -> _Line:
        line = self._lines.pop(job_id, None) or _Line()
        self._lines[job_id] = line
        if len(self._lines) > REMEMBERED_JOBS:
            self._lines.popitem(last=False)
        return line


async def edit_message(client: discord.Client, place: Place, message_id: int, **changes: Any) -> None:
    """Edit a message of the place's channel, through the interaction's token where there is one."""
    if place.token is not None:
        webhook = discord.Webhook.partial(client.application_id or 0, place.token, client=client)
        await webhook.edit_message(message_id, **changes)
        return
    channel = client.get_partial_messageable(place.channel_id, guild_id=place.guild_id)
    await channel.get_partial_message(message_id).edit(**changes)
