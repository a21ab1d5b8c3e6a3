"""What a Lyria model makes of a prompt, whichever the model; and what it is asked with."""

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Protocol

from google.api_core import exceptions as api
from google.auth import exceptions as auth

from melodify_core.google import is_too_large

# What the models are known to say, and what Google's other models say in the same place, when they took offence.
_OFFENCE = re.compile(
    r"recitation|safety|prohibited|responsible ai|sensitive|usage guideline|content polic|copyright|artist"
    r"|(?:prompt|output|content|response|music|audio)\b.{0,60}\b(?:blocked|filtered)|(?:blocked|filtered) by",
    re.IGNORECASE,
)
_MPEG_LAYERS = (0b01, 0b10, 0b11)  # III, II, I; 0 is none, and AAC's


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt and what goes with it; a model takes of it what it can."""

    prompt: str
    negative_prompt: str
    seed: int
    picture: bytes = field(default=b"", repr=False)  # JPEG


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: paid for, though perhaps of no use. Audio that is not Base64 is empty."""

    audio: bytes = field(repr=False)
    request_id: str = ""


class Blocked(Exception):
    """The model took offence at the prompt or at its own music. Not billed."""


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
        ...

    async def look(self) -> None:
        """See whether it would answer, for nothing. Raises like `ask`."""
        ...

    async def close(self) -> None:
        """Give the connection back."""
        ...


def is_offence(words: str) -> bool:
    """Return whether a service's words are about the content."""
    return _OFFENCE.search(words) is not None


def decoded(text: str) -> bytes:
    """Return the bytes of Base64, none where it is broken."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def kind_of(audio: bytes) -> str | None:
    """Return the content type by the first bytes, None for what is no audio: the models' own word is not taken."""
    if audio[:4] == b"RIFF" and audio[8:12] == b"WAVE":
        return "audio/wav"
    if audio[:4] == b"fLaC":
        return "audio/flac"
    if audio[:4] == b"OggS":
        return "audio/ogg"
    is_frame = len(audio) > 2 and audio[0] == 0xFF and audio[1] >= 0xE0 and (audio[1] >> 1) & 3 in _MPEG_LAYERS
    return "audio/mpeg" if audio[:3] == b"ID3" or is_frame else None
