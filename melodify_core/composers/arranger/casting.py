"""Chooses the instruments of a piece by the style, the brief's wishes and the seed."""

from dataclasses import dataclass
from random import Random

from melodify_core.composers.arranger.density import MOST_STROKES
from melodify_core.styles.instruments import BASS, CHORDS, LEAD, PAD, instruments, named
from melodify_core.styles.style import Band

# The instrument at the far end from the mood has a chance of this much to one plus this much of the nearest.
EVEN = 0.3


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
    chosen: dict[str, str] = {}
    for name in filter(None, map(named, wishes)):
        instrument = instruments()[name]
        free = [role for role in instrument.roles if own.get(role) and role not in chosen]
        fits = name in demanded or (bool(free) and _takes(band, instrument.family, free[0]))
        if free and fits and name not in chosen.values():
            chosen[free[0]] = name
    given = dict(chosen)
    for role, names in own.items():
        if names and role not in chosen:
            chosen[role] = _drawn(random, _of_another_colour(names, chosen), level)
    if band.solo:
        # Solo pieces: one instrument plays all.
        guest = given.get(LEAD, "")
        alone = given.get(CHORDS) or ("" if _is_guest(band, guest) else guest) or chosen[CHORDS]
        chosen = dict.fromkeys(chosen, alone) | ({LEAD: guest} if _is_guest(band, guest) else {})
    if strokes > MOST_STROKES and len(set(chosen.values())) > 1:
        chosen[CHORDS] = instruments()[chosen[CHORDS]].quick or chosen[CHORDS]
    second = _second(random, band, wishes, chosen, demanded)
    return Cast(chosen[LEAD], chosen[CHORDS], chosen.get(PAD), chosen[BASS], second)


def _is_guest(band: Band, name: str) -> bool:
    """Return whether an instrument plays a tune over a band that is one instrument of another kind."""
    return bool(name) and not _takes(band, instruments()[name].family, LEAD)


def _second(
    random: Random, band: Band, wishes: tuple[str, ...], chosen: dict[str, str], demanded: frozenset[str]
) -> str | None:
    """Return who plays the second voice: one who plays nothing else yet, else another of its leads."""
    wished = [name for name in map(named, wishes) if name and LEAD in instruments()[name].roles]
    new = [name for name in wished if name not in chosen.values()]
    wanted = [one for one in new if one in demanded or _takes(band, instruments()[one].family, LEAD)]
    if not band.counter:
        return next((name for name in wanted if name in demanded), None)
    sounds = {instruments()[chosen[role]].program for role in (LEAD, CHORDS)}
    free, others = (
        [name for name in names if instruments()[name].program not in sounds] for names in (band.counter, band.lead)
    )
    return wanted[0] if wanted else random.choice(free or others or band.counter)


def _of_another_colour(names: tuple[str, ...], chosen: dict[str, str]) -> tuple[str, ...]:
    """Return the names whose sound nobody has yet, else all: the tune should not disappear in its accompaniment."""
    taken = {instruments()[name].program for name in chosen.values()}
    return tuple(name for name in names if instruments()[name].program not in taken) or names


def _drawn(random: Random, names: tuple[str, ...], level: float) -> str:
    """Return one of the names, dark to bright: likelier one that fits the mood, but each has its chance."""
    last = max(1, len(names) - 1)
    return random.choices(names, [1 + EVEN - abs(place / last - level) for place in range(len(names))])[0]


def _takes(band: Band, family: str, role: str) -> bool:
    return family == "bass" if role == BASS else family in band.families
