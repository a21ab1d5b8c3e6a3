"""Chords that lead on: a bar is split, and its second half leads to the next chord, often from outside of the scale."""

import re
from random import Random

from melodify_core.composers.arranger.score import Key

# How many bars of a phrase of four are split, and how often the new chord is applied to the next one.
SPLIT = (0, 1, 1, 1, 2, 2)
APPLIED = 0.72
LOOPED = 0.75
_DEGREE = re.compile(r"(b?)([IViv]+)")
_DIMINISHED = ("dim", "h7")


def looped(random: Random, phrase: str) -> str:
    """Return the phrase, or often its first two bars twice: a riff goes round over two chords."""
    bars = phrase.split()
    return " ".join([*bars[:2], *bars[:2]]) if random.random() < LOOPED else phrase


def led(random: Random, key: Key, phrase: str, colour: float) -> tuple[tuple[str, ...], ...]:
    """Return the chords of each bar of a phrase. `colour` is how many of the usual splits are made, 0..1."""
    bars = [tuple(bar.split("-")) for bar in phrase.split()]
    places = [
        place
        for place in range(len(bars) - 1)
        if len(bars[place]) == 1 and _root(bars[place][0]) != _root(bars[place + 1][0])
    ]
    wanted = random.choice(SPLIT) if random.random() < colour else 0
    for place in random.sample(places, min(wanted, len(places))):
        this, following = bars[place][0], bars[place + 1][0]
        second = _applied(this, following) if random.random() < APPLIED else _own(key, this, following)
        if second:
            bars[place] = (this, second)
    return tuple(bars)


def _root(symbol: str) -> str:
    """Return the chord's degree as a large numeral."""
    found = _DEGREE.match(symbol)
    if found is None:
        raise ValueError(symbol)
    return found[1] + found[2].upper()


def _applied(this: str, following: str) -> str:
    """Return the dominant of the following chord, or in major the minor subdominant where it goes home."""
    if _root(following) == "I":
        return "iv" if _root(this) == "IV" else ""
    return "" if following.endswith(_DIMINISHED) else f"V7/{_root(following)}"


def _own(key: Key, this: str, following: str) -> str:
    """Return a chord of the scale that leads to the following one."""
    if _root(following) == "I":
        return "V" if _root(this) != "V" else ""
    if _root(following) == "V":
        found = "IV" if key.mode == "major" else "iv"
        return found if _root(this) != "IV" else ""
    return ""
