"""The fields of an answer -> a Brief. Trusts nothing: each field is checked, parsed, clipped or replaced, and noted."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from melodify_core.brief import plain_words
from melodify_core.captioners.openai import vocabulary
from melodify_core.errors import Unavailable
from melodify_core.models import Adjustable, Adjustment, Brief, Energy, Mode

Word = TypeVar("Word", Energy, Mode)
LEVEL_DIGITS = 3
ADJUSTMENTS_AT_MOST = 8  # are reported; a model that gets everything wrong needs no more lines
READ_AT_MOST = 200  # characters of a text that are searched for a word or number
# A word overrules a number that contradicts it, and clips the number to what the word allows: minor may be cheerful and
# major sad, but not extremely; calm and intense are 1.5 apart.
AGAINST_MODE, AWAY_FROM_ENERGY = 0.5, 0.6

_AROUSAL: dict[Energy, float] = {"calm": -0.7, "gentle": -0.35, "moderate": 0.0, "lively": 0.45, "intense": 0.8}
_BPM: dict[Energy, int] = {"calm": 66, "gentle": 80, "moderate": 98, "lively": 118, "intense": 136}
_ENERGIES: dict[str, Energy] = {energy: energy for energy in vocabulary.ENERGIES}
_MODES: dict[str, Mode] = {"major": "major", "minor": "minor", "장조": "major", "단조": "minor", "메이저": "major",
                           "마이너": "minor"}  # fmt: skip
# The church modes map to the mode with the same third.
_OTHER_MODES: dict[str, Mode] = {"ionian": "major", "lydian": "major", "dorian": "minor", "phrygian": "minor",
                                 "aeolian": "minor", "locrian": "minor"}  # fmt: skip
# Letters from here on are of scripts with particles behind their words, or without spaces.
_NO_SPACES = "\u0530"
_NUMBER = re.compile(r"[-−]?(?:\d+(?:[.,]\d+)?|\.\d+)(?:e[-+]?\d+)?", re.IGNORECASE)


def normalised(fields: dict[str, Any]) -> Brief:
    """Return the Brief of these fields. Raises Unavailable when they have neither title nor caption."""
    title, caption = _text(fields, "title", 80), _text(fields, "caption", 300)
    if not (title or caption):
        raise Unavailable("provider.unavailable")
    energy = _energy(fields)
    valence = _level(fields, "valence", -0.3 if _mode_in(fields) == "minor" else 0.3)
    mode = _mode_in(fields) or ("major" if valence >= 0 else "minor")
    valence = max(valence, -AGAINST_MODE) if mode == "major" else min(valence, AGAINST_MODE)
    brief = Brief(
        title=title or plain_words(caption, 80),
        caption=caption or title,
        mood=_phrases(fields, "mood", vocabulary.known, 4) or ("warm" if valence >= 0 else "melancholic",),
        valence=valence,
        arousal=_near(_level(fields, "arousal", _AROUSAL[energy]), _AROUSAL[energy]),
        energy=energy,
        # Without a genre the composer chooses by instruments and mood.
        genre=_joined(_phrases(fields, "genre", vocabulary.known, 1), 60),
        instruments=_phrases(fields, "instruments", vocabulary.known_instrument, 6) or ("piano",),
        bpm=round(_number(fields, "bpm", _BPM[energy], 40, 220)),
        mode=mode,
        arrangement=_joined(_phrases(fields, "arrangement", vocabulary.known, 4), 300),
        soundscape=_joined(_phrases(fields, "soundscape", vocabulary.known, 3), 300),
    )
    return brief.model_copy(update={"adjusted": _adjustments(fields, brief)})


def _adjustments(fields: dict[str, Any], brief: Brief) -> tuple[Adjustment, ...]:
    """Return the values of the answer that the Brief could not take over. Missing values are not among them."""
    chosen: tuple[tuple[Adjustable, str | None, str], ...] = (
        ("mode", _named_mode(fields), brief.mode),
        ("energy", _named_energy(fields), brief.energy),
    )
    found = [
        Adjustment(name=name, said=said, used=used)
        for name, meant, used in chosen
        if meant != used and (said := _shown(fields.get(name)))
    ]
    if not brief.genre and (said := next(filter(None, map(_shown, phrases_in(fields, "genre"))), "")):
        found.append(Adjustment(name="genre", said=said))
    levels: tuple[tuple[Adjustable, float], ...] = (
        ("bpm", brief.bpm),
        ("valence", brief.valence),
        ("arousal", brief.arousal),
    )
    for name, used in levels:
        said, digits = _shown(fields.get(name)), 0 if name == "bpm" else LEVEL_DIGITS
        if said and round(_number(fields, name, math.inf, -math.inf, math.inf), digits) != used:
            found.append(Adjustment(name=name, said=said, used=f"{used:g}"))
    unknown = [
        said
        for phrase in phrases_in(fields, "instruments")
        if not vocabulary.known_instrument(phrase) and (said := _shown(phrase))
    ]
    found += [Adjustment(name="instruments", said=said) for said in dict.fromkeys(unknown)]
    return tuple(found[:ADJUSTMENTS_AT_MOST])


def _shown(value: object) -> str:
    if isinstance(value, (int, float)):
        return str(value)[:40]
    return plain_words(value, 40) if isinstance(value, str) else ""


def _text(fields: dict[str, Any], name: str, limit: int) -> str:
    # A model that is told of lists may write one of a single text.
    texts = _texts_in(fields.get(name))
    return plain_words(texts[0], limit) if texts else ""


def _phrases(fields: dict[str, Any], name: str, sieve: Callable[[str], str], most: int) -> tuple[str, ...]:
    """Return the field's known phrases, each once."""
    known = (sieve(phrase) for phrase in phrases_in(fields, name))
    return tuple(dict.fromkeys(phrase for phrase in known if phrase))[:most]


def strange_in(fields: dict[str, Any], name: str) -> list[str]:
    """Return the field's phrases that stand in no list, each once."""
    if name == "energy":
        return [] if _named_energy(fields) or not _shown(fields.get(name)) else phrases_in(fields, name)[:1]
    sieve = vocabulary.known_instrument if name == "instruments" else vocabulary.known
    return list(dict.fromkeys(phrase for phrase in phrases_in(fields, name) if phrase and not sieve(phrase)))


def phrases_in(fields: dict[str, Any], name: str) -> list[str]:
    """Return the field's phrases; a text instead of a list is split at its punctuation."""
    value = fields.get(name)
    texts = re.split(r"[,.;:\n，、。；：|]", value) if isinstance(value, str) else _texts_in(value)
    # The cut comes first: a list may be as long as an answer.
    return [plain_words(text, 60) for text in texts[:50]]


def _texts_in(value: object) -> list[str]:
    """Return the texts of a value: of a list, and of tables such as {"name": "piano", "role": "lead"} the first."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for each in value.values() if not isinstance(each, dict) for text in _texts_in(each)]
    if isinstance(value, list):
        return [text for each in value[:50] if not isinstance(each, list) for text in _texts_in(each)[:1]]
    return []


def _joined(phrases: tuple[str, ...], limit: int) -> str:
    return plain_words(", ".join(phrases), limit)


def _word(fields: dict[str, Any], name: str, meanings: Mapping[str, Word]) -> Word | None:
    """Return the meaning of the word in the field, such as "A minor"; None without one, or if words disagree."""
    value = fields.get(name)
    text = value[:READ_AT_MOST].casefold() if isinstance(value, str) else ""
    meant = {meaning for word, meaning in meanings.items() if word in text}
    return meant.pop() if len(meant) == 1 else None


def _energy(fields: dict[str, Any]) -> Energy:
    if energy := _named_energy(fields):
        return energy
    arousal = _level(fields, "arousal", 0.0)
    return min(_AROUSAL, key=lambda each: abs(_AROUSAL[each] - arousal))


def _near(arousal: float, home: float) -> float:
    return round(min(max(arousal, home - AWAY_FROM_ENERGY), home + AWAY_FROM_ENERGY), LEVEL_DIGITS)


def _mode_in(fields: dict[str, Any]) -> Mode | None:
    return _named_mode(fields) or _word(fields, "mode", _OTHER_MODES)


def _named_mode(fields: dict[str, Any]) -> Mode | None:
    return _word(fields, "mode", _MODES) or _foreign(fields, "mode", vocabulary.vocabulary().mode)


def _named_energy(fields: dict[str, Any]) -> Energy | None:
    return _word(fields, "energy", _ENERGIES) or _foreign(fields, "energy", vocabulary.vocabulary().energy)


def _foreign(fields: dict[str, Any], name: str, meanings: Mapping[str, Word]) -> Word | None:
    """Return the meaning of the field in another language: of all of it, else of the only known word in it."""
    value = fields.get(name)
    text = " ".join(value[:READ_AT_MOST].casefold().split()) if isinstance(value, str) else ""
    meant = {meaning for word, meaning in meanings.items() if _stands_in(word, text)}
    return meanings.get(text) or (meant.pop() if len(meant) == 1 else None)


def _stands_in(word: str, text: str) -> bool:
    if word < _NO_SPACES:
        return bool(re.search(rf"\b{re.escape(word)}\b", text))
    return len(word) > 1 and word in text


def _level(fields: dict[str, Any], name: str, otherwise: float) -> float:
    return round(_number(fields, name, otherwise, -1.0, 1.0), LEVEL_DIGITS)


def _number(fields: dict[str, Any], name: str, otherwise: float, least: float, most: float) -> float:
    """Return the number clipped to the bounds; of a text such as "120 BPM", its first number."""
    value = fields.get(name)
    if isinstance(value, str):
        found = _NUMBER.search(value[:READ_AT_MOST])
        value = found[0].replace("−", "-").replace(",", ".") if found else None
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return otherwise
    try:
        number = float(value)
    except OverflowError:
        return otherwise
    return min(most, max(least, number)) if math.isfinite(number) else otherwise
