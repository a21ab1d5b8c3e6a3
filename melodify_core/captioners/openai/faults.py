"""Turns the errors of OpenAI's SDK into ours, and decides what may be retried.

Retried is only what was certainly not charged (no connection, 408, 409, 429, 5xx), and once a connection that was cut
before any answer: that call may have been charged, and a second one costs a fraction of a cent.
"""

import asyncio
import email.utils
import logging
import random
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Literal, TypeVar

import httpx2
import openai

from melodify_core.captioners.openai.wire import AnswerLost
from melodify_core.errors import MelodifyError, Refused, Unavailable

log = logging.getLogger(__name__)
Result = TypeVar("Result")

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 8.0
# Documented codes (platform.openai.com/docs/guides/error-codes and the SDK's ResponseError), and codes seen elsewhere.
REFUSALS = frozenset(
    {
        "content_policy_violation",
        "image_content_policy_violation",
        "content_filter",
        "moderation_blocked",
        "invalid_prompt",
        "bio_policy",
        "misalignment_policy_violation",
        "safety_violation",
    }
)
EXHAUSTED = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
# What a request has beside the question, and a server may not know.
Part = Literal["effort", "response_format"]
_EFFORT = re.compile(r"effort|reasoning|thinking")
# llama.cpp fails with 500 where it makes no grammar of the schema.
_GRAMMAR = re.compile(r"grammar|response_format|json_schema|json schema|sampler")
READ_CHARACTERS = 10_000  # of an error's body: some servers repeat the picture in it
_RESET = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@asynccontextmanager
async def translated(job_id: str, when: float) -> AsyncIterator[None]:
    """Turn the SDK's errors within, and the loop's time passing `when`, into Refused or Unavailable, and log them.

    The errors lose their text: some servers repeat the whole request in it, with the picture.
    """
    try:
        async with asyncio.timeout_at(when):
            yield
    except TimeoutError as error:
        log.warning("job %s: openai: no answer in time, giving up", job_id)
        raise Unavailable("provider.too_slow") from error
    except openai.APIError as error:
        translation = error_of(error)
        details = _described(error), _request_id(error)
        log.warning("job %s: openai: %s (%s), request id %s", job_id, translation, *details)
        _redact(error)
        raise translation from error
    except AnswerLost as error:
        log.warning("job %s: openai: %s", job_id, error)
        raise Unavailable("provider.unavailable") from error


async def with_retries(ask: Callable[[], Awaitable[Result]], tries: int, when: float) -> Result:
    """Ask up to `tries` times, as long as the failed attempts cost nothing and the deadline leaves room to wait."""
    loop = asyncio.get_running_loop()
    for attempt in range(tries - 1):
        try:
            return await ask()
        except openai.APIError as error:
            pause = pause_s(error, attempt)
            if not may_repeat(error, attempt) or loop.time() + pause >= when:
                raise
            await asyncio.sleep(pause)
    return await ask()


def error_of(error: openai.APIError) -> MelodifyError:
    """Return our error for one of the SDK's."""
    if _is(error, REFUSALS):
        return Refused("caption.refused")
    if _is(error, EXHAUSTED):
        return Unavailable("provider.exhausted")
    if isinstance(error, openai.APITimeoutError) and not _never_sent(error):
        return Unavailable("provider.too_slow")
    if isinstance(error, openai.RateLimitError):
        return Unavailable("provider.busy")
    if isinstance(error, openai.APIStatusError) and error.status_code < 500 and error.status_code not in (408, 409):
        # All that we send follows from the settings: the operator has to fix what is not accepted.
        return Unavailable("provider.misconfigured")
    return Unavailable("provider.unavailable")


def may_repeat(error: openai.APIError, attempt: int) -> bool:
    """Return whether the request may be retried after the failed attempt; the first attempt is 0."""
    if _is(error, REFUSALS | EXHAUSTED):
        return False
    if isinstance(error, openai.APIStatusError):
        return error.status_code in (408, 409, 429) or error.status_code >= 500
    if _never_sent(error):
        return True
    return (
        attempt == 0 and isinstance(error, openai.APIConnectionError) and not isinstance(error, openai.APITimeoutError)
    )


def is_free(error: BaseException) -> bool:
    """Return whether the call is known not to be charged: rejected before any work, over quota, or never sent.

    A gateway that timed out on a server (5xx, 408) says nothing about what that server did.
    """
    if isinstance(error, openai.APIStatusError):
        return error.status_code < 500 and error.status_code != 408
    return isinstance(error, openai.APIError) and _never_sent(error)


def pause_s(error: openai.APIError, attempt: int) -> float:
    """Return how long to wait before the next attempt: as long as the server says, else with exponential backoff."""
    if isinstance(error, openai.APIStatusError):
        told_s = _retry_after_s(error.response.headers)
        if told_s is None and error.status_code == 429:
            told_s = _reset_s(error.response.headers)
        if told_s is not None:
            return told_s
    return float(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**attempt)) * random.uniform(0.75, 1)


def unknown_part(error: openai.APIStatusError, sent: frozenset[Part]) -> Part | None:
    """Return the part of the request without which the server may answer, if it is about one.

    Servers word this in any way, so each 400 and 422 counts; rejected requests cost nothing.
    """
    if _is(error, REFUSALS | EXHAUSTED) or error.code == "model_not_found":
        return None
    body = error.response.text[:READ_CHARACTERS].casefold()
    if error.status_code in (400, 422):
        if "effort" in sent and _EFFORT.search(body):
            return "effort"
        return "response_format" if "response_format" in sent else None
    return (
        "response_format" if error.status_code == 500 and "response_format" in sent and _GRAMMAR.search(body) else None
    )


def wants_another_model(error: openai.APIError) -> bool:
    """Return whether the fallback model may help: this one is unknown or overloaded."""
    if _is(error, REFUSALS | EXHAUSTED) or not isinstance(error, openai.APIStatusError):
        return False
    return error.status_code in (404, 429) or error.status_code >= 500 or error.code == "model_not_found"


def _is(error: openai.APIError, codes: frozenset[str]) -> bool:
    return error.code in codes or error.type in codes


def _never_sent(error: openai.APIError) -> bool:
    return isinstance(error.__cause__, (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout))


def _retry_after_s(headers: httpx2.Headers) -> float | None:
    """Read Retry-After (RFC 9110, 10.2.3) or OpenAI's own finer header."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) * unit)
        except (KeyError, ValueError):
            continue
    try:
        return max(0.0, email.utils.parsedate_to_datetime(headers["retry-after"]).timestamp() - time.time())
    except (KeyError, ValueError, TypeError):
        return None


def _reset_s(headers: httpx2.Headers) -> float | None:
    """Read when the limit that is used up begins anew (platform.openai.com/docs/guides/rate-limits)."""
    kinds = ("-requests", "-tokens", "")
    used_up = [kind for kind in kinds if headers.get(f"x-ratelimit-remaining{kind}", "0").strip() in ("0", "0.0")]
    waits = [_duration_s(headers.get(f"x-ratelimit-reset{kind}", "")) for kind in used_up]
    return max((wait for wait in waits if wait is not None), default=None)


def _duration_s(text: str) -> float | None:
    """Read "6m0s", seconds, or a moment in unix seconds or milliseconds, as OpenRouter writes it."""
    if found := _RESET.findall(text):
        return sum(float(number) * _UNIT_S[unit] for number, unit in found)
    try:
        number = float(text)
    except ValueError:
        return None
    moment_s = number / 1000 if number > 1e11 else number
    return max(0.0, moment_s - time.time()) if moment_s > 1e9 else max(0.0, number)


def _described(error: openai.APIError) -> str:
    status = error.status_code if isinstance(error, openai.APIStatusError) else type(error.__cause__ or error).__name__
    # A code is an identifier; anything else may be a part of the request.
    code = str(error.code or error.type or "no code")
    return f"{status}, {code if len(code) <= 60 and code.replace('_', '').isalnum() else 'strange code'}"


def _request_id(error: openai.APIError) -> str | None:
    return error.request_id if isinstance(error, openai.APIStatusError) else None


def _redact(error: openai.APIError) -> None:
    error.args = (_described(error),)
    error.message = _described(error)
    error.body = None
