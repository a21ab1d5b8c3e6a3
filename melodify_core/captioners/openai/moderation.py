"""The Moderator port on OpenAI: its free moderation checks a picture and a hint, beside any captioner.

It fails closed: a picture that could not be checked is not read.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import openai
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from melodify_core.captioners.openai.faults import translated, with_retries
from melodify_core.captioners.openai.question import image_url_of
from melodify_core.captioners.openai.wire import client_of
from melodify_core.config.settings import OpenAI
from melodify_core.errors import Misconfigured, Refused, Unavailable
from melodify_core.models import Picture, Wish
from melodify_core.ports import ProviderContext

KEYS_PAGE = "https://platform.openai.com/api-keys"

# Errors that say more than "caption.unchecked".
_SPECIFIC = {"provider.misconfigured", "provider.exhausted"}
Ask = Callable[[list[dict[str, Any]]], Awaitable[bytes]]


# What an age-restricted channel may show; "sexual/minors" is another category and stays forbidden.
_ADULT = {"sexual"}


class _Result(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    flagged: bool = Field(strict=True)
    categories: dict[str, Any] | None = None

    def forbidden(self, *, adult: bool) -> bool:
        """Return whether it is flagged; for `adult` places, flagged for more than being sexual."""
        named = {name for name, meant in (self.categories or {}).items() if meant}
        return self.flagged and not (adult and named and named <= _ADULT)


class _Verdict(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    results: list[_Result] = Field(min_length=1)


class OpenAIModerator:
    """Asks OpenAI, or the captioner's server where only that is named, before a picture is read."""

    name = "openai"

    def __init__(self, settings: OpenAI) -> None:
        self._settings = settings_of_moderation(settings)
        self._client = client_of(self._settings)
        self._calls = asyncio.Semaphore(settings.calls)

    async def check(self) -> None:
        """Moderate a harmless word. Raises Misconfigured and Unavailable."""
        async with translated("check", asyncio.get_running_loop().time() + self._settings.deadline_s):
            problem = await _problem(self._client, self._settings)
        if problem:
            raise Misconfigured(problem)

    def describe(self) -> str:
        """Return who checks."""
        return f"pictures and hints are checked by {self._settings.moderation_model} (moderation openai)"

    async def close(self) -> None:
        """Close the client's connections."""
        await self._client.close()

    async def moderate(self, picture: Picture, wish: Wish, context: ProviderContext) -> None:
        """Raise Refused for what is flagged, and Unavailable, also past the deadline in all."""
        when = asyncio.get_running_loop().time() + self._settings.deadline_s
        async with translated(context.job_id, when):
            await self._calls.acquire()
        try:
            image_url = await asyncio.to_thread(image_url_of, picture, self._settings)
            await moderate(image_url, wish.hint, partial(self._ask, context.job_id, when), adult=context.adult)
        finally:
            self._calls.release()

    async def _ask(self, job_id: str, when: float, parts: list[dict[str, Any]]) -> bytes:
        ask = partial(question, self._client, self._settings.moderation_model, parts)
        async with translated(job_id, when):
            return await with_retries(ask, self._settings.tries, when)


def settings_of_moderation(settings: OpenAI) -> OpenAI:
    """Return the settings with the moderation's key and address; its key alone means OpenAI's own address."""
    if settings.moderation_key is None and settings.moderation_url is None:
        return settings
    key = settings.moderation_key or (settings.api_key if settings.base_url is None else None)
    return settings.model_copy(update={"api_key": key, "base_url": settings.moderation_url})


async def _problem(client: openai.AsyncOpenAI, settings: OpenAI) -> str:
    """Moderate a harmless word, which costs nothing (platform.openai.com/docs/guides/moderation)."""
    try:
        verdict_of(await question(client, settings.moderation_model, [{"type": "text", "text": "hello"}]))
    except openai.AuthenticationError:
        return f"{_key(settings)}: the moderation does not accept the key; make one at {KEYS_PAGE}."
    except openai.PermissionDeniedError:
        return f"{_key(settings)}: the key lacks permission; allow it Moderations at {KEYS_PAGE}."
    except (openai.NotFoundError, openai.BadRequestError, Unavailable) as error:
        if isinstance(error, openai.APIStatusError) and error.code in ("model_not_found", "invalid_model"):
            return f'openai.moderation_model: the server knows no model "{settings.moderation_model}".'
        return (
            f"openai: the server at {settings.base_url} has no moderation like OpenAI's; set openai.moderation_key "
            'to a key of OpenAI, where it is free, or moderation = "local", or "off" if pictures may go unchecked.'
            if settings.base_url
            else f'openai.moderation_model: "{settings.moderation_model}" does not check texts and pictures.'
        )
    return ""


def _key(settings: OpenAI) -> str:
    return "openai.moderation_key" if settings.moderation_key else "openai.api_key"


async def moderate(image_url: str, hint: str, ask: Ask, *, adult: bool = False) -> None:
    """Raise Refused when the picture or the hint is flagged, Unavailable when they could not be checked.

    For `adult` places, being sexual does not count.

    One call checks both. Its answer does not say which of them is flagged, so the hint is then checked alone.
    """
    picture = {"type": "image_url", "image_url": {"url": image_url}}
    text = {"type": "text", "text": hint}
    if not await _flagged([picture, text] if hint else [picture], ask, adult=adult):
        return
    if hint and await _flagged([text], ask, adult=adult):
        raise Refused("caption.hint_blocked")
    raise Refused("caption.picture_blocked")


async def question(client: openai.AsyncOpenAI, model: str, parts: list[dict[str, Any]]) -> bytes:
    """Ask the moderation model; return the bytes of its answer."""
    answer = await client.moderations.with_raw_response.create(model=model, input=parts)  # type: ignore[arg-type]
    return answer.content


async def _flagged(parts: list[dict[str, Any]], ask: Ask, *, adult: bool) -> bool:
    try:
        return verdict_of(await ask(parts), adult=adult)
    except Unavailable as error:
        if error.code in _SPECIFIC:
            raise
        raise Unavailable("caption.unchecked") from error
    except Refused as error:
        # The moderation itself refused the picture.
        raise Refused("caption.picture_blocked") from error


def verdict_of(content: bytes, *, adult: bool = False) -> bool:
    """Return whether an answer flags its input. Raises Unavailable when it is not a verdict."""
    try:
        verdict = _Verdict.model_validate(json.loads(content))
    except (ValidationError, ValueError, RecursionError) as error:
        raise Unavailable("caption.unchecked") from error
    return any(result.forbidden(adult=adult) for result in verdict.results)
