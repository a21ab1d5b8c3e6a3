"""HTTP for the composers whose services have no SDK here: bounded answers, a deadline to connect, one kind of error.

Repeats nothing and follows no redirect: a key is sent to one address only.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from melodify_core.composers.http_status import Ended

CONNECT_S = 10.0
WORDS = 300  # characters of a service's own words in the log
_REQUEST_IDS = ("request-id", "x-request-id", "x-trace-id")


@dataclass(eq=False)
class Fault(Ended):
    """A call that brought no answer, or an answer that is an error."""

    body: Any = None  # of an error, where it is JSON

    def __str__(self) -> str:
        return f"{self.status or 'no answer'} {' '.join(self.words.split())[:WORDS]}".strip()


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer without an error."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    def json(self) -> Any:
        """Return the body as JSON, None where it is none."""
        return _parsed(self.body)


class HttpApi:
    """Calls one address. Opened with the first call, inside the running loop."""

    def __init__(self, url: str, headers: Mapping[str, str], max_bytes: int, *, proxies: bool) -> None:
        """`proxies` says whether the environment's proxies are used: not for a server of the host's own."""
        self._url = url.rstrip("/")
        self._headers = dict(headers)
        self._max_bytes = max_bytes
        self._proxies = proxies
        self._session: aiohttp.ClientSession | None = None

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Reply:
        """Return the answer. Raises Fault."""
        return await self._call("GET", path, query, None)

    async def post(self, path: str, body: Mapping[str, Any]) -> Reply:
        """Send JSON and return the answer. Raises Fault."""
        return await self._call("POST", path, None, body)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _call(
        self, method: str, path: str, query: Mapping[str, str] | None, body: Mapping[str, Any] | None
    ) -> Reply:
        try:
            async with self._opened().request(
                method, f"{self._url}{path}", params=query, json=body, allow_redirects=False
            ) as answer:
                data = await self._read(answer)
                if answer.status != 200:
                    raise fault_of(answer.status, answer.headers, data)
                return Reply(data, dict(answer.headers))
        except aiohttp.ConnectionTimeoutError as error:
            raise Fault(words="no connection in time", sent=False, in_time=False) from error
        except aiohttp.ClientConnectorError as error:
            raise Fault(words="no connection", sent=False) from error
        except aiohttp.ClientError as error:
            raise Fault(words=type(error).__name__) from error

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
                trust_env=self._proxies,
            )
        return self._session

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for part in answer.content.iter_any():
            body += part
            if len(body) > self._max_bytes:
                raise aiohttp.ClientPayloadError("the answer is too large")
        return bytes(body)


def fault_of(status: int, headers: Mapping[str, str], data: bytes) -> Fault:
    """Return what an answer with another status than 200 says."""
    body = _parsed(data)
    request_id = next((headers[name][:128] for name in _REQUEST_IDS if headers.get(name)), "unknown")
    wait = headers.get("retry-after", "")
    wait_s = float(wait) if re.fullmatch(r"\d{1,6}(\.\d*)?", wait) else 0.0
    words = json.dumps(body, ensure_ascii=False) if body is not None else data[: 2 * WORDS].decode("utf-8", "replace")
    return Fault(status, words[: 4 * WORDS], wait_s, request_id, body=body)


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
