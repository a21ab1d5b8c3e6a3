"""What an HTTP status of a paid service means to us, whoever made the call."""

from typing import Protocol

from melodify_core.errors import MelodifyError, Refused, Unavailable


class Ended(Protocol):
    """A call without music, made here or by an SDK; the fields are those of http.Fault."""

    status: int
    sent: bool
    in_time: bool


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
