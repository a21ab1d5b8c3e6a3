"""No two of a server's latest songs have one title."""

import pytest

from melodify_core.jobs.titles import RECENT_TITLES, free_title
from tests.briefs import BRIEF

WITH_SPARES = BRIEF.model_copy(update={"spare_titles": ("Dusk, Slowly", "Song of Dusk")})


@pytest.mark.parametrize(
    ("taken", "title"),
    [
        ([], "Amber Dusk"),
        (["Other"], "Amber Dusk"),
        (["amber dusk"], "Dusk, Slowly"),
        (["Amber Dusk", "Dusk, Slowly"], "Song of Dusk"),
        (["Amber Dusk", "Dusk, Slowly", "Song of Dusk"], "Amber Dusk II"),
        (["Amber Dusk", "Dusk, Slowly", "Song of Dusk", "Amber Dusk II"], "Amber Dusk III"),
    ],
)
def test_the_first_title_that_is_free_is_taken(taken: list[str], title: str) -> None:
    assert free_title(WITH_SPARES, taken) == title


def test_another_take_counts_on() -> None:
    second = BRIEF.model_copy(update={"title": "Amber Dusk II"})
    assert free_title(second, ["Amber Dusk", "Amber Dusk II"]) == "Amber Dusk III"
    assert free_title(BRIEF.model_copy(update={"title": "겨울 바다"}), ["겨울 바다"]) == "겨울 바다 II"
    assert free_title(BRIEF.model_copy(update={"title": "Study in C"}), ["Study in C"]) == "Study in C II"


def test_the_same_picture_two_hundred_times_has_two_hundred_titles() -> None:
    titles: list[str] = []
    for _ in range(RECENT_TITLES):
        titles.append(free_title(WITH_SPARES, titles))
    assert len(set(titles)) == RECENT_TITLES


def test_a_numbered_title_is_no_longer_than_a_title_may_be() -> None:
    long = BRIEF.model_copy(update={"title": "a" * 80})
    chosen = free_title(long, ["a" * 80])
    assert len(chosen) == 80
    assert chosen.endswith("a II")
