"""Asks from outside whether the song page is found under its public address, for `melodify check`."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from http import HTTPStatus

import aiohttp

from bot.web import headers
from bot.web.serving import serve
from melodify_core.config.settings import Web
from melodify_core.errors import Misconfigured
from melodify_core.models import Stage, Stored
from melodify_core.pages import Page, address_of, new_page_id

DEADLINE_S = 10.0


class _Nothing:
    """Pages and files of which there are none; remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    async def page(self, page_id: str) -> Page | None:
        self.asked.add(page_id)
        return None

    async def watch(self, page_id: str) -> AsyncGenerator[Stage, None]:
        stages: tuple[Stage, ...] = ()
        del page_id
        for stage in stages:
            yield stage

    async def find(self, key: str) -> Stored | None:
        del key
        return None

    async def read(self, key: str, start: int, length: int) -> bytes:
        del key, start, length
        return b""


async def reach(settings: Web) -> tuple[bool, str]:
    """Return whether visitors reach the song page, and a sentence that says so.

    Serves the port itself, unless that is taken: then `run` is taken to serve it already.
    """
    nothing, page_id = _Nothing(), new_page_id()
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(serve(nothing, nothing, settings))
        except Misconfigured as error:
            running, taken = True, str(error)
        else:
            running, taken = False, ""
        return await _ask(address_of(settings.public_url, page_id), page_id, None if running else nothing, taken)


async def _ask(url: str, page_id: str, nothing: _Nothing | None, taken: str) -> tuple[bool, str]:
    where = url.rpartition("/s/")[0]
    try:
        async with (
            asyncio.timeout(DEADLINE_S),
            aiohttp.ClientSession() as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            status, policy = answer.status, answer.headers.get("Content-Security-Policy")
    except TimeoutError:
        return False, f"web.public_url: {where} does not answer within {DEADLINE_S:g} s. {taken}".strip()
    except (aiohttp.ClientError, OSError) as error:
        return False, f"web.public_url: {where} cannot be reached: {error or type(error).__name__}. {taken}".strip()
    # What comes from us says what no other server would say of an unknown page.
    ours = page_id in nothing.asked if nothing else policy == headers.POLICY and status == HTTPStatus.NOT_FOUND
    if not ours:
        hint = taken or "It must lead, with its path, to web.host and web.port of this machine."
        return False, f"web.public_url: {where} answers with {status}, but not for the song page. {hint}"
    return True, f"the song page is reached under {where}"
