"""Paid calls: booked before they begin, corrected when they end, and none begun by a process that stops."""

import asyncio
import hashlib
import logging
import secrets
import time
from dataclasses import dataclass

from melodify_core.errors import Unavailable
from melodify_core.jobs.context import with_db_retry
from melodify_core.models import Bill
from melodify_core.observability import metrics
from melodify_core.ports import Ledger
from melodify_core.threads import finished

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BookedCall:
    """The PaidCall of a job, in its ledger."""

    job_id: str
    call_id: str
    expected: Bill
    ledger: Ledger

    async def billed(self, bill: Bill) -> None:
        """Note the bill. Where that fails the expected price stays booked: the call's result is worth more."""
        _tell(self.job_id, bill, "")
        try:
            await finished(self.ledger.settle, self.call_id, bill)
        except Unavailable as error:
            log.warning("job %s: the call stays booked at $%.5f: %s", self.job_id, self.expected.dollars, error)

    async def free(self) -> None:
        """Give it back. Where that fails it stays booked."""
        try:
            await finished(self.ledger.unbook, self.call_id)
        except Unavailable as error:
            log.warning("job %s: a call that cost nothing stays booked: %s", self.job_id, error)

    def lost(self) -> None:
        """Leave it booked."""
        _tell(self.job_id, self.expected, ", perhaps: how the call ended is not known")


def _tell(job_id: str, bill: Bill, doubt: str) -> None:
    metrics.dollars.labels(bill.provider, bill.model).inc(bill.dollars)
    log.info("job %s: %s %s, $%.5f%s", job_id, bill.provider, bill.model, bill.dollars, doubt)


async def begin(job_id: str, bill: Bill, ledger: Ledger) -> BookedCall:
    """Book a call that begins next. Raises Rejected (limit.budget, limit.guild_budget) and Unavailable."""
    call = BookedCall(job_id, _call_id(job_id, bill), bill, ledger)
    try:
        await with_db_retry(ledger.book, job_id, call.call_id, bill, time.time())
    except asyncio.CancelledError:
        if not bill.request_id:  # else it may be a repeat of one that was sent before a crash
            await call.free()  # nothing was sent yet
        raise
    return call


def _call_id(job_id: str, bill: Bill) -> str:
    """Return the same id for what the provider itself knows as one and the same, a new one for any other call."""
    if not bill.request_id:
        return secrets.token_hex(16)
    return hashlib.sha256(f"{job_id} {bill.provider} {bill.request_id}".encode()).hexdigest()[:32]
