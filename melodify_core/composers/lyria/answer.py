"""What a Lyria model promises, whichever the model."""

from typing import Protocol

from google.api_core import exceptions as api
from google.auth import exceptions as auth

from melodify_core.composers.single_take import Answer, Blocked, Question
from melodify_core.google import is_too_large


class NotBilled(api.ServiceUnavailable):
    """Nobody was reached, or the service itself said that it is away: to ask again cannot be billed twice."""


def is_free(error: BaseException) -> bool:
    """Return whether an end is known not to be billed: blocked, refused before any work, over quota, or never sent.

    Any other call may have made music: one that was cut off, given up, or failed inside the service.
    """
    match error:
        case Blocked() | NotBilled() | auth.GoogleAuthError():
            return True
        case api.TooManyRequests():
            return not is_too_large(error)  # then there was an answer
        case api.Cancelled() | api.Conflict():
            return False
    return isinstance(error, api.ClientError | api.MethodNotImplemented)


class LyriaModel(Protocol):
    """One of the models on its own way of being asked."""

    async def ask(self, question: Question) -> Answer:
        """Ask once. Raises Blocked, NotBilled, and errors of google.api_core, google.auth and OSError."""

    async def look(self) -> None:
        """See whether it would answer, for nothing. Raises like `ask`."""

    async def close(self) -> None:
        """Give the connection back."""
