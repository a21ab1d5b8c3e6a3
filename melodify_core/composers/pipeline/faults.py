"""What goes wrong between us and Google around a run, and which of our errors it becomes."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from google.api_core import exceptions

from melodify_core import google
from melodify_core.errors import MelodifyError, Refused, Unavailable

log = logging.getLogger(__name__)

# Gone with the next call, perhaps. Each of our calls may be repeated: a run's id makes it one and the same.
TRANSIENT = (exceptions.ServerError, exceptions.TooManyRequests, exceptions.Aborted)
FAULTS = (*google.FAULTS, ValueError)  # ValueError: an address that is not in Cloud Storage


@asynccontextmanager
async def translated(job_id: str, deadline_s: float) -> AsyncIterator[None]:
    """Turn what the SDKs raise inside, and a deadline in all, into Unavailable, and log it."""
    try:
        async with asyncio.timeout(deadline_s):
            yield
    except FAULTS as error:
        ours = error_of(error)
        words, request_id = google.described(error), google.request_id(error)
        log.warning("job %s: pipeline: %s (%s), request id %s", job_id, ours, words, request_id)
        raise ours from error


def error_of(error: Exception) -> MelodifyError:
    """Return our error for one of the SDKs'."""
    ours = google.error_of(error)
    # All that we send follows from the settings: what is not accepted is the operator's to fix.
    is_mistake = isinstance(ours, Refused) or (isinstance(error, ValueError) and not isinstance(error, OSError))
    return Unavailable("provider.misconfigured") if is_mistake else ours
