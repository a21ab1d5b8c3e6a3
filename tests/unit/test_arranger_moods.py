"""What valence does to the notes where arousal, mode and tempo are the same: a glad calm picture is no sad one."""

from functools import cache

import numpy as np
import pytest

from melodify_core.composers.arranger.composition import mood_of, score_of
from melodify_core.composers.arranger.score import Score
from melodify_core.models import Wish
from melodify_core.styles import all_styles
from quality.songs import brief_of_mood

pytestmark = pytest.mark.no_cover
STYLES = ("folk", "cinematic", "lofi", "bossa")
SEEDS = 8
GLAD, SAD = 0.8, -0.8
STILL, CALM = -0.7, -0.4


@cache
def songs(valence: float, arousal: float) -> tuple[Score, ...]:
    brief = brief_of_mood(valence, arousal, "major", 84)
    return tuple(score_of(brief, Wish(style=style, seconds=30), seed) for style in STYLES for seed in range(SEEDS))


def values(role: str, what: str, valence: float, arousal: float) -> list[float]:
    parts = [part for score in songs(valence, arousal) if (part := score.part(role))]
    return [getattr(note, what) for part in parts for note in part.notes]


def test_a_glad_still_tune_is_higher_and_has_more_notes_than_a_sad_one() -> None:
    glad, sad = (values("lead", "pitch", valence, STILL) for valence in (GLAD, SAD))
    assert np.mean(glad) >= np.mean(sad) + 6
    assert len(glad) >= 1.65 * len(sad)


@pytest.mark.parametrize("role", ["chords", "bass"])
def test_a_glad_calm_accompaniment_is_detached_and_a_sad_one_bound(role: str) -> None:
    glad, sad = (values(role, "length", valence, CALM) for valence in (GLAD, SAD))
    assert np.mean(glad) <= 0.65 * np.mean(sad)


@pytest.mark.parametrize("valence", [GLAD, SAD])
def test_an_off_beat_stroke_stays_short_in_any_mood(valence: float) -> None:
    brief = brief_of_mood(valence, 0.3, "major", 100)
    guitar = score_of(brief, Wish(style="funk", seconds=30), 1).part("pad")
    assert guitar is not None
    assert 0.1 <= np.median([note.length for note in guitar.notes]) <= 0.75


@pytest.mark.parametrize("valence", [GLAD, SAD])
def test_a_style_can_keep_its_touch_in_every_mood(valence: float) -> None:
    brief = brief_of_mood(valence, 0.3, "major", 100)
    reggae, jazz, folk = (mood_of(brief, all_styles()[style]) for style in ("reggae", "jazz", "folk"))
    assert (reggae.short, reggae.bound) == (1, 0)
    # Folk is at home at .4: .8 is played as 1, and -.8 as the least there is.
    assert (folk.short, folk.bound) == pytest.approx((0.45, 0) if valence > 0 else (1, 1))
    assert jazz.short >= folk.short
    assert jazz.bound <= folk.bound


def test_what_a_mood_differs_by_from_the_style_s_own_is_played_with_more_of_it() -> None:
    for name, style in all_styles().items():
        own = style.mood
        home, gladder, sadder = (
            mood_of(brief_of_mood(own.valence + more, own.arousal, "major", 100), style).register
            for more in (0, 0.3, -0.3)
        )
        assert home == pytest.approx(8 * own.valence + 1.5 * own.arousal), name
        assert gladder >= home + 1.4 * 8 * 0.3, name
        assert sadder <= home - 1.4 * 8 * 0.3, name


def test_a_glad_still_song_has_drums_where_a_sad_one_does_without() -> None:
    glad, sad = (np.mean([one.part("drums") is not None for one in songs(valence, STILL)]) for valence in (GLAD, SAD))
    assert glad == 1
    assert sad <= 0.6
