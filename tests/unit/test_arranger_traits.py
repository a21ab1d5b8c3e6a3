"""What makes rock, funk and reggae what they are, found in the written notes."""

from collections import Counter
from collections.abc import Iterable
from functools import cache

import pytest

from melodify_core.composers.arranger.composition import score_of
from melodify_core.composers.arranger.score import Score
from melodify_core.models import Wish
from melodify_core.styles import all_styles
from melodify_core.styles.patterns import DRUMS
from quality.songs import brief_of_mood
from quality.tunes import straight

pytestmark = pytest.mark.no_cover
SEEDS = 6
SIXTEENTHS = 4
DISTORTED = {29, 30}
MUTED_OR_CLEAN = {27, 28}


@cache
def songs(style: str) -> tuple[Score, ...]:
    home = all_styles()[style].mood
    bpm = round(sum(all_styles()[style].tempo.bpm) / 2)
    brief = brief_of_mood(home.valence, home.arousal, "major" if home.valence >= 0 else "minor", bpm)
    return tuple(score_of(brief, Wish(style=style, seconds=40), seed) for seed in range(SEEDS))


def places(score: Score, role: str, pitches: Iterable[int] = range(128)) -> list[float]:
    """Return where in their bars the part strikes: written sixteenths in the sections with drums."""
    part = score.part(role)
    full = [section for section in score.sections if section.name in ("A", "B")]
    found = []
    for note in part.notes if part else ():
        beat = round(straight(score, note.start) * SIXTEENTHS) / SIXTEENTHS
        bar, place = divmod(beat, score.time.bar)
        inside = any(section.first_bar <= bar < section.first_bar + section.bars - 1 for section in full)
        if inside and note.pitch in pitches:
            found.append(place)
    return found


def share(found: Iterable[float], wanted: set[float]) -> float:
    counts = Counter(found)
    return sum(counts[place] for place in wanted) / max(1, counts.total())


def test_rock_has_a_distorted_guitar_in_roots_and_fifths_and_a_backbeat() -> None:
    for score in songs("rock"):
        guitar = score.part("pad")
        assert guitar is not None
        assert guitar.program in DISTORTED
        for note in guitar.notes:
            chord = next(one for one in reversed(score.chords) if one.start <= note.start + 0.1)
            root, fifth = chord.classes[0], chord.classes[2]
            assert note.pitch % 12 in (root, fifth)
        snare = places(score, "drums", {DRUMS["snare"]})
        # On two and four, or on three where the song goes in half time.
        assert share(snare, {1.0, 2.0, 3.0}) >= 0.6
        assert not share(snare, {0.0})


def test_funk_has_a_scratching_guitar_in_sixteenths_and_a_syncopated_kick() -> None:
    for score in songs("funk"):
        guitar = score.part("pad")
        assert guitar is not None
        assert guitar.program in MUTED_OR_CLEAN
        scratched = places(score, "pad")
        off = {beat + part for beat in range(4) for part in (0.25, 0.75)}
        assert share(scratched, off) >= 0.3
        assert sum(note.length for note in guitar.notes) / len(guitar.notes) < 0.5
        kick = places(score, "drums", {DRUMS["kick"]})
        assert share(kick, {0.0, 2.0}) <= 0.7


def test_reggae_skanks_off_the_beat_and_drops_the_one() -> None:
    for score in songs("reggae"):
        guitar = score.part("pad")
        assert guitar is not None
        assert guitar.program in MUTED_OR_CLEAN
        skanks = places(score, "pad")
        assert share(skanks, {0.0, 2.0}) <= 0.05
        assert sum(note.length for note in guitar.notes) / len(guitar.notes) < 0.6
        hits = places(score, "drums", {DRUMS["kick"]})
        backs = places(score, "drums", {DRUMS["stick"], DRUMS["snare"]})
        assert share(backs, {2.0}) >= 0.6
        assert 2.0 in hits
