"""What goes wrong at an ACE-Step server, in our words, with what the operator can do."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from melodify_core.composers.http import Fault
from melodify_core.errors import MelodifyError, Misconfigured, Unavailable

log = logging.getLogger(__name__)

KEY = (
    "acestep.api_key: the server at {url} does not accept the key: set MELODIFY_ACESTEP__API_KEY or "
    "acestep.api_key_file to what it has in ACESTEP_API_KEY."
)
ELSE = "acestep.url: what answers at {url} is no ACE-Step 1.5 server ({fault}): see deploy/acestep/README.md."
MODEL = 'acestep.model: the server at {url} has no model "{model}" loaded, but {loaded}.'


def is_passing(fault: Fault) -> bool:
    """Return whether it may be gone with the next look."""
    return fault.status in (0, 429) or fault.status >= 500


def sentence_of(fault: Fault, url: str) -> str:
    """Return what the operator can do about it; empty where that is only to wait."""
    if fault.status in (401, 403):
        return KEY.format(url=url)
    return "" if is_passing(fault) else ELSE.format(url=url, fault=fault)


def error_of(fault: Fault) -> MelodifyError:
    """Return our error for it."""
    if not fault.in_time or fault.status == 504:
        return Unavailable("provider.too_slow")
    if fault.status == 429:
        return Unavailable("provider.busy")
    return Unavailable("provider.unavailable" if is_passing(fault) else "provider.misconfigured")


@asynccontextmanager
async def job_faults(job_id: str, url: str) -> AsyncIterator[None]:
    """Turn what goes wrong while a job runs into Unavailable, and log it with what the host can do."""
    try:
        yield
    except Fault as fault:
        ours, advice = error_of(fault), sentence_of(fault, url)
        log.warning("job %s: acestep: %s (%s)%s", job_id, ours, fault, advice and f". {advice}")
        raise ours from fault
    except TimeoutError as error:
        log.warning("job %s: acestep: no music in time", job_id)
        raise Unavailable("provider.too_slow") from error


@asynccontextmanager
async def start_faults(url: str) -> AsyncIterator[None]:
    """Turn what the operator can fix into Misconfigured, the rest into Unavailable."""
    try:
        yield
    except Fault as fault:
        log.warning("check: ACE-Step at %s: %s", url, fault)
        if sentence := sentence_of(fault, url):
            raise Misconfigured(sentence) from fault
        raise error_of(fault) from fault
    except TimeoutError as error:
        raise Unavailable("provider.too_slow") from error
