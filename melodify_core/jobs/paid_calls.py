"""Paid calls: limits how many run at once, books each one, keeps its result, and tells a stop what to wait for.

The calls themselves are made in workflow.py. docs/architecture.md says what happens after a crash at each point.
"""

import asyncio
import hashlib
import logging
import secrets
import time
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from melodify_core.errors import Unavailable
from melodify_core.jobs.retry import with_db_retry
from melodify_core.models import Bill
from melodify_core.observability import metrics
from melodify_core.ports import Ledger
from melodify_core.storage.spool import Spool
from melodify_core.threads import finished

log = logging.getLogger(__name__)


class Gate(Protocol):
    """Limits how many calls to a provider all processes make; see library/gate.py."""

    def __call__(self, provider: str, job_id: str, *, begun: bool = False) -> AbstractAsyncContextManager[None]:
        """Hold a slot until the block ends. Raises Unavailable("provider.busy")."""

    async def enter(self, provider: str, job_id: str, *, begun: bool = False) -> None:
        """Wait for a slot and take it. Raises Unavailable("provider.busy")."""

    async def leave(self, provider: str, job_id: str) -> None:
        """Free the job's slot, if it holds one."""


class OpenGate:
    """The Gate without limits."""

    def __call__(self, provider: str, job_id: str, *, begun: bool = False) -> AbstractAsyncContextManager[None]:
        """Return a context manager that does nothing."""
        del provider, job_id, begun
        return nullcontext()

    async def enter(self, provider: str, job_id: str, *, begun: bool = False) -> None:
        """Return at once."""

    async def leave(self, provider: str, job_id: str) -> None:
        """Do nothing."""


class UnrepeatableCalls:
    """The jobs whose paid call runs now and cannot be repeated for free. A stop waits for them and lets none begin."""

    def __init__(self) -> None:
        self.jobs: set[str] = set()
        self._closed = False

    def close(self) -> None:
        """Let no further call begin."""
        self._closed = True

    def begin(self, job_id: str) -> None:
        """Count the job until `until_recorded` ends. Raises CancelledError if the process stops: it continues later."""
        if self._closed:
            raise asyncio.CancelledError
        self.jobs.add(job_id)

    @contextmanager
    def until_recorded(self, job_id: str) -> Iterator[None]:
        """Enclose a step that may `begin` such a call, until the step's result is recorded."""
        try:
            yield
        finally:
            self.jobs.discard(job_id)


@dataclass(frozen=True, slots=True)
class PaidWork:
    """The objects that all paid calls of a process share."""

    gate: Gate = OpenGate()
    spool: Spool | None = None  # keeps a take until the storage has it
    unrepeatable: UnrepeatableCalls = field(default_factory=UnrepeatableCalls)


async def book_call(job_id: str, bill: Bill, ledger: Ledger, booked: set[str] | None = None) -> "BookedCall":
    """Book a call that begins next. `booked` collects the calls that cost something and are not known to be free.

    Raises Rejected (limit.budget, limit.guild_budget) and Unavailable.
    """
    call = BookedCall(job_id, _call_id(job_id, bill), bill, ledger, set() if booked is None else booked)
    try:
        await with_db_retry(ledger.book, job_id, call.call_id, bill, time.time())
    except asyncio.CancelledError:
        # Nothing was sent yet. A call with a request id may repeat one that was sent before a crash: it stays booked.
        if not bill.request_id:
            await call.free()
        raise
    if bill.dollars:
        call.booked.add(call.call_id)
    return call


def _call_id(job_id: str, bill: Bill) -> str:
    """Return the same id for a request that the provider itself recognises as a repeat, a new one for any other."""
    if not bill.request_id:
        return secrets.token_hex(16)
    return hashlib.sha256(f"{job_id} {bill.provider} {bill.request_id}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class BookedCall:
    """The PaidCall of a job, in its ledger."""

    job_id: str
    call_id: str
    expected: Bill
    ledger: Ledger
    booked: set[str] = field(default_factory=set)

    async def billed(self, bill: Bill) -> None:
        """Book the bill. If that fails, the expected price stays booked, and the call's result is kept all the same."""
        _count(self.job_id, bill, "")
        try:
            await finished(self.ledger.settle, self.call_id, bill)
        except Unavailable as error:
            log.warning("job %s: the call stays booked at $%.5f: %s", self.job_id, self.expected.dollars, error)

    async def free(self) -> None:
        """Remove the booking. If that fails, it stays."""
        self.booked.discard(self.call_id)
        try:
            await finished(self.ledger.unbook, self.call_id)
        except Unavailable as error:
            log.warning("job %s: a call that cost nothing stays booked: %s", self.job_id, error)

    def lost(self) -> None:
        """Leave the call booked, because it is not known how it ended."""
        _count(self.job_id, self.expected, ", perhaps: it is not known how the call ended")


def _count(job_id: str, bill: Bill, doubt: str) -> None:
    metrics.dollars.labels(bill.provider, bill.model).inc(bill.dollars)
    log.info("job %s: %s %s, $%.5f%s", job_id, bill.provider, bill.model, bill.dollars, doubt)
