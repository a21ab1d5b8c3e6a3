"""What goes wrong between us and Google around a run, and which of our errors it becomes."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import requests
from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError

from melodify_core.errors import MelodifyError, Unavailable

log = logging.getLogger(__name__)

TEXT = 300  # characters of a service's own words in the log
# Gone with the next call, perhaps. Each of our calls may be repeated: a run's id makes it one and the same.
TRANSIENT = (exceptions.ServerError, exceptions.TooManyRequests, exceptions.Aborted)
# Also what has not even reached the service. (GoogleAuthError: no token, OSError and ValueError: no usable key file.)
FAULTS = (exceptions.GoogleAPIError, GoogleAuthError, requests.RequestException, OSError, ValueError)


@asynccontextmanager
async def translated(job_id: str, deadline_s: float) -> AsyncIterator[None]:
    """Turn what the SDKs raise inside, and a deadline in all, into Unavailable, and log it."""
    try:
        async with asyncio.timeout(deadline_s):
            yield
    except TimeoutError as error:
        log.warning("job %s: pipeline: no answer in time", job_id)
        raise Unavailable("provider.too_slow") from error
    except FAULTS as error:
        told = error_of(error)
        log.warning("job %s: pipeline: %s (%s), request id %s", job_id, told, described(error), _request_id(error))
        raise told from error


def error_of(error: Exception) -> MelodifyError:
    """Return our error for one of the SDKs'."""
    match error:
        case exceptions.RetryError() if isinstance(error.cause, Exception):
            return error_of(error.cause)
        case exceptions.TooManyRequests():
            return Unavailable("provider.busy")
        case exceptions.GatewayTimeout() | requests.Timeout():
            return Unavailable("provider.too_slow")
        case exceptions.ServerError() | exceptions.Aborted() | requests.RequestException():
            return Unavailable("provider.unavailable")
        case GoogleAuthError() if error.retryable:
            return Unavailable("provider.unavailable")
        case _:
            # All that we send follows from the settings: what is not accepted is the operator's to mend.
            return Unavailable("provider.misconfigured")


def described(error: Exception) -> str:
    """Return the service's own words, in one line and not too many."""
    words = error.message if isinstance(error, exceptions.GoogleAPICallError) else str(error)
    return f"{type(error).__name__}: {' '.join(str(words).split())[:TEXT]}"


def _request_id(error: Exception) -> str:
    """Return the id by which Google finds the call (google.rpc.RequestInfo), where the answer has one."""
    details = error.details if isinstance(error, exceptions.GoogleAPICallError) else ()
    return next((str(detail.request_id) for detail in details if hasattr(detail, "request_id")), "unknown")
