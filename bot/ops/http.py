"""Runs an aiohttp application within the bounds that aiohttp lacks: on connections, on heads, on stalled visitors.

A connection that waits for its visitor gives way to a new one: half-open connections keep nobody out.

The ops port and the song page share it. A malformed request is neither logged nor sent back: aiohttp does both, and
names its own version.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import web
from aiohttp.http import RawRequestMessage
from multidict import CIMultiDict, CIMultiDictProxy

log = logging.getLogger(__name__)
IDLE_S = 30.0  # between requests, and for the head of the first
STOP_S = 2.0
NAME = "Melodify"
_LONGEST_HEAD = 16 * 1024  # the fields together, and the line
_LONGEST = {"max_line_size": 4096, "max_field_size": 8190, "max_headers": 64}


class ConnectionLimiter:
    """Bounds what is open at once, in all and for each address; "" is nobody's address and has no bound of its own."""

    def __init__(self, in_all: int, per_address: int) -> None:
        self._in_all = in_all
        self._per_address = per_address
        self._open: Counter[str] = Counter()

    @contextmanager
    def hold(self, address: str) -> Iterator[None]:
        """Count one more until the block ends. Raises HTTPTooManyRequests and HTTPServiceUnavailable."""
        if refusal := self.refusal(address):
            raise refusal
        self._open[address] += 1
        try:
            yield
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]

    def refusal(self, address: str) -> web.HTTPException | None:
        """Return why one more from the address would be one too many, None where it would not."""
        if address and self._open[address] >= self._per_address:
            return web.HTTPTooManyRequests(headers={"Retry-After": "5"})
        if self._open.total() >= self._in_all:
            return web.HTTPServiceUnavailable(headers={"Retry-After": "5"})
        return None


class WaitingConnections:
    """The connections that wait for their visitor: for a request, or until what is written is taken.

    The one that has waited longest gives way to a new one.
    """

    def __init__(self, limiter: ConnectionLimiter, per_address: int) -> None:
        self._limiter = limiter
        self._per_address = per_address
        self._addresses: dict[Connection, str] = {}  # the longest waiting first

    def make_room(self, address: str) -> None:
        """Close a connection where a new one from the address would be one too many."""
        own = [connection for connection, other in self._addresses.items() if address and other == address]
        refusal = self._limiter.refusal(address)
        if len(own) >= self._per_address or isinstance(refusal, web.HTTPTooManyRequests):
            candidates = own
        else:
            candidates = list(self._addresses) if refusal else []
        for connection in candidates[:1]:
            connection.give_way()

    def note(self, connection: "Connection", address: str, *, waits: bool) -> None:
        """Note whether the connection waits for its visitor."""
        if waits:
            self._addresses.setdefault(connection, address)
        else:
            self._addresses.pop(connection, None)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the connections of a server share."""

    headers: Mapping[str, str]  # of each answer that does not bring its own
    limiter: ConnectionLimiter
    waiting_per_address: int  # how many of one address may wait for a request, or for their visitor to read
    stall_s: float = 30.0
    address_of: Callable[[str], str] = str  # under which name a peer's address is counted
    count: Callable[[web.BaseRequest], None] = lambda _request: None  # may refuse a malformed request
    cancel_left: bool = False  # end the handler of a visitor who has left


@asynccontextmanager
async def running(app: web.Application, rules: Rules) -> AsyncIterator[Callable[[], asyncio.Protocol]]:
    """Run the application until the block ends, and yield what makes its connections."""

    async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
        for name, value in rules.headers.items():
            response.headers.setdefault(name, value)
        response.headers["Server"] = NAME

    app.on_response_prepare.append(add_headers)
    runner = web.AppRunner(app, shutdown_timeout=STOP_S, handler_cancellation=rules.cancel_left)
    await runner.setup()
    server = runner.server
    if server is None:
        raise RuntimeError("aiohttp made no server")
    make_request = server.request_factory

    def hide_expect(message: RawRequestMessage, *rest: Any) -> web.BaseRequest:
        """Hide an Expect header: aiohttp answers, and repeats, it before any middleware runs."""
        if "Expect" in message.headers:
            headers = CIMultiDict(message.headers)
            headers.popall("Expect")
            message = message._replace(headers=CIMultiDictProxy(headers))
        return make_request(message, *rest)

    server.request_factory = hide_expect
    try:
        yield partial(Connection, server, rules, WaitingConnections(rules.limiter, rules.waiting_per_address))
    finally:
        await runner.cleanup()


class Connection(web.RequestHandler):
    """One connection, within bounds."""

    __slots__ = ("_address", "_answering", "_place", "_rules", "_stalling", "_waiting", "_waiting_bytes", "_wire")

    def __init__(self, server: web.Server, rules: Rules, waiting: WaitingConnections) -> None:
        bounds = {"keepalive_timeout": IDLE_S, "lingering_time": 0, **_LONGEST}
        # aiohttp takes None for no log.
        super().__init__(server, loop=asyncio.get_running_loop(), access_log=None, **bounds)  # type: ignore[arg-type]
        self._rules = rules
        self._place = ExitStack()
        self._address: str | None = None  # None without a place
        self._waiting = waiting
        self._answering = False
        self._wire: asyncio.BaseTransport | None = None  # aiohttp forgets its own before all is written
        self._stalling: asyncio.TimerHandle | None = None
        self._waiting_bytes = 0  # of requests that are incomplete, or wait for an answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or close it when there are too many."""
        super().connection_made(transport)
        self._wire = transport
        peer = transport.get_extra_info("peername")
        address = self._rules.address_of(str(peer[0]) if peer else "")
        self._waiting.make_room(address)
        try:
            self._place.enter_context(self._rules.limiter.hold(address))
        except web.HTTPException:
            self.force_close()
            return
        self._address = address
        self._note_waiting()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Make room for another connection."""
        self._leave_place()
        self._cancel_stalling()
        super().connection_lost(exc)

    def give_way(self) -> None:
        """Make room for another connection at once, and close this one."""
        self._leave_place()
        if isinstance(self._wire, asyncio.Transport):
            self._wire.abort()

    def _leave_place(self) -> None:
        if self._address is not None:
            self._waiting.note(self, self._address, waits=False)
            self._address = None
        self._place.close()

    def _note_waiting(self) -> None:
        if self._address is not None:
            waits = not self._answering or self._stalling is not None
            self._waiting.note(self, self._address, waits=waits)

    def pause_writing(self) -> None:
        """Close the connection unless the visitor soon takes what is written."""
        super().pause_writing()
        if self.transport is not None:
            self._stalling = asyncio.get_running_loop().call_later(self._rules.stall_s, self.transport.abort)
        self._note_waiting()

    def resume_writing(self) -> None:
        """Go on writing."""
        self._cancel_stalling()
        self._note_waiting()
        super().resume_writing()

    def _cancel_stalling(self) -> None:
        if self._stalling is not None:
            self._stalling.cancel()
            self._stalling = None

    def data_received(self, data: bytes) -> None:
        """Parse the data; refuse a head that is too long, and as much data behind a request that is not answered."""
        while data and self._waiting_bytes < _LONGEST_HEAD:
            piece, data = data[: _LONGEST_HEAD - self._waiting_bytes], data[_LONGEST_HEAD - self._waiting_bytes :]
            # aiohttp's private queue of complete requests: hence the upper bound on its version in pyproject.toml.
            idle = not self._messages
            super().data_received(piece)
            self._waiting_bytes = 0 if idle and self._messages else self._waiting_bytes + len(piece)
        if self._waiting_bytes >= _LONGEST_HEAD:
            super().data_received(b"\0")  # no head may contain this byte: the parser refuses the request
        if self._messages:
            self._answering = True
            self._note_waiting()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Finish the answer, and wait for the next request."""
        finished = await super().finish_response(request, resp, start_time)
        self._answering = bool(self._messages)
        self._note_waiting()
        return finished

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Answer a malformed request, or our own failure, in two words; log only our own failure."""
        del message
        begun = request.writer.output_size > 0
        if status >= 500 and not (isinstance(exc, ConnectionError) and (begun or self.transport is None)):
            log.error("a request failed", exc_info=exc)  # a visitor who leaves is no failure
        if begun:
            raise ConnectionResetError
        text, own = ("Error\n" if status >= 500 else "Bad request\n"), {"Server": NAME}
        try:
            if status < 500:
                self._rules.count(request)
        except web.HTTPException as refusal:
            status, text, own = refusal.status, "Busy\n", own | {"Retry-After": refusal.headers["Retry-After"]}
        response = web.Response(status=status, text=text, headers={**self._rules.headers, **own})
        response.force_close()
        return response
