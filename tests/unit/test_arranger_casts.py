from itertools import combinations

import pytest

from melodify_core.composers.arranger.composition import score_of
from melodify_core.models import Wish
from melodify_core.styles import all_styles
from tests.briefs import a_brief

BANDS = [name for name, style in all_styles().items() if not style.instruments.solo]


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
