"""Asking again: the one place where a call to Lyria is repeated, and only where it cannot be billed twice."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from google.api_core import exceptions as api

from melodify_core.composers.lyria.answer import NotBilled
from melodify_core.google import error_of, wait_asked_s

Result = TypeVar("Result")


async def asked(ask: Callable[[], Awaitable[Result]], tries: int, pause_s: float, until: float) -> Result:
    """Ask until there is an answer, at most `tries` times and on the loop's clock not past `until`.

    Repeated are a full house (429, unless the day's quota is gone) and a service that was not reached or said itself
    that it is away (503). Not repeated are a deadline, a connection lost during the call and a fault inside the
    service (500): there may be music by then, and a bill. Raises what the last try raised.
    """
    for tried in range(1, tries):
        try:
            return await ask()
        except api.GoogleAPICallError as error:
            wait_s = max(wait_asked_s(error), pause_s * 2 ** (tried - 1) * random.uniform(1, 1.5))
            if not _may_be_repeated(error) or asyncio.get_running_loop().time() + wait_s >= until:
                raise
        await asyncio.sleep(wait_s)
    return await ask()


def _may_be_repeated(error: api.GoogleAPICallError) -> bool:
    code = error_of(error).code
    if isinstance(error, NotBilled):
        return code == "provider.unavailable"
    return code == "provider.busy"
