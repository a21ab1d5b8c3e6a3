"""What goes wrong on the way to OpenAI: which of our errors it becomes, and what may be asked again.

Asked again is only what was certainly not charged (no connection, 408, 409, 429, 5xx), and one time a connection that
was cut before any answer: that call may have been charged, and a second costs a fraction of a cent.
"""

import asyncio
import email.utils
import logging
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import openai

from melodify_core.captioners.openai.wire import AnswerLost
from melodify_core.errors import MelodifyError, Refused, Unavailable

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 8.0
# Documented codes (platform.openai.com/docs/guides/error-codes and the SDK's ResponseError), and those seen elsewhere.
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


@asynccontextmanager
async def translated(job_id: str, when: float) -> AsyncIterator[None]:
    """Turn what the SDK raises inside, and the loop's time `when`, into Refused or Unavailable, and log it.

    The errors lose their text on the way: some servers repeat the request in it, picture and all.
    """
    try:
        async with asyncio.timeout_at(when):
            yield
    except TimeoutError as error:
        log.warning("job %s: openai: no answer in time", job_id)
        raise Unavailable("provider.too_slow") from error
    except openai.APIError as error:
        ours = error_of(error)
        log.warning("job %s: openai: %s (%s), request id %s", job_id, ours, _described(error), _request_id(error))
        _hush(error)
        raise ours from error
    except AnswerLost as error:
        log.warning("job %s: openai: %s", job_id, error)
        raise Unavailable("provider.unavailable") from error


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
        # All that we send follows from the settings: what is not accepted is the operator's to fix.
        return Unavailable("provider.misconfigured")
    return Unavailable("provider.unavailable")


def may_repeat(error: openai.APIError, attempt: int) -> bool:
    """Return whether the same may be asked again after the failed attempt, the first being 0."""
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
    """Return whether a call is known not to be charged: refused before any work, over its quota, or never sent.

    A gateway that gave up on a server (5xx, 408) says nothing of what that server did.
    """
    if isinstance(error, openai.APIStatusError):
        return error.status_code < 500 and error.status_code != 408
    return isinstance(error, openai.APIError) and _never_sent(error)


def pause_s(error: openai.APIError, attempt: int) -> float:
    """Return how long to wait before the next attempt: as long as the server says, else a growing while."""
    asked = _retry_after_s(error.response.headers) if isinstance(error, openai.APIStatusError) else None
    if asked is not None:
        return asked
    return float(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**attempt)) * random.uniform(0.75, 1)


def wants_another_model(error: openai.APIError) -> bool:
    """Return whether the fallback model may know better: this one is unknown, or has too much to do."""
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


def _described(error: openai.APIError) -> str:
    status = error.status_code if isinstance(error, openai.APIStatusError) else type(error.__cause__ or error).__name__
    # A code is an identifier; anything else in its place may be a repeated request.
    code = str(error.code or error.type or "no code")
    return f"{status}, {code if len(code) <= 60 and code.replace('_', '').isalnum() else 'strange code'}"


def _request_id(error: openai.APIError) -> str | None:
    return error.request_id if isinstance(error, openai.APIStatusError) else None


def _hush(error: openai.APIError) -> None:
    error.args = (_described(error),)
    error.message = _described(error)
    error.body = None
