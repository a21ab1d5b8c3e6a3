"""The status message of each job: an older line never overwrites a newer one. Says nothing of its own."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field

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
    """Edits status messages through their channel: an interaction's token may be dead by then."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._lines: OrderedDict[str, _Line] = OrderedDict()

    async def show(self, job_id: str, place: Place, rank: int, text: str, view: discord.ui.View | None = None) -> None:
        """Edit the job's status message and its buttons, unless it shows this text or one of a higher rank already.

        Raises what discord.py raises. A place without a status message has nothing to edit.
        """
        if place.status_id is None:
            return
        line = self._line(job_id)
        async with line.lock:
            if rank < line.rank or (rank == line.rank and line.text == text):
                return
            line.rank, line.text = rank, None
            await message_at(self._client, place, place.status_id).edit(content=text, view=view)
            line.text = text

    def _line(self, job_id: str) -> _Line:
        line = self._lines.pop(job_id, None) or _Line()
        self._lines[job_id] = line
        if len(self._lines) > REMEMBERED_JOBS:
            self._lines.popitem(last=False)
        return line


def message_at(client: discord.Client, place: Place, message_id: int) -> discord.PartialMessage:
    """Return the handle of a message of the place's channel; asks Discord nothing."""
    channel = client.get_partial_messageable(place.channel_id, guild_id=place.guild_id)
    return channel.get_partial_message(message_id)
