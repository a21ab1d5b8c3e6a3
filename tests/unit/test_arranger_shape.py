"""The shape of a whole piece: contrast between sections, one climax, breaths, an ending that rings out."""

from functools import cache
from itertools import pairwise, product
from random import Random

import numpy as np
import pytest

from melodify_core.composers.arranger.composition import score_of
from melodify_core.composers.arranger.density import MOST_STROKES, arrangement
from melodify_core.composers.arranger.score import EXPRESSION, Note, Score, Section
from melodify_core.composers.arranger.synthesis import wav_of
from melodify_core.models import Wish
from melodify_core.styles import all_styles
from melodify_core.styles.instruments import instruments
from quality.songs import MOODS, brief_of_mood
from tests.sounds import decoded

pytestmark = pytest.mark.no_cover  # as in test_arranger_score.py
every_style = pytest.mark.parametrize("style", all_styles())
LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)


@cache
def long_songs(style: str, seconds: int = 90) -> list[Score]:
    return [score_of(brief_of_mood(*mood), Wish(style=style, seconds=seconds), seed) for seed, mood in enumerate(MOODS)]


def tune_of(score: Score) -> tuple[Note, ...]:
    lead = score.part("lead")
    assert lead is not None
    return lead.notes


def within(notes: tuple[Note, ...], section: Section, bar: float) -> list[Note]:
    first, last = bar * section.first_bar, bar * (section.first_bar + section.bars)
    return [note for note in notes if first - 0.01 <= note.start < last]


def test_the_tune_stands_highest_in_its_climax() -> None:
    scores = [score for style in all_styles() for score in long_songs(style)]
    reached = alone = 0
    for score in scores:
        [climax] = [section for section in score.sections if section.energy == 1]
        top = max(note.pitch for note in tune_of(score))
        tops = sum(note.pitch == top for note in tune_of(score))
        inside = sum(note.pitch == top for note in within(tune_of(score), climax, score.time.bar))
        reached += inside > 0
        alone += inside == tops
    assert reached / len(scores) >= 0.85
    assert alone / len(scores) >= 0.6


@every_style
def test_sections_are_accompanied_differently_by_the_same_players(style: str) -> None:
    differ = 0
    for level in LEVELS:
        for seed in range(6):
            chosen = arrangement(Random(seed), all_styles()[style], level, 100)
            every = (chosen.home, chosen.away, chosen.full)
            assert len({one.groove is None for one in every}) == 1
            assert len({one.strokes > MOST_STROKES for one in every}) == 1
            differ += len(set(every)) > 1
    assert differ >= 0.8 * 6 * len(LEVELS)


def test_quick_chords_are_not_given_to_slow_strings() -> None:
    quick = 0
    for seed in range(60):
        score = score_of(brief_of_mood(-0.6, 0.8, "minor", 132), Wish(style="cinematic", seconds=30), seed)
        chords = score.part("chords")
        assert chords is not None
        onsets = len({round(note.start, 1) for note in chords.notes}) / (
            score.seconds * score.bpm / 60 / score.time.bar
        )
        assert onsets <= MOST_STROKES + 1 or not instruments()[chords.name].quick
        quick += chords.name == "viola"
    assert quick >= 2


@every_style
def test_a_tempo_that_the_hint_names_is_met(style: str) -> None:
    low, high = all_styles()[style].tempo.bpm
    for bpm, seconds in product(range(low, high + 1, 14), (15, 20, 30)):
        brief = brief_of_mood(*MOODS[1]).model_copy(update={"bpm": bpm, "heard": (f"bpm.{bpm}",), "meter": "4/4"})
        score = score_of(brief, Wish(style=style, seconds=seconds), bpm)
        assert score.bpm == pytest.approx(bpm, rel=0.025)
        assert score.seconds == seconds


@every_style
def test_the_tune_breathes(style: str) -> None:
    for score in long_songs(style):
        rests = [tune_of(score)[0].start * 60 / score.bpm]
        for before, after in pairwise(tune_of(score)):
            if (after.start - before.start - before.length) * 60 / score.bpm >= 0.2:
                rests.append(after.start * 60 / score.bpm)
        rests.append(tune_of(score)[-1].start * 60 / score.bpm)
        assert max(after - before for before, after in pairwise(rests)) <= 15


@every_style
def test_an_ending_dies_away_and_is_not_cut(style: str) -> None:
    def fall_db(seed: int) -> float:
        score = score_of(brief_of_mood(*MOODS[2]), Wish(style=style, seconds=10), seed)
        sound, rate = decoded(wav_of(score))
        length_s = (score.sections[-1].first_bar + score.sections[-1].bars - 1) * score.time.bar * 60 / score.bpm
        struck = sound[round(min(length_s, 8.5) * rate) :][: rate // 2]
        ending = sound[-round(0.8 * rate) : -round(0.3 * rate)]
        return float(20 * np.log10(ending.std() / struck.std()))

    # The time until the last chord differs by up to a second, and with it how far the chord has died away.
    falls = [fall_db(seed) for seed in (1, 2, 3)]
    assert max(falls) < -4
    assert np.median(falls) < -6


def test_held_parts_fall_over_the_last_bar() -> None:
    score = score_of(brief_of_mood(*MOODS[1]), Wish(style="ambient", seconds=30), 1)
    last = score.time.bar * (score.sections[-1].first_bar + score.sections[-1].bars - 1)
    for part in score.parts:
        levels = [value for beat, control, value in part.controls if control == EXPRESSION and beat >= last]
        if part.role != "drums" and instruments()[part.name].held:
            assert levels[0] == 127
            assert levels == sorted(levels, reverse=True)
            assert levels[-1] < 45
