"""`python -m quality casts`: how often songs of two pictures differ, in each trait, and in the cast of one style."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import combinations, islice

import numpy as np

from melodify_core.composers.arranger.composition import score_of
from melodify_core.composers.arranger.score import Score
from melodify_core.models import Brief, Wish
from melodify_core.styles import all_styles
from melodify_core.styles.instruments import instruments
from quality.figures import at_least, at_most
from quality.scores import SIXTEENTHS
from quality.songs import of_pictures
from quality.tunes import straight

PICTURES = 45
SECONDS = 10  # the cast does not depend on the length
Casts = Sequence[tuple[str, str]]  # lead and chords


def main() -> None:
    """Print the figures by style, and of all."""
    songs = of_pictures()
    _differences([score_of(one.brief, one.wish, one.seed) for one in songs])
    briefs = [one.brief for one in songs]
    print(f"casts: {len(briefs)} pictures in each style; another lead / chords / both, the commonest lead and chords")
    by_style = {style: of_style(style, briefs) for style in bands()}
    for style, casts in by_style.items():
        leads, chords = zip(*casts, strict=True)
        favourites = (f"{name} {count / len(casts):.2f}" for name, count in map(_commonest, (leads, chords)))
        found = f"{unlike(leads):.2f} {unlike(chords):.2f} {both_unlike(casts):.2f}"
        print(f"  {style:<10} {found}   {', '.join(favourites)}")
    shares = [both_unlike(casts) for casts in by_style.values()]
    at_least("pairs with another lead and other chords, all styles", float(np.mean(shares)), 0.7)
    at_least("the same, of the style with the fewest", min(shares), 0.6)
    most = max(_commonest(names)[1] / len(casts) for casts in by_style.values() for names in zip(*casts, strict=True))
    at_most("share of the commonest lead or chords, of the worst style", most, 0.35)


def _differences(takes: Sequence[Score]) -> None:
    """Print in how many pairs of songs each trait differs. Two modes can differ in little more than half of them."""
    print(f"pairs of {len(takes)} songs of pictures that differ in")
    for name, trait, least in (
        ("style", lambda score: score.style, 0.85),
        ("tempo, by more than its twentieth", lambda score: round(math.log(score.beats_a_minute, 1.05)), 0.85),
        ("key", lambda score: score.key, 0.85),
        ("mode", lambda score: score.key.mode, 0.4),
        ("lead", lambda score: _program(score, "lead"), 0.85),
        ("chords", lambda score: _program(score, "chords"), 0.85),
        ("bass", lambda score: _program(score, "bass"), 0.7),
        ("drums' pattern", _beat, 0.7),
    ):  # fmt: skip
        found = list(map(trait, takes))
        at_least(name, float(np.mean([a != b for a, b in combinations(found, 2)])), least)
    casts = [(_program(score, "lead"), _program(score, "chords")) for score in takes]
    both = [a[0] != b[0] and a[1] != b[1] for a, b in combinations(casts, 2)]
    at_least("lead and chords", float(np.mean(both)), 0.8)


def bands() -> list[str]:
    """Return the styles in which more than one instrument plays."""
    return [name for name, style in all_styles().items() if not style.instruments.solo]


def of_style(style: str, briefs: Sequence[Brief]) -> Casts:
    """Return who plays tune and chords for each picture. Only its mood counts, not what is seen in it."""
    songs = (
        score_of(brief.model_copy(update={"instruments": ("anything",)}), Wish(style=style, seconds=SECONDS), number)
        for number, brief in enumerate(islice(briefs, PICTURES))
    )
    return [(_player(song, "lead"), _player(song, "chords")) for song in songs]


def both_unlike(casts: Casts) -> float:
    """Return the share of pairs in which lead and chords sound unlike. Two names of one sound are alike."""
    programs = [tuple(instruments()[name].program for name in names) for names in casts]
    return float(np.mean([a[0] != b[0] and a[1] != b[1] for a, b in combinations(programs, 2)]))


def unlike(names: Sequence[str]) -> float:
    """Return the share of pairs with different sounds."""
    return float(np.mean([a != b for a, b in combinations([instruments()[name].program for name in names], 2)]))


def _commonest(names: Sequence[str]) -> tuple[str, int]:
    return Counter(names).most_common(1)[0]


def _player(song: Score, role: str) -> str:
    return next(part.name for part in song.parts if part.role == role)


def _program(score: Score, role: str) -> int | None:
    part = score.part(role)
    return part.program if part else None


def _beat(score: Score) -> frozenset[tuple[float, int]]:
    """Return what the drums strike in the bar that is struck most often."""
    part = score.part("drums")
    bars: dict[int, set[tuple[float, int]]] = defaultdict(set)
    for note in part.notes if part else ():
        bar, place = divmod(round(straight(score, note.start) * SIXTEENTHS) / SIXTEENTHS, score.time.bar)
        bars[int(bar)].add((place, note.pitch))
    return Counter(map(frozenset, bars.values())).most_common(1)[0][0] if bars else frozenset()
