"""Edits the status messages of jobs. An older state never overwrites a newer one. The texts are the caller's."""

import asyncio
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import discord

from melodify_core.models import Place

REMEMBERED_JOBS = 2048


@dataclass(slots=True)
class _Status:
    """What a job's status message shows."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    rank: int = -1
    version: str | None = None  # None: not known to be shown


class StatusBoard:
    """Edits status messages through their channel where the bot has one: an interaction's token soon expires."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._status_of = lru_cache(REMEMBERED_JOBS)(lambda _job_id: _Status())

    async def show(self, job_id: str, place: Place, rank: int, text: str, view: discord.ui.View | None = None) -> None:
        """Edit the job's status message and its buttons, unless it shows this text or one of a higher rank already.

        Raises discord.py's errors. Does nothing for a place without a status message.
        """
        await self.replace(job_id, place, rank, text, content=text, view=view)

    async def replace(self, job_id: str, place: Place, rank: int, version: str, **changes: Any) -> None:
        """Change any parts of the message, by the same rule. An edit with the same rank and `version` is made once."""
        if place.status_id is None:
            return
        status = self._status_of(job_id)
        async with status.lock:
            if rank < status.rank or (rank == status.rank and status.version == version):
                return
            status.rank, status.version = rank, None
            await edit_message(self._client, place, place.status_id, **changes)
            status.version = version

    def begin_again(self, job_id: str, ended: int) -> None:
        """Forget the status of a job that showed the rank `ended`, so that a new attempt shows its stages."""
        status = self._status_of(job_id)
        if status.rank == ended:
            status.rank, status.version = -1, None


async def edit_message(client: discord.Client, place: Place, message_id: int, **changes: Any) -> None:
    """Edit a message of the place's channel, through the interaction's token where there is one."""
    if place.token is not None:
        webhook = discord.Webhook.partial(client.application_id or 0, place.token, client=client)
        await webhook.edit_message(message_id, **changes)
        return
    channel = client.get_partial_messageable(place.channel_id, guild_id=place.guild_id)
    await channel.get_partial_message(message_id).edit(**changes)
