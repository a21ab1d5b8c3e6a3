"""What came back -> text, usage and Brief. Believes nothing: every field is checked, clipped, clamped or mended."""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from melodify_core.brief import plain_words
from melodify_core.captioners.openai import vocabulary
from melodify_core.captioners.openai.faults import EXHAUSTED, REFUSALS
from melodify_core.errors import Refused, Unavailable
from melodify_core.models import Adjustable, Adjustment, Brief, Energy, Mode

TRIES_TO_FIND = 20  # beginnings of an object that are tried in an answer of many words
LEVEL_DIGITS = 3
ADJUSTMENTS_AT_MOST = 8  # are told; one who gets all of it wrong is not worth more lines
NUMBER_AT_MOST = 10**12  # no count of tokens is larger: what is was made up

_AROUSAL: dict[Energy, float] = {"calm": -0.7, "gentle": -0.35, "moderate": 0.0, "lively": 0.45, "intense": 0.8}
_BPM: dict[Energy, int] = {"calm": 66, "gentle": 80, "moderate": 98, "lively": 118, "intense": 136}
_THOUGHTS = re.compile(r"<think>.*?</think>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with status 200, whatever is in it; None where it was not JSON or was lost."""

    model: str
    body: Any
    request_id: str

    def tokens(self) -> tuple[int, int]:
        """Return input and output tokens as far as the server told them, else zeros."""
        usage = _table(_table(self.body).get("usage"))
        return (
            _count(usage.get("input_tokens", usage.get("prompt_tokens"))),
            _count(usage.get("output_tokens", usage.get("completion_tokens"))),
        )


def reply_of(model: str, content: bytes, request_id: str | None) -> Reply:
    """Return the reply with these bytes."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    return Reply(model, body, request_id or "")


def brief_of(reply: Reply) -> Brief:
    """Return the reading of a reply of either API. Raises Refused, and Unavailable when it is of no use."""
    body = _table(reply.body)
    text = _chat_text(body) if "choices" in body else _responses_text(body)
    fields = _object_in(text)
    if fields is None:
        raise Unavailable("provider.unavailable")
    return _mended(fields)


def _responses_text(body: dict[str, Any]) -> str:
    error = _table(body.get("error")).get("code")
    if error in REFUSALS or _table(body.get("incomplete_details")).get("reason") == "content_filter":
        raise Refused("caption.refused")
    if error in EXHAUSTED:
        raise Unavailable("provider.exhausted")
    if error == "rate_limit_exceeded":
        raise Unavailable("provider.busy")
    if body.get("status", "completed") != "completed":
        raise Unavailable("provider.unavailable")
    messages = [_table(item) for item in _list(body.get("output"))]
    parts = [_table(part) for message in messages for part in _list(message.get("content"))]
    if any(part.get("type") == "refusal" for part in parts):
        raise Refused("caption.refused")
    return "".join(str(part.get("text")) for part in parts if part.get("type") == "output_text")


def _chat_text(body: dict[str, Any]) -> str:
    choice = _table(next(iter(_list(body.get("choices"))), None))
    message = _table(choice.get("message"))
    if message.get("refusal") or choice.get("finish_reason") == "content_filter":
        raise Refused("caption.refused")
    if choice.get("finish_reason") == "length":
        raise Unavailable("provider.unavailable")
    content = message.get("content")
    return content if isinstance(content, str) else ""


def _object_in(text: str) -> dict[str, Any] | None:
    """Return the first JSON object in a text: servers that heed no schema wrap it in words, fences and thoughts."""
    text = _THOUGHTS.sub("", text)
    decoder = json.JSONDecoder()
    start = -1
    for _ in range(TRIES_TO_FIND):
        start = text.find("{", start + 1)
        if start < 0:
            return None
        try:
            found, _end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
    return None


def _mended(fields: dict[str, Any]) -> Brief:
    """Return the Brief of these fields. Raises Unavailable when there is no text, or no music at all, in them."""
    title, caption = _text(fields, "title", 80), _text(fields, "caption", 300)
    instruments = _phrases(fields, "instruments", vocabulary.known_instrument, 6)
    genre = _joined(_phrases(fields, "genre", vocabulary.known, 1), 60)
    if not (title or caption) or not (instruments or genre):
        raise Unavailable("provider.unavailable")
    energy = _energy(fields)
    valence = _level(fields, "valence", -0.3 if fields.get("mode") == "minor" else 0.3)
    mode: Mode = next((mode for mode in vocabulary.MODES if mode == fields.get("mode")), _mode(valence))
    brief = Brief(
        title=title or plain_words(caption, 80),
        caption=caption or title,
        mood=_phrases(fields, "mood", vocabulary.known, 4) or (_mood(valence),),
        valence=valence,
        arousal=_level(fields, "arousal", _AROUSAL[energy]),
        energy=energy,
        genre=genre or "cinematic",
        instruments=instruments or ("piano",),
        bpm=round(_number(fields, "bpm", _BPM[energy], 40, 220)),
        mode=mode,
        arrangement=_joined(_phrases(fields, "arrangement", vocabulary.known, 4), 300),
        soundscape=_joined(_phrases(fields, "soundscape", vocabulary.known, 3), 300),
    )
    return brief.model_copy(update={"adjusted": _adjustments(fields, brief)})


def _adjustments(fields: dict[str, Any], brief: Brief) -> tuple[Adjustment, ...]:
    """Return what the answer said and the Brief could not take over. What it did not say at all is none of these."""
    chosen: tuple[tuple[Adjustable, str], ...] = (("mode", brief.mode), ("energy", brief.energy))
    found = [
        Adjustment(name=name, said=said, used=used)
        for name, used in chosen
        if (said := _shown(fields.get(name))) not in ("", used)
    ]
    levels: tuple[tuple[Adjustable, float], ...] = (
        ("bpm", brief.bpm),
        ("valence", brief.valence),
        ("arousal", brief.arousal),
    )
    for name, used in levels:
        said, digits = _shown(fields.get(name)), 0 if name == "bpm" else LEVEL_DIGITS
        if said and round(_number(fields, name, math.inf, -NUMBER_AT_MOST, NUMBER_AT_MOST), digits) != used:
            found.append(Adjustment(name=name, said=said, used=f"{used:g}"))
    strange = [
        said
        for told in _told(fields, "instruments")
        if not vocabulary.known_instrument(told) and (said := _shown(told))
    ]
    found += [Adjustment(name="instruments", said=said) for said in dict.fromkeys(strange)]
    return tuple(found[:ADJUSTMENTS_AT_MOST])


def _shown(value: object) -> str:
    if isinstance(value, (int, float)):
        return str(value)[:40]
    return plain_words(value, 40) if isinstance(value, str) else ""


def _text(fields: dict[str, Any], name: str, limit: int) -> str:
    value = fields.get(name)
    return plain_words(value, limit) if isinstance(value, str) else ""


def _phrases(fields: dict[str, Any], name: str, sieve: Callable[[str], str], most: int) -> tuple[str, ...]:
    """Return the field's known phrases, each once."""
    known = (sieve(phrase) for phrase in _told(fields, name))
    return tuple(dict.fromkeys(phrase for phrase in known if phrase))[:most]


def _told(fields: dict[str, Any], name: str) -> list[str]:
    """Return the field's phrases; a text in the place of a list is taken apart at its stops."""
    value = fields.get(name)
    texts = value if isinstance(value, list) else re.split(r"[,.;:\n]", value) if isinstance(value, str) else []
    # The cut comes first: a list may be as long as an answer.
    return [plain_words(text, 60) for text in texts[:50] if isinstance(text, str)]


def _joined(phrases: tuple[str, ...], limit: int) -> str:
    return plain_words(", ".join(phrases), limit)


def _energy(fields: dict[str, Any]) -> Energy:
    told = next((energy for energy in vocabulary.ENERGIES if energy == fields.get("energy")), None)
    if told:
        return told
    arousal = _level(fields, "arousal", 0.0)
    return min(_AROUSAL, key=lambda energy: abs(_AROUSAL[energy] - arousal))


def _mode(valence: float) -> Mode:
    return "major" if valence >= 0 else "minor"


def _mood(valence: float) -> str:
    return "warm" if valence >= 0 else "melancholic"


def _level(fields: dict[str, Any], name: str, otherwise: float) -> float:
    return round(_number(fields, name, otherwise, -1.0, 1.0), LEVEL_DIGITS)


def _number(fields: dict[str, Any], name: str, otherwise: float, least: float, most: float) -> float:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return otherwise
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return otherwise
    return min(most, max(least, number)) if math.isfinite(number) else otherwise


def _count(value: object) -> int:
    return min(value, NUMBER_AT_MOST) if isinstance(value, int) and value > 0 else 0


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
