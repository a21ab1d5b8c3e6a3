"""Where a job's messages may go: the thread on its status message, its channel, a direct message to its asker."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import discord

from melodify_core.models import Job

log = logging.getLogger(__name__)
# discord.com/developers/docs/topics/opcodes-and-status-codes
THREAD_EXISTS = 160004
FILE_TOO_LARGE = 40005
INVALID_RECIPIENT = 50033  # a deleted account: nobody is left for whom the song could wait
Open = Callable[[], Awaitable[discord.abc.Messageable | None]]


@dataclass(frozen=True, slots=True)
class Destination:
    """A channel to post in. `open` returns None where there is no such channel, and raises what discord.py raises."""

    name: str  # for the log
    open: Open


def destinations_of(client: discord.Client, job: Job, thread: Open | None = None) -> list[Destination]:
    """Return where to post for the job, the best first: the `thread` if there is one, the channel, a direct message."""

    async def channel() -> discord.abc.Messageable:
        return client.get_partial_messageable(job.place.channel_id, guild_id=job.place.guild_id)

    async def direct_message() -> discord.abc.Messageable:
        return await client.create_dm(discord.Object(job.user_id))

    last = Destination("the direct message", direct_message)
    if job.place.token is not None:
        return [last]  # the bot is not a member of the channel
    return [*([Destination("the thread", thread)] if thread else ()), Destination("the channel", channel), last]


def thread_of(client: discord.Client, job: Job) -> discord.PartialMessageable | None:
    """Return the thread on the job's status message, opened or not; None if the channel has no threads."""
    if not job.place.threadable or job.place.status_id is None:
        return None
    return client.get_partial_messageable(job.place.status_id, guild_id=job.place.guild_id)


def skip_unreachable(error: discord.HTTPException, job: Job, what: str) -> None:
    """Log that the place is gone or closed, so that the next one is tried. Raise an error that means anything else."""
    # 401 is an expired token. 400 comes for many reasons, such as an archived thread or a rule of AutoMod.
    if error.status not in (400, 401, 403, 404) or error.code in (FILE_TOO_LARGE, INVALID_RECIPIENT):
        raise error
    log.info("job %s: %s is gone or closed, going on without it: %s", job.job_id, what, error)


async def open_thread(
    client: discord.Client, channel_id: int, message_id: int, name: str, archive_minutes: int
) -> bool:
    """Open a thread on the message; return whether the message has one now. The thread has the message's id.

    Raises discord.py's error when another attempt may help.
    """
    try:
        channel = client.get_channel(channel_id) or await client.fetch_channel(channel_id)
        if not isinstance(channel, discord.TextChannel):
            return False
        await channel.get_partial_message(message_id).create_thread(
            name=name,
            auto_archive_duration=archive_minutes,  # type: ignore[arg-type]  # the settings' choices are its
        )
    except discord.HTTPException as error:
        if error.status not in (400, 403, 404):
            raise
        if error.code != THREAD_EXISTS:
            log.info("message %s: no thread can be opened, the songs go into the channel: %s", message_id, error)
            return False
    return True


def link_to(guild_id: int | None, channel_id: int, message_id: int) -> str:
    """Return the address of a message."""
    return f"https://discord.com/channels/{guild_id or '@me'}/{channel_id}/{message_id}"
