from functools import cache
from itertools import combinations

import numpy as np
import pytest

from melodify_core.composers.arranger.composition import score_of
from melodify_core.models import Brief, Wish
from melodify_core.styles import all_styles
from quality.casts import Casts, bands, both_unlike, of_style
from quality.songs import of_pictures
from tests.briefs import a_brief

BANDS = bands()
# The commonest lead or chords of 24 pictures.
FAVOURITE = 0.42


@cache
def briefs() -> tuple[Brief, ...]:
    return tuple(song.brief for song in of_pictures(24))


@cache
def casts_of(style: str) -> Casts:
    return of_style(style, briefs())


@pytest.mark.no_cover
@pytest.mark.parametrize("style", BANDS)
def test_two_pictures_get_another_lead_and_other_chords_and_no_instrument_is_the_favourite(style: str) -> None:
    assert both_unlike(casts_of(style)) >= 0.6
    for names in zip(*casts_of(style), strict=True):
        assert max(map(names.count, names)) <= FAVOURITE * len(names)


@pytest.mark.no_cover
def test_seven_of_ten_pairs_of_pictures_get_another_band() -> None:
    assert np.mean([both_unlike(casts_of(style)) for style in BANDS]) >= 0.7


@pytest.mark.parametrize("style", BANDS)
def test_the_second_voice_is_another_instrument_than_the_tune(style: str) -> None:
    for seed in range(60):
        score = score_of(a_brief(), Wish(style=style, seconds=30), seed)
        lead, second = score.part("lead"), score.part("counter")
        assert not (lead and second and lead.program == second.program), seed


@pytest.mark.parametrize("style", BANDS)
def test_the_seed_changes_the_cast_where_a_brief_only_names_the_usual_band(style: str) -> None:
    usual = all_styles()[style].brief
    groups = (usual.leads, usual.beds, usual.basses, usual.drums, usual.colours)
    names = tuple(dict.fromkeys(group[0] for group in groups if group and group[0]))
    scores = [score_of(a_brief(instruments=names), Wish(style=style, seconds=10), seed) for seed in range(8)]
    casts = [[part.name for role in ("lead", "chords") if (part := score.part(role))] for score in scores]
    pairs = list(combinations(casts, 2))
    assert sum(one != other for one, other in pairs) >= 0.7 * len(pairs)


def test_what_a_hint_names_plays_although_it_is_usual() -> None:
    names = ("vibraphone", "electric piano", "electric bass", "brushed drums", "celesta")
    brief = a_brief(instruments=names, heard=("instrument.vibraphone",))
    for seed in range(5):
        score = score_of(brief, Wish(style="lofi", seconds=10), seed)
        assert "vibraphone" in {part.name for part in score.parts}
