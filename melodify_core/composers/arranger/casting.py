"""Chooses the instruments of a piece by the style, the brief's wishes and the seed."""

from dataclasses import dataclass
from random import Random

from melodify_core.composers.arranger.density import MOST_STROKES
from melodify_core.styles.instruments import BASS, CHORDS, LEAD, PAD, instruments, named
from melodify_core.styles.style import Band

# The seed moves a choice by up to this many places from the one that fits the mood.
STRAY = 1.8


@dataclass(frozen=True, slots=True)
class Cast:
    """Names of instruments by role; no pad and no second voice where the style has none."""

    lead: str
    chords: str
    pad: str | None
    bass: str
    counter: str | None


def cast(
    random: Random,
    band: Band,
    wishes: tuple[str, ...],
    level: float,
    strokes: int,
    demanded: frozenset[str] = frozenset(),
) -> Cast:
    """Return the cast for an excitement 0..1: brighter instruments for a higher one, quick ones for many strokes a bar.

    A wished instrument gets the first free role that it can play, if the band takes its family or a member demanded it.
    A second wished lead plays the second voice.
    """
    own: dict[str, tuple[str, ...]] = {LEAD: band.lead, CHORDS: band.chords, PAD: band.pad, BASS: band.bass}
    drawn = {role: _dark_to_bright(random, names, level) for role, names in own.items() if names}
    given: dict[str, str] = {}
    for name in filter(None, map(named, wishes)):
        instrument = instruments()[name]
        free = [role for role in instrument.roles if role in drawn and role not in given]
        fits = name in demanded or (bool(free) and _takes(band, instrument.family, free[0]))
        if free and fits and name not in given.values():
            given[free[0]] = name
    # The tune should not disappear in an accompaniment of the same colour.
    for role, other in ((LEAD, CHORDS), (CHORDS, LEAD)):
        taken = given.get(other, drawn[other])
        rest = tuple(name for name in own[role] if name != taken)
        if role not in given and drawn[role] == taken and rest:
            drawn[role] = _dark_to_bright(random, rest, level)
    chosen = drawn | given
    if band.solo:
        # Solo pieces: one instrument plays all.
        guest = given.get(LEAD, "")
        alone = given.get(CHORDS) or ("" if _is_guest(band, guest) else guest) or drawn[CHORDS]
        chosen = dict.fromkeys(chosen, alone) | ({LEAD: guest} if _is_guest(band, guest) else {})
    if strokes > MOST_STROKES:
        chosen[CHORDS] = instruments()[chosen[CHORDS]].quick or chosen[CHORDS]
    second = _second(random, band, wishes, chosen, demanded)
    return Cast(chosen[LEAD], chosen[CHORDS], chosen.get(PAD), chosen[BASS], second)


def _is_guest(band: Band, name: str) -> bool:
    """Return whether an instrument plays a tune over a band that is one instrument of another kind."""
    return bool(name) and not _takes(band, instruments()[name].family, LEAD)


def _second(
    random: Random, band: Band, wishes: tuple[str, ...], chosen: dict[str, str], demanded: frozenset[str]
) -> str | None:
    """Return who plays the second voice: one who plays nothing else yet, unless the band has only one for it."""
    wished = [name for name in map(named, wishes) if name and LEAD in instruments()[name].roles]
    new = [name for name in wished if name not in chosen.values()]
    wanted = [one for one in new if one in demanded or _takes(band, instruments()[one].family, LEAD)]
    if not band.counter:
        return next((name for name in wanted if name in demanded), None)
    free = [name for name in band.counter if name not in (chosen[LEAD], chosen[CHORDS])] or list(band.counter)
    return wanted[0] if wanted else random.choice(free)


def _dark_to_bright(random: Random, names: tuple[str, ...], level: float) -> str:
    place = level * (len(names) - 1) + random.uniform(-STRAY, STRAY)
    return names[min(len(names) - 1, max(0, round(place)))]


def _takes(band: Band, family: str, role: str) -> bool:
    return family == "bass" if role == BASS else family in band.families
