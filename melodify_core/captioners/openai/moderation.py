"""Whether a picture and a hint may be read at all, asked of OpenAI's free moderation before anything else.

Fails closed: what could not be checked is not read.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import openai
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from melodify_core.errors import Refused, Unavailable

# Errors that say more than that there was no check.
_TELLING = {"provider.misconfigured", "provider.exhausted"}
Ask = Callable[[list[dict[str, Any]]], Awaitable[bytes]]


# What an age-restricted channel may show; "sexual/minors" is another category and stays forbidden.
_ADULT = {"sexual"}


class _Result(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    flagged: bool = Field(strict=True)
    categories: dict[str, Any] | None = None

    def forbidden(self, *, adult: bool) -> bool:
        """Return whether it is flagged, for `adult` places for something else than being sexual."""
        named = {name for name, meant in (self.categories or {}).items() if meant}
        return self.flagged and not (adult and named and named <= _ADULT)


class _Verdict(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    results: list[_Result] = Field(min_length=1)


async def moderate(image_url: str, hint: str, ask: Ask, *, adult: bool = False) -> None:
    """Raise Refused when the picture or the hint is flagged, Unavailable when that could not be found out.

    For `adult` places being sexual is no reason.

    One call for both. Its answer does not say which of them was meant, so the hint is then asked for alone.
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
        if error.code in _TELLING:
            raise
        raise Unavailable("caption.unchecked") from error
    except Refused as error:
        # A picture that the moderation itself does not want to look at.
        raise Refused("caption.picture_blocked") from error


def verdict_of(content: bytes, *, adult: bool = False) -> bool:
    """Return whether an answer flags its input. Raises Unavailable for anything but a verdict."""
    try:
        verdict = _Verdict.model_validate(json.loads(content))
    except (ValidationError, ValueError, RecursionError) as error:
        raise Unavailable("caption.unchecked") from error
    return any(result.forbidden(adult=adult) for result in verdict.results)
