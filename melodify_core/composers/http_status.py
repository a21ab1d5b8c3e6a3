"""What goes wrong at a paid service that is asked over HTTP: what a status means to us, and what the log gets of it."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from melodify_core.errors import MelodifyError, Misconfigured, Refused, Unavailable

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Ended(Exception):
    """A call that brought no answer, or an answer that is an error."""

    status: int = 0  # HTTP's; 0: there was no answer
    words: str = ""
    wait_s: float = 0.0  # for how long the service wants to be left alone
    request_id: str = "unknown"
    sent: bool = True  # False: nobody was reached
    in_time: bool = True  # False: it took too long to connect


Fault = TypeVar("Fault", bound=Ended)
Explain = Callable[[Fault], tuple[MelodifyError, str]]  # our error, and what the operator can do about it, if anything


def error_by_status(ended: Ended) -> MelodifyError:
    """Return our error for a call that is nobody's mistake."""
    if not ended.in_time or ended.status in (408, 504):
        return Unavailable("provider.too_slow")
    if ended.status == 429:
        return Unavailable("provider.busy")
    if 400 <= ended.status < 500 and ended.status not in (409, 499):
        return Refused("provider.refused")
    return Unavailable("provider.unavailable")


def was_not_begun(ended: Ended) -> bool:
    """Return whether it may be asked again: a full house, a service that is away, and nobody who was reached."""
    return ended.status in (429, 503) or not ended.sent


def is_free(error: BaseException) -> bool:
    """Return whether a call is known not to be billed: refused before any work, over quota, or never sent.

    Any other call may have made music: one that was cut off, given up, or failed inside the service.
    """
    if not isinstance(error, Ended):
        return False
    refused = 300 <= error.status < 500 and error.status not in (408, 409, 499)
    return not error.sent or refused or error.status in (501, 503)


@contextmanager
def job_faults(what: str, job_id: str, kind: type[Fault], explain: Explain[Fault]) -> Iterator[None]:
    """Turn what goes wrong while a job runs into ours, and log it with the request id and what the host can do."""
    try:
        yield
    except kind as fault:
        ours, advice = explain(fault)
        advice = advice and f". {advice}"
        log.warning("job %s: %s: %s (%s), request id %s%s", job_id, what, ours, fault, fault.request_id, advice)
        raise ours from fault
    except TimeoutError as error:
        log.warning("job %s: %s: no answer in time, request id unknown", job_id, what)
        raise Unavailable("provider.too_slow") from error


@contextmanager
def start_faults(title: str, kind: type[Fault], explain: Explain[Fault]) -> Iterator[None]:
    """Turn what the operator can fix into Misconfigured, the rest into Unavailable."""
    try:
        yield
    except kind as fault:
        log.warning("check: %s: %s, request id %s", title, fault, fault.request_id)
        ours, advice = explain(fault)
        raise (Misconfigured(advice) if advice else ours) from fault
    except TimeoutError as error:
        raise Unavailable("provider.too_slow") from error
