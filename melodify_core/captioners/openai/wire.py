"""Configures the SDK's client: no retries of its own, bounded answers, and no requests in the log."""

import logging
from collections.abc import AsyncIterator

import httpx2
import openai

from melodify_core.config.settings import OpenAI

BASE_URL = "https://api.openai.com/v1"
ANSWER_BYTES = 256 * 1024  # forty times the longest answer
CONNECT_S = 10.0
# Servers without keys get this one: the SDK requires a key.
NO_KEY = "none"


class AnswerLost(Exception):
    """The server had begun to answer, and so to charge, but the answer did not arrive."""


def client_of(settings: OpenAI) -> openai.AsyncOpenAI:
    """Return the client of these settings; the environment's OPENAI_* variables do not change its address."""
    _silence_logs()
    return openai.AsyncOpenAI(
        api_key=settings.api_key.get_secret_value() if settings.api_key else NO_KEY,
        base_url=settings.base_url or BASE_URL,
        max_retries=0,
        http_client=openai.DefaultAsyncHttpxClient(
            timeout=httpx2.Timeout(settings.deadline_s, connect=min(CONNECT_S, settings.deadline_s)),
            event_hooks={"response": [_bound]},
        ),
    )


def _silence_logs() -> None:
    # The SDK's debug log prints whole requests, including the picture as Base64.
    for name in ("openai", "httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.WARNING)


async def _bound(response: httpx2.Response) -> None:
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = _Bounded(response.stream, charged=response.is_success)


class _Bounded(httpx2.AsyncByteStream):
    """An answer's body up to ANSWER_BYTES. Raises AnswerLost when a charged answer is lost."""

    def __init__(self, stream: httpx2.AsyncByteStream, *, charged: bool) -> None:
        self._stream = stream
        self._charged = charged

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        try:
            async for chunk in self._stream:
                size += len(chunk)
                if size > ANSWER_BYTES:
                    raise httpx2.RemoteProtocolError("the answer is too long")
                yield chunk
        except httpx2.TransportError as error:
            if self._charged:
                raise AnswerLost("the answer broke off") from error
            raise

    async def aclose(self) -> None:
        await self._stream.aclose()
