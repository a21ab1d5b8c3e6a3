"""No two of a server's latest songs have one title, and no ten are told in the same words."""

import dataclasses
import re

import pytest

from melodify_core.captioners.palette.captioner import brief_of
from melodify_core.captioners.palette.mood_titles import is_mood_title
from melodify_core.captioners.palette.scenery import Scene
from melodify_core.jobs.titles import RECENT_TITLES, free_title, fresh_caption, with_covered_titles, words_unlike
from melodify_core.models import Language, Wish, Wording
from tests.briefs import BRIEF
from tests.unit.readings import SCENES

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


CAT = Scene("animal", "cat", "sure")
THINGS = (CAT, Scene(), Scene("people", None, "sure", 1), Scene("building", None, "sure"), Scene("sea", None, "sure"))


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("scene", THINGS)
def test_ten_songs_of_one_scene_are_told_in_words_of_their_own(language: Language, scene: Scene) -> None:
    """The pictures differ in their pixels only: they have light, colours, mood and style in common."""
    said: list[Wording] = []
    for number in range(10):
        reading = dataclasses.replace(SCENES["sunset"], fingerprint=number)
        brief = brief_of(reading, Wish(language=language), scene)
        said.insert(0, words_unlike(brief, said))
    assert len({words.title for words in said}) == 10
    sentences = [sentence for words in said for sentence in re.split(r"(?<=[.?!]) ", words.caption)]
    repeated = len(sentences) - len(set(sentences))
    # Without a choice it is 4 to 8, and songs are told in the same words again and again.
    assert repeated <= 3
    endings = [words.caption.rpartition(". ")[2] for words in said]
    assert len(set(endings)) >= 9


def test_of_captions_the_one_is_taken_that_repeats_least() -> None:
    brief = BRIEF.model_copy(
        update={
            "caption": "A castle with more stories than windows. A folk tune that takes the long way home.",
            "spare_captions": (
                "A castle with more stories than windows. A folk tune, best with a second cup.",
                "Here stands a castle. A folk tune that smiles first.",
            ),
        }
    )
    assert fresh_caption(brief, []) == brief.caption
    assert fresh_caption(brief, ["A folk tune that takes the long way home."]) == brief.spare_captions[0]
    assert fresh_caption(brief, [brief.caption]) == brief.spare_captions[1]
    assert fresh_caption(brief, [brief.caption, *brief.spare_captions]) == brief.spare_captions[1]


def test_a_caption_does_not_say_the_title_again() -> None:
    brief = BRIEF.model_copy(
        update={
            "title": "The Long Way Home",
            "caption": "A cat. A folk tune that takes the long way home.",
            "spare_captions": ("A cat. A folk tune that smiles at strangers.",),
        }
    )
    assert words_unlike(brief, []).caption == brief.spare_captions[0]


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


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_spoiler_s_titles_say_nothing_of_the_picture_whoever_read_it(language: Language) -> None:
    by_palette = brief_of(SCENES["sunset"], Wish(language=language), CAT)
    for reading in (WITH_SPARES, by_palette):
        brief = with_covered_titles(reading, language, seed=7)
        assert all(is_mood_title(title, language) for title in (brief.title, *brief.spare_titles))
        assert len({brief.title, *brief.spare_titles}) > 10


def test_another_take_of_a_spoiler_has_the_first_one_s_title_and_a_number() -> None:
    first = with_covered_titles(WITH_SPARES, "en", seed=7)
    stored = first.model_copy(update={"spare_titles": ()})
    second = with_covered_titles(stored, "en", seed=8)
    assert free_title(second, [first.title]) == f"{first.title} II"
    third = with_covered_titles(second.model_copy(update={"title": f"{first.title} II"}), "en", seed=9)
    assert free_title(third, [first.title, f"{first.title} II"]) == f"{first.title} III"
