"""Asks from outside whether the song page is found under its public address, for `melodify check`."""

import asyncio
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from bot.web.responses import POLICY
from bot.web.serving import listening
from melodify_core.config.settings import Web
from melodify_core.errors import Misconfigured
from melodify_core.pages import address_of, new_page_id

DEADLINE_S = 10.0


async def reach(settings: Web) -> tuple[bool, str]:
    """Return whether visitors reach the song page, and a sentence that says so.

    Serves the port itself, unless that is taken: then `run` is taken to serve it already.
    """
    url, asked, taken = address_of(settings.public_url, new_page_id()), set[str](), ""

    async def note(request: web.Request) -> web.Response:
        asked.add(request.path)
        raise web.HTTPNotFound

    app = web.Application()
    app.router.add_get("/{path:.*}", note)
    async with AsyncExitStack() as stack:
        try:
            port = await stack.enter_async_context(listening(settings))
            await stack.enter_async_context(port.running(app, count=lambda _request: None))
        except Misconfigured as error:
            taken = str(error)
        try:
            async with asyncio.timeout(DEADLINE_S), aiohttp.ClientSession() as session:
                answer = await session.get(url, allow_redirects=False)
        except TimeoutError:
            reason = f"does not answer within {DEADLINE_S:g} s. {taken}"
        except (aiohttp.ClientError, OSError) as error:
            reason = f"cannot be reached: {error or type(error).__name__}. {taken}"
        else:
            hint = taken or "It must lead, with its path, to web.host and web.port of this machine."
            reason = f"answers with {answer.status}, but not for the song page. {hint}"
            # What comes from us has headers that no other server gives to an unknown page.
            ours = answer.status == 404 and answer.headers.get("Content-Security-Policy") == POLICY
            reached = ours if taken else urlsplit(url).path in asked
            if reached:
                return True, f"the song page is reached under {settings.public_url}"
        return False, f"web.public_url: {settings.public_url} {reason.strip()}"
