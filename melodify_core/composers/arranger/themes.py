"""Themes of a tune: rhythms from cells, motifs that move as human tunes do, and a hook by which a theme is known.

melody.py lays them over the bars.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from melodify_core.composers.arranger.score import Time
from melodify_core.styles.cells import STEPS_A_BEAT, cells
from melodify_core.styles.intervals import CLASSES, LASTS, SCALE_STEPS, intervals, last_of
from melodify_core.styles.style import Moves

# How well cells have the wished number of notes: those that miss it by so many are rare.
TOLERANCE = 0.55
# In steps: a note that can be halved for a breath, and the shortest rest that is one.
LONG, REST = 4, 3
TAKEN_OVER = 0.6  # how often the contrasting theme has a rhythm of the first one
# A hook is a repeated note or a leap, in steps of the scale. The first note belongs to it without a move.
HOOKS = ((0, 0), (0, 1), (0, -1), (3,), (4,), (-3,), (5,), (3, -1), (-4, 1), (4, -1), (5, -1), (3, 0))


@dataclass(frozen=True, slots=True)
class Motif:
    """Wished moves in steps of the scale, the first one to the first note, and how many notes are the hook."""

    moves: tuple[int, ...]
    hook: int = 0


@dataclass(frozen=True, slots=True)
class Theme:
    """Bars of rhythm, each with a motif; the last one closes a phrase. `shape` bends the register."""

    rhythms: tuple[str, ...]
    motifs: dict[str, Motif]
    shape: str
    height: float


@dataclass(frozen=True, slots=True)
class MelodyProfile:
    """What the style and the mood say about themes."""

    time: Time
    notes_a_bar: float
    family: str  # of rhythm cells
    moves: Moves


def theme(random: Random, profile: MelodyProfile, like: Theme | None = None) -> Theme:
    """Return a theme of three bars and a close. Its first motif has the hook, and mostly returns in the third bar.

    A theme that is `like` another one may take over a rhythm of it.
    """
    first, second = rhythm(random, profile), rhythm(random, profile)
    if like and random.random() < TAKEN_OVER:
        second = like.rhythms[0]
    second = breathing(second)
    third = random.choice((first, first, first, second))
    wanted = 0.6 * profile.notes_a_bar
    closes = cells(profile.time.name).closes
    close = like.rhythms[-1] if like else min(random.sample(closes, 3), key=lambda one: abs(one.count("o") - wanted))
    hook = random.choice([one for one in HOOKS if len(one) < max(2, first.count("o"))])
    motifs = {one: _motif(random, one.count("o"), profile.moves) for one in (second, close)}
    motifs[first] = _motif(random, first.count("o"), profile.moves, hook)
    shape = random.choice(("arch", "wave", "rise", "fall"))
    return Theme((first, second, third, close), motifs, shape, random.uniform(8.0, 11.5))


def _motif(random: Random, notes: int, moves: Moves, hook: tuple[int, ...] = ()) -> Motif:
    table = intervals(moves).mean(axis=(1, 2)).reshape(LASTS, -1)[:, :CLASSES]
    steps, last = [random.choice((-1, 1))], 0
    for number in range(notes - 1):
        if number < len(hook):
            steps.append(hook[number])
            continue
        kind = random.choices(range(CLASSES), table[last])[0]
        last = last_of(kind)
        steps.append(int(math.copysign(SCALE_STEPS[abs(kind - 6)], kind - 6)))
    return Motif(tuple(steps), len(hook))


def rhythm(random: Random, profile: MelodyProfile) -> str:
    """Return a bar of rhythm: one or two cells that have about the wished number of notes."""
    found = cells(profile.time.name).families[profile.family]
    names, counts = list(found), list(found.values())
    size = len(names[0])
    parts = round(profile.time.bar * STEPS_A_BEAT / size)
    notes = [name.count("o") for name in names]
    most = max(notes)
    wanted = min(profile.notes_a_bar / parts, most)
    bar = ""
    for part in range(parts):
        # What one cell has too much, the next one has too little.
        aim = min(most, max(0.0, wanted * (part + 1) - bar.count("o")))
        weights = [
            count * math.exp(-(((many - aim) / TOLERANCE) ** 2)) + 1e-9 if bar or name[0] != "-" else 0.0
            for name, many, count in zip(names, notes, counts, strict=True)
        ]
        bar += random.choices(names, weights)[0]
    return bar


def breathing(rhythm: str) -> str:
    """Return the rhythm with a rest at its end: a long last note is halved, a short one is left out."""
    last = rhythm.rfind("o")
    length = len(rhythm) - last
    kept = last + length // 2 if length >= LONG else min(last, len(rhythm) - REST)
    return rhythm[:kept] + "." * (len(rhythm) - kept) if last >= 0 and kept > 0 else rhythm


def onsets(rhythm: str) -> Iterator[tuple[float, float]]:
    """Yield the starts and lengths in beats."""
    starts = [step for step, sign in enumerate(rhythm) if sign == "o"]
    for start in starts:
        end = next((step for step in range(start + 1, len(rhythm)) if rhythm[step] != "-"), len(rhythm))
        yield start / STEPS_A_BEAT, (end - start) / STEPS_A_BEAT


def decorated(random: Random, rhythm: str) -> str:
    """Return the rhythm with one held quarter split in two."""
    places = [at for at in range(0, len(rhythm) - 3, 2) if rhythm[at : at + 4] == "o---"]
    if not places:
        return rhythm
    at = random.choice(places)
    return rhythm[: at + 2] + "o" + rhythm[at + 3 :]
