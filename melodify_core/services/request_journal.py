"""Records what members request before it is acknowledged, so that a restart continues from there.

The caller decides what a record contains. Requests of one moment share a transaction.
"""

import asyncio
import logging
import uuid
from typing import TYPE_CHECKING

from melodify_core.errors import Unavailable
from melodify_core.threads import finished

if TYPE_CHECKING:
    from melodify_core.library import Change, ClaimedRequest, RequestBook

log = logging.getLogger(__name__)
# A process that has not renewed its lease for this long counts as dead, and another continues its requests.
LEASE_S = 20.0
RENEW_S = 5.0
CLAIMED_AT_ONCE = 200


class RequestJournal:
    """The requests of this process, under a name that no other process has. All methods but `end` raise Unavailable."""

    def __init__(self, book: "RequestBook") -> None:
        self._book = book
        self._owner = uuid.uuid4().hex
        self._open: set[str] = set()
        self._ended: set[str] = set()
        self._waiting: list[tuple[Change, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def begin(self, request_id: str, user_id: int, record: str) -> bool:
        """Record the request; return False when another process serves it."""
        change = self._book.begin(request_id, user_id, record, self._owner, LEASE_S)
        self._open.add(request_id)
        self._ended.discard(request_id)
        try:
            mine = await self._apply(change)
        except Unavailable:
            # The row may exist although the write failed. Mark it as ended: if this process kept renewing its lease, no
            # other process could claim the request.
            self._open.discard(request_id)
            self._ended.add(request_id)
            raise
        if not mine:
            self._open.discard(request_id)
        return mine

    async def note(self, request_id: str, record: str) -> None:
        """Record the progress of the request."""
        await self._apply(self._book.note(request_id, record, self._owner))

    async def end(self, request_id: str) -> None:
        """Delete the record; while the database is unavailable, `renew` does it later."""
        self._open.discard(request_id)
        try:
            await self._apply(self._book.end(request_id, self._owner))
        except Unavailable:
            self._ended.add(request_id)

    async def claim(self) -> "list[ClaimedRequest]":
        """Take over the requests of processes that have died."""
        claimed = await finished(self._book.claim, self._owner, LEASE_S, CLAIMED_AT_ONCE)
        self._open.update(request.request_id for request in claimed)
        return claimed

    async def renew(self) -> None:
        """Renew the lease on the requests of this process. Call it every RENEW_S."""
        for request_id in tuple(self._ended):
            if request_id in self._ended:  # a request may have begun again since
                await self._apply(self._book.end(request_id, self._owner))
                self._ended.discard(request_id)
        if self._open:
            await finished(self._book.renew, tuple(self._open), self._owner, LEASE_S)

    async def _apply(self, change: "Change") -> bool:
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((change, answer))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return await answer

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._write_together(batch)
        finally:
            self._writing = None

    async def _write_together(self, batch: "list[tuple[Change, asyncio.Future[bool]]]") -> None:
        try:
            answers = await finished(self._book.apply, [change for change, _ in batch])
        except BaseException as error:
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error if isinstance(error, Exception) else asyncio.CancelledError())
            if not isinstance(error, Exception):
                raise
            return
        for (_, answer), result in zip(batch, answers, strict=True):
            if not answer.done():
                answer.set_result(result)
