"""Chooses the instruments of a piece by the style, the brief's wishes and the seed."""

from dataclasses import dataclass
from random import Random

from melodify_core.composers.arranger.density import MOST_STROKES
from melodify_core.composers.arranger.instruments import BASS, CHORDS, INSTRUMENTS, LEAD, PAD, named
from melodify_core.composers.arranger.style import Style

# The seed moves a choice by up to this many places from the one that fits the mood.
STRAY = 1.2


@dataclass(frozen=True, slots=True)
class Cast:
    """The names of INSTRUMENTS by role; None for pad and second voice where the style has none."""

    lead: str
    chords: str
    pad: str | None
    bass: str
    counter: str | None


def cast(random: Random, style: Style, wishes: tuple[str, ...], level: float, strokes: int) -> Cast:
    """Return the cast for an excitement 0..1: brighter instruments for a higher one, quick ones for many strokes a bar.

    A wished instrument gets the first free role that it can play, if the style takes its family. A second wished lead
    plays the second voice.
    """
    own = {LEAD: style.lead, CHORDS: style.chords, PAD: style.pad, BASS: style.bass}
    drawn = {role: _dark_to_bright(random, names, level) for role, names in own.items() if names}
    given: dict[str, str] = {}
    for name in filter(None, map(named, wishes)):
        instrument = INSTRUMENTS[name]
        free = [role for role in instrument.roles if role in drawn and role not in given]
        if free and name not in given.values() and _takes(style, instrument.family, free[0]):
            given[free[0]] = name
    # The tune should not disappear in an accompaniment of the same colour.
    for role, other in ((LEAD, CHORDS), (CHORDS, LEAD)):
        taken = given.get(other, drawn[other])
        rest = tuple(name for name in own[role] if name != taken)
        if role not in given and drawn[role] == taken and rest:
            drawn[role] = _dark_to_bright(random, rest, level)
    chosen = drawn | given
    if style.lead == style.chords:
        # A solo piece: one instrument plays everything.
        chosen = dict.fromkeys(chosen, given.get(CHORDS) or given.get(LEAD) or drawn[CHORDS])
    if strokes > MOST_STROKES:
        chosen[CHORDS] = INSTRUMENTS[chosen[CHORDS]].quick or chosen[CHORDS]
    second = _second(random, style, wishes, chosen)
    return Cast(chosen[LEAD], chosen[CHORDS], chosen.get(PAD), chosen[BASS], second)


def _second(random: Random, style: Style, wishes: tuple[str, ...], chosen: dict[str, str]) -> str | None:
    """Return the instrument of the second voice: one without a role yet, unless the style has only one for it."""
    if not style.counter:
        return None
    wished = [name for name in map(named, wishes) if name and LEAD in INSTRUMENTS[name].roles]
    wanted = [one for one in wished if one not in chosen.values() and _takes(style, INSTRUMENTS[one].family, LEAD)]
    free = [name for name in style.counter if name not in (chosen[LEAD], chosen[CHORDS])] or list(style.counter)
    return wanted[0] if wanted else random.choice(free)


def _dark_to_bright(random: Random, names: tuple[str, ...], level: float) -> str:
    place = level * (len(names) - 1) + random.uniform(-STRAY, STRAY)
    return names[min(len(names) - 1, max(0, round(place)))]


def _takes(style: Style, family: str, role: str) -> bool:
    return family == "bass" if role == BASS else family in style.families
