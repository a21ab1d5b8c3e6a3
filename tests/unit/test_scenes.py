"""What is said of what is seen, in both languages, how it steers the music, and the rules of certainty. No networks."""

import re
from collections import Counter
from dataclasses import replace
from random import Random
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melodify_core.captioners.eyes import KINDS, Certainty, Sight, sight, subjects
from melodify_core.captioners.eyes.faces import Faces
from melodify_core.captioners.palette.captioner import brief_of
from melodify_core.captioners.palette.korean import particle_after, statement
from melodify_core.captioners.palette.landscapes import LANDSCAPES
from melodify_core.captioners.palette.scenery import Scene, scene_of, scenes
from melodify_core.captioners.palette.words import words_of
from melodify_core.models import Brief, Language, Wish
from melodify_core.styles import all_styles
from melodify_core.styles.instruments import instruments
from melodify_core.styles.style import Scene as StyleScene
from tests.unit.readings import FOREIGN, SCENES, assert_speaks

LANGUAGES: tuple[Language, ...] = ("en", "ko")
THINGS = [
    *(Scene(kind, subject, "sure") for subject, kind in subjects.classes().kind_of.items()),
    *(Scene(kind, subject, "sure") for subject, kind in LANDSCAPES.items()),
    *(Scene(kind, None, "sure") for kind in KINDS if kind != "people"),
    *(Scene("people", None, "sure", people) for people in (1, 2, 3)),
]
_scenes = st.builds(
    replace, st.sampled_from(THINGS), certainty=st.sampled_from(["sure", "likely"]), night=st.booleans()
)
_readings = st.builds(
    replace,
    st.sampled_from(list(SCENES)).map(SCENES.__getitem__),
    fingerprint=st.integers(0, 2**64 - 1),
    accent=st.just("red"),
)


def brief_for(scene: Scene, **wish: object) -> Brief:
    return brief_of(SCENES["sunset"], Wish.model_validate(wish), scene)


# Words


@settings(max_examples=300, deadline=None)
@given(scene=_scenes, reading=_readings, language=st.sampled_from(LANGUAGES))
def test_whatever_is_seen_can_be_said(scene: Scene, reading: object, language: Language) -> None:
    brief = brief_of(reading, Wish(language=language), scene)  # type: ignore[arg-type]  # a Reading, by its strategy
    assert_speaks(brief, language)
    assert "|" not in brief.caption


@pytest.mark.no_cover  # hundreds of captions
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_thing_has_words_in_every_phrase(language: Language) -> None:
    for scene in THINGS:
        for number in range(12):
            reading = replace(SCENES["sunset"], fingerprint=number)
            assert_speaks(brief_of(reading, Wish(language=language), scene), language)


def test_both_languages_know_the_same_things() -> None:
    known = {*subjects.classes().subjects, *KINDS, *LANDSCAPES}
    english, korean = words_of("english"), words_of("korean")
    assert set(english.things) == set(korean.things) == known
    assert len(english.people) == len(korean.people) == 3


def test_english_articles_fit_the_sound_of_the_word() -> None:
    words = words_of("english")
    named = [*words.things.values(), *((people.phrase, people.noun) for people in words.people)]
    for phrase, title in named:
        article, _, rest = phrase.partition(" ")
        if article in ("a", "an"):
            assert (article == "an") == (rest[0] in "aeio"), phrase
        assert title[0].isupper()


@pytest.mark.parametrize(
    ("word", "pair", "expected"),
    [
        ("개", ("이", "가"), "가"), ("산", ("이", "가"), "이"),
        ("고양이", ("을", "를"), "를"), ("꽃", ("을", "를"), "을"),
        ("말", ("으로", "로"), "로"), ("산", ("으로", "로"), "으로"), ("배", ("으로", "로"), "로"),
        ("사람", ("이에요", "예요"), "이에요"),
        ("무대", ("이에요", "예요"), "예요"), ("커피 한 잔", ("은", "는"), "은"),
    ],
)  # fmt: skip
def test_korean_particles_follow_the_last_sound(word: str, pair: tuple[str, str], expected: str) -> None:
    assert particle_after(word, *pair) == expected


@settings(max_examples=400, deadline=None)
@given(scene=_scenes, seed=st.integers(0, 10_000))
def test_no_korean_sentence_has_the_wrong_particle(scene: Scene, seed: int) -> None:
    sentence = statement(scene, SCENES["sunset"], Random(seed))
    noun = words_of("korean").thing(scene)
    for after in re.finditer(
        rf"{noun}(이에요|예요|이 아닐까요|가 아닐까요|이|가|을|를|과|와|으로|로)(?=[ .?])",
        sentence,
    ):
        final = (ord(noun[-1]) - 0xAC00) % 28
        wanted = (
            {"이에요", "이 아닐까요", "이", "을", "과", "으로"}
            if final
            else {"예요", "가 아닐까요", "가", "를", "와", "로"}
        )
        assert after[1] in (wanted | {"로"} - {"으로"} if final == 8 else wanted), sentence
    assert sentence.endswith(("요.", "요?", "죠."))


@pytest.mark.parametrize(("language", "noun"), [("en", "dog"), ("ko", "강아지")])
def test_what_is_sure_is_said_outright_and_what_is_only_likely_is_not(language: Language, noun: str) -> None:
    hedges = re.compile("looks like|[Cc]ould|[Pp]erhaps|may be|같아요|아닐까|몰라요")
    for number in range(30):
        reading = replace(SCENES["sunset"], fingerprint=number)
        sure, likely = (
            brief_of(reading, Wish(language=language), Scene("animal", "dog", certainty))
            for certainty in ("sure", "likely")
        )
        assert noun in sure.caption
        assert not hedges.search(sure.caption.partition(". ")[0])
        for caption in (likely.caption, *likely.spare_captions):
            assert noun not in caption
        # It is not said, but it is heard.
        assert likely.sounds == sure.sounds


def test_words_vary_from_picture_to_picture() -> None:
    scene = Scene("animal", "cat", "sure")
    for language in LANGUAGES:
        captions = {
            brief_of(replace(SCENES["sunset"], fingerprint=number), Wish(language=language), scene).caption
            for number in range(40)
        }
        assert len(captions) > 15


def test_only_what_is_sure_comes_into_the_title() -> None:
    for language, noun in (("en", "Cat"), ("ko", "고양이")):
        sure, likely = (
            brief_for(Scene("animal", "cat", certainty), language=language) for certainty in ("sure", "likely")
        )
        assert sum(noun in title for title in (sure.title, *sure.spare_titles)) >= 5
        assert not [title for title in (likely.title, *likely.spare_titles) if noun in title]


@pytest.mark.parametrize(
    ("scene", "noun"),
    [
        (Scene("people", None, "sure", 1), "그 사람"), (Scene("people", None, "sure", 3), "우리"),
        (Scene("mountain", "snowy mountains", "sure"), "설산"), (Scene("animal", "cat", "sure"), "고양이"),
        (Scene("city", "bridge", "sure"), "다리 풍경"),
    ],
)  # fmt: skip
def test_korean_titles_have_nouns_of_their_own(scene: Scene, noun: str) -> None:
    brief = brief_for(scene, language="ko")
    assert sum(noun in title for title in (brief.title, *brief.spare_titles)) >= 5


@pytest.mark.parametrize(("language", "words"), [("en", "building|[Ww]alls"), ("ko", "건물")])
def test_a_building_that_may_be_a_cathedral_is_not_called_one(language: Language, words: str) -> None:
    brief = brief_for(Scene("building", None, "sure"), language=language)
    for text in (brief.title, *brief.spare_titles, brief.caption, *brief.spare_captions):
        assert not re.search(words, text)


def test_no_korean_title_gives_something_to_a_thing() -> None:
    for number in range(20):
        reading = replace(SCENES["sunset"], fingerprint=number)
        brief = brief_of(reading, Wish(language="ko"), Scene("building", None, "sure"))
        assert not [title for title in (brief.title, *brief.spare_titles) if "에게" in title]


def test_no_korean_title_lists_or_counts() -> None:
    for scene in THINGS:
        assert not re.search("(이나|거나) |여러|탈것|[가-힣] 것$", words_of("korean").title_noun(scene))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_seen_is_not_said_to_be_the_centre(language: Language) -> None:
    for number in range(30):
        reading = replace(SCENES["sunset"], fingerprint=number, weight="even")
        said = brief_of(reading, Wish(language=language), Scene("animal", "dog", "sure")).caption.partition(".")[0]
        assert not re.search("중심|주인공|눈에 들어|[Cc]ent|[Oo]ne sees", said)


def test_where_nothing_is_seen_the_caption_is_as_before() -> None:
    assert brief_of(SCENES["sunset"], Wish(), Scene()) == brief_of(SCENES["sunset"], Wish())


# Steering


def test_people_together_make_a_dim_picture_gladder() -> None:
    dim = replace(SCENES["portrait"], brightness=0.3)
    alone, together = (brief_of(dim, Wish(), Scene("people", None, "sure", count)).valence for count in (1, 3))
    assert brief_of(dim, Wish()).valence < alone < together
    assert "several voices near" in brief_of(dim, Wish(), Scene("people", None, "sure", 2)).soundscape


def test_every_kind_touches_the_music_with_what_there_is() -> None:
    assert set(scenes().touches) - {"company"} == {*KINDS, "night"} == set(get_args(StyleScene))
    for touch in scenes().touches.values():
        assert not touch.instrument or touch.instrument in instruments()
        assert touch.sound


def test_the_scene_sounds() -> None:
    for kind in KINDS:
        people = 1 if kind == "people" else 0
        brief = brief_for(Scene(kind, None, "sure", people))
        assert scenes().touches[kind].sound in brief.soundscape, kind
        assert len(brief.soundscape) <= 300, kind
        assert len(brief.instruments) <= 6, kind


def test_the_scene_pulls_the_style_towards_its_own() -> None:
    plain = Counter(brief_of(reading, Wish()).genre.split()[0] for reading in SCENES.values())
    for kind in KINDS:
        styles = [name for name, style in all_styles().items() if kind in style.picture.scenes]
        scene = Scene(kind, None, "sure", int(kind == "people"))
        pulled = Counter(brief_of(reading, Wish(), scene).genre.split()[0] for reading in SCENES.values())
        assert sum(pulled[style] for style in styles) >= sum(plain[style] for style in styles)
    snowy = [brief_of(reading, Wish(), Scene("snow", None, "sure")).genre.split()[0] for reading in SCENES.values()]
    assert snowy != [brief_of(reading, Wish()).genre.split()[0] for reading in SCENES.values()]


@pytest.mark.parametrize(
    ("subject", "instrument"), [("violin", "violin"), ("piano", "grand piano"), ("drum", "drum kit"), ("harp", "harp")]
)
def test_an_instrument_that_is_seen_leads(subject: str, instrument: str) -> None:
    assert brief_for(Scene("instrument", subject, "sure"), style="folk").instruments[0] == instrument


def test_a_hint_outweighs_the_scene() -> None:
    scene = Scene("instrument", "violin", "sure")
    assert brief_for(scene, style="folk", hint="with a cello").instruments[0] == "cello"
    assert "violin" not in brief_for(scene, style="folk", hint="no violin").instruments
    assert brief_for(Scene("vehicle", "car", "sure"), hint="jazz").genre.startswith("jazz")
    assert brief_for(Scene("vehicle", "car", "sure"), style="house").genre == "house"


@pytest.mark.parametrize("style", all_styles())
def test_no_style_gets_a_foreign_sound_from_a_scene(style: str) -> None:
    written = all_styles()[style].brief
    own = {*written.leads, *written.beds, *written.colours}
    for kind in KINDS:
        brief = brief_for(Scene(kind, None, "sure", int(kind == "people"), night=True), style=style)
        added = set(brief.instruments) - own
        assert [(kind, name) for name in added for word in FOREIGN[style] if word in name] == []


def test_vehicles_drive_and_lakes_rest() -> None:
    car, lake = (brief_of(SCENES["forest"], Wish(), Scene(kind, None, "sure")) for kind in ("vehicle", "water"))
    assert car.arousal > lake.arousal
    assert car.bpm > 0


# What light and colour add


def test_a_dark_street_may_be_night_and_a_dark_cat_is_not() -> None:
    street, cat = Sight(True, "city", "street", "sure"), Sight(True, "animal", "cat", "sure")
    assert scene_of(SCENES["night_sea"], street).night
    assert not scene_of(SCENES["night_sea"], cat).night
    assert not scene_of(SCENES["snow"], street).night
    # Whether it is night is a guess, so it is heard and not said.
    assert "night" not in brief_of(SCENES["night_sea"], Wish(), scene_of(SCENES["night_sea"], street)).caption
    assert "night air" in brief_of(SCENES["night_sea"], Wish(), scene_of(SCENES["night_sea"], street)).soundscape


def test_a_green_photo_may_show_leaves_and_a_green_drawing_shows_nothing() -> None:
    leafy = replace(
        SCENES["forest"], colours=(("green", 0.4), ("forest", 0.3), ("olive", 0.1), ("lime", 0.1), ("brown", 0.1))
    )
    assert scene_of(leafy, Sight(photo=True)) == Scene("forest", "greenery", "likely")
    assert scene_of(leafy, Sight()) == Scene()
    assert scene_of(SCENES["portrait"], Sight(photo=True)) == Scene()


# The rules of certainty


def probabilities(**shares: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Return probabilities with the given shares (class numbers as c281=0.9); the rest is spread over stray classes."""
    found = np.zeros(1000, dtype=np.float32)
    stray = [418, 419, 446, 464]  # ballpoint, plaster, binder, buckle: of no kind
    found[stray] = (1 - sum(shares.values())) / len(stray)
    for name, share in shares.items():
        found[int(name[1:])] = share
    return found


@pytest.mark.parametrize(
    ("shares", "faces", "expected"),
    [
        ({"c281": 0.5, "c282": 0.4}, (), ("animal", "cat", "sure")),
        ({"c281": 0.5}, (), ("animal", "cat", "likely")),
        ({"c281": 0.3}, (), (None, None, None)),
        ({"c281": 0.45, "c207": 0.45}, (), ("animal", None, "sure")),
        ({"c17": 0.6}, (), ("bird", None, "likely")),
        ({"c281": 0.7, "c207": 0.2}, (), ("animal", "cat", "sure")),
        ({"c207": 0.6}, (), ("animal", None, "likely")),  # whatever has four legs looks a little like a dog
        ({"c207": 0.66}, (), ("animal", None, "sure")),
        ({"c207": 0.75}, (), ("animal", None, "sure")),
        ({"c145": 0.62, "c146": 0.1}, (), ("bird", None, "sure")),  # a penguin, perhaps
        ({"c951": 0.68, "c950": 0.05}, (), ("food", None, "sure")),
        ({"c951": 0.6, "c950": 0.05}, (), ("food", "fruit", "likely")),
        ({"c817": 0.45, "c866": 0.2}, (), ("vehicle", None, "sure")),
        ({"c972": 0.72}, (), ("mountain", "cliff", "likely")),  # a canyon
        ({"c970": 0.55, "c972": 0.17}, (), ("mountain", None, "sure")),
        ({"c698": 0.6, "c497": 0.15}, (), ("building", None, "sure")),
        ({"c698": 0.7, "c497": 0.2}, (), ("building", None, "sure")),  # a palace, or a church with a dome
        ({"c698": 0.6}, (), ("building", None, "likely")),
        ({"c872": 0.95}, (0.4,), ("people", None, "sure")),  # no tripod
        ({"c281": 0.9}, (0.09,), ("animal", "cat", "sure")),  # one small face
        ({"c762": 0.2}, (0.09, 0.08), ("people", None, "sure")),
        ({"c762": 0.2}, (0.05,), ("people", None, "likely")),
        ({"c762": 0.2}, (0.05, 0.04), ("people", None, "sure")),  # a group photo, a stage
        ({"c107": 0.95}, (), ("sea", "jellyfish", "likely")),  # patterns look like that
        ({"c978": 0.85}, (), ("sea", "seashore", "sure")),
    ],
)
def test_what_is_said_for_which_probabilities(
    shares: dict[str, float], faces: tuple[float, ...], expected: tuple[str | None, str | None, Certainty | None]
) -> None:
    seen = sight._judged(probabilities(**shares), Faces(faces))
    assert (seen.kind, seen.subject, seen.certainty) == expected


@pytest.mark.parametrize(
    ("heights", "doubtful", "people"),
    [
        ((0.5,), (), 1),
        ((0.5,), (0.02,), 1),
        ((0.5,), (0.2,), 0),  # two at a bar, one of them half turned away
        ((0.5, 0.06), (), 0),
        ((0.2,), (), 0),  # far enough for others to be there
        ((0.3, 0.2), (), 2),
        ((0.3, 0.2, 0.1, 0.1), (), 3),
    ],
)
def test_people_are_counted_only_where_it_is_sure(
    heights: tuple[float, ...], doubtful: tuple[float, ...], people: int
) -> None:
    seen = sight._judged(probabilities(c762=0.2), Faces(heights, doubtful))
    assert (seen.kind, seen.certainty, seen.people) == ("people", "sure", people)


def test_portraits_on_a_wall_are_nobody() -> None:
    assert sight._judged(probabilities(c762=0.2), Faces((0.1, 0.09), framed=True)).kind is None
    assert sight._judged(probabilities(c762=0.9), Faces((0.2,), framed=True)).subject == "restaurant"


def test_no_class_counts_twice_and_none_lies_outside() -> None:
    numbers = [number for classes in subjects.classes().kinds.values() for number in classes]
    assert len(numbers) == len(set(numbers))
    assert set(numbers) <= set(range(1000))
    assert not set(numbers) & set(subjects.classes().pages)


def test_a_kind_that_is_scattered_over_all_its_classes_is_only_a_guess() -> None:
    found = np.zeros(1000, dtype=np.float32)
    classes = subjects.classes().kinds["animal"]
    found[classes] = 1 / len(classes)
    assert sight._judged(found, Faces()).certainty == "likely"
