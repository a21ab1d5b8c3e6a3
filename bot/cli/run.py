"""`melodify run`: the gateway and, unless `melodify worker` makes the songs, the work in one process until a signal."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import discord

from bot.cli import process
from bot.cli.token import invite_link, token_of
from bot.client import MelodifyClient, ServePages
from bot.ops.server import operating
from melodify_core.bootstrap import Role, open_services
from melodify_core.config.settings import Settings, Web
from melodify_core.errors import Misconfigured
from melodify_core.media.memory import use_one_arena


async def run(settings: Settings, *, works: bool = True) -> int:
    """Serve until a signal. The first one drains, a second one ends at once. Raises Misconfigured.

    Without `works` this process only takes orders: `melodify worker` makes the songs.
    """
    token = token_of(settings)
    use_one_arena()
    process.allow_files(settings)
    stop = process.stop_on_signal()
    role = Role(works=works, on_slot_lost=stop.set)
    async with AsyncExitStack() as stack:
        # The page's port comes first: a port in use must be reported before anything else is started.
        try:
            serve_pages = await stack.enter_async_context(_song_pages(settings.web, invite_link(token)))
            client = MelodifyClient(settings, partial(open_services, settings, role=role), serve_pages)
            await stack.enter_async_context(operating(settings.ops, client.health))
        except Misconfigured as error:
            raise _with_the_first(error, settings) from error
        stack.enter_context(process.export_traces(settings.ops))
        return await _serve(client, token, stop, settings)


def _with_the_first(error: Misconfigured, settings: Settings) -> Misconfigured:
    """Return the error; the Melodify that uses the database already, and likely the port, is named before it."""
    from melodify_core.jobs.workers import only_process
    from melodify_core.library import database_path, lock_file

    if not settings.database.url.startswith("sqlite") or not database_path(settings.database.url).exists():
        return error
    try:
        with only_process(lock_file(settings.database.url)):
            return error
    except Misconfigured as running:
        return Misconfigured(*running.problems, *error.problems)


async def _serve(client: MelodifyClient, token: str, stop: asyncio.Event, settings: Settings) -> int:
    serving = asyncio.create_task(client.start(token))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        if stop.is_set():
            process.log_stop(settings)
            if not client.is_ready():
                # The client is still starting: closing it now would miss the studio that it is about to open.
                serving.cancel()
                await asyncio.wait({serving})
        await client.close()
    return 0 if serving.cancelled() else await _exit_code(serving)


async def _exit_code(serving: asyncio.Task[None]) -> int:
    try:
        await serving
    except discord.LoginFailure as error:
        raise Misconfigured(process.WRONG_LOGIN) from error
    except discord.PrivilegedIntentsRequired as error:
        raise Misconfigured(process.INTENT_OFF) from error
    except process.UNREACHABLE as error:
        process.log_unreachable(error)
        return 1
    return 0


@asynccontextmanager
async def _song_pages(settings: Web, invite: str) -> AsyncIterator[ServePages | None]:
    """Yield what serves the song pages, None when they are off."""
    if not settings.public_url:
        yield None
        return
    from bot.web.serving import listening

    async with listening(settings) as port:
        yield lambda services: port.serving(services.pages, services.storage, services.songs, invite)
