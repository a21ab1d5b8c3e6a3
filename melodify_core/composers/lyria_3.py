"""What the adapters of Lyria 3 share, whichever service they ask: the prompt's words, and what sound came back.

Nothing of Google's SDKs: an adapter that needs only one of them does not import the others.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from melodify_core.models import Wish

LICENCE = "Google claims no ownership of it and marks it with SynthID; its terms for generative AI apply."
LANGUAGES = {"en": "English", "ko": "Korean"}
# What the models are known to say, and what Google's other models say in the same place, when they took offence.
_OFFENCE = re.compile(
    r"recitation|safety|prohibited|responsible ai|sensitive|usage guideline|content polic|copyright|artist"
    r"|(?:prompt|output|content|response|music|audio)\b.{0,60}\b(?:blocked|filtered)|(?:blocked|filtered) by",
    re.IGNORECASE,
)
_MPEG_LAYERS = (0b01, 0b10, 0b11)  # III, II, I; 0 is none, and AAC's


def spoken(prompt: str, wish: Wish, longest_s: int) -> str:
    """Return the prompt for a model that takes only words: with length, and whether there is singing."""
    voice = "" if wish.vocals else " Instrumental only, no vocals."
    return f"{with_voice(prompt, wish)}{voice} About {min(wish.seconds, longest_s)} seconds long."


def with_voice(prompt: str, wish: Wish) -> str:
    """Return the prompt, for singing where that was wished: the prompts of `brief` are for models that cannot sing."""
    if not wish.vocals:
        return prompt
    prompt = prompt.removeprefix("Instrumental ")
    return f"{prompt[:1].upper()}{prompt[1:]} With vocals in {LANGUAGES[wish.language]}."


def is_offence(words: str) -> bool:
    """Return whether a service's words are about the content."""
    return _OFFENCE.search(words) is not None


def decoded(text: str) -> bytes:
    """Return the bytes of Base64, none where it is broken."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def error_in(body: Any) -> Mapping[str, Any]:
    """Return what Google's services wrap in "error", some of them in a list; nothing of any other body."""
    body = body[0] if isinstance(body, list) and body else body
    said = body.get("error") if isinstance(body, dict) else None
    return said if isinstance(said, dict) else {}


def uri_in(interaction: object) -> str:
    """Return where the audio is, if the answer points to it instead of holding it; the SDK checks nothing of it."""
    audio = getattr(interaction, "output_audio", None)
    uri, data = getattr(audio, "uri", None), getattr(audio, "data", None)
    return uri if isinstance(uri, str) and not data else ""


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
