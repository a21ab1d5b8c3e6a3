"""What captions and titles say: how many ways there are, and that they agree with the song."""

import re
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cli.demo import example_picture
from melodify_core.captioners.eyes import Sight
from melodify_core.captioners.palette.airs import airs_of
from melodify_core.captioners.palette.captioner import MOOD_WORDS, brief_of
from melodify_core.captioners.palette.feeling import EASY_BPM, QUICK_BPM, Mood, mood_of_song
from melodify_core.captioners.palette.landscapes import with_landscape
from melodify_core.captioners.palette.layout import Band
from melodify_core.captioners.palette.notable import is_coloured, is_telling
from melodify_core.captioners.palette.reading import Reading
from melodify_core.captioners.palette.scenery import Scene, scene_of
from melodify_core.captioners.palette.words import words_of
from melodify_core.models import Brief, Wish
from melodify_core.styles import all_styles
from tests.unit.readings import SCENES, reading_of

LANGUAGES = {"english": "en", "korean": "ko"}
CAT = Scene("animal", "cat", "sure")
SLOW: set[Mood] = {"serene", "still", "melancholic", "sombre"}
QUICK: set[Mood] = {"joyful", "excited", "tense"}
GLAD: set[Mood] = {"content", "joyful", "serene"}
GRAVE: set[Mood] = {"melancholic", "sombre", "tense"}


def brief_for(language: str, number: int, scene: Scene = CAT, picture: str = "sunset", **wish: object) -> Brief:
    wished = Wish.model_validate({"language": LANGUAGES[language], **wish})
    return brief_of(replace(SCENES[picture], fingerprint=number), wished, scene)


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_many_sentences_and_many_titles(language: str) -> None:
    words = words_of(language)
    sentences = {text for texts in words.sentences.values() for text in texts}
    assert len(sentences) >= 40
    lines = [line for lines in words.lines.values() for line in lines]
    assert len({*words.titles.seen, *words.titles.unseen, *lines}) >= 90
    assert sum(map(len, words.airs.values())) >= 75
    assert all(len(does) >= 7 for does in words.songs.does.values())
    assert all(len(lines) >= 15 for lines in words.lines.values())


def test_what_is_seen_often_has_sentences_of_its_own() -> None:
    english, korean = words_of("english"), words_of("korean")
    assert set(english.own) == set(korean.own) <= set(english.things)
    assert len(english.own) >= 60
    for language, words in (("english", english), ("korean", korean)):
        captions = [brief_for(language, number).caption for number in range(60)]
        said = {text for text in words.own["cat"] for caption in captions if caption.startswith(text)}
        assert said == set(words.own["cat"])
        assert any(not caption.startswith(words.own["cat"]) for caption in captions)


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_of_its_own_name_what_is_seen(language: str) -> None:
    words = words_of(language)
    for subject, texts in words.own.items():
        phrase, noun = words.things[subject][0], words.things[subject][-1]
        name = phrase.removeprefix("an ").removeprefix("a ").removeprefix("the ").lower()
        unnamed = [text for text in texts if name not in text.lower() and noun.lower() not in text.lower()]
        assert not unnamed
        assert not [text for text in texts if re.search(r"[{}|]", text)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_picture_has_many_titles_of_its_own(language: str) -> None:
    for number, scene in enumerate((CAT, Scene(), Scene("people", None, "sure", 2), Scene("sky", "sunset", "sure"))):
        brief = brief_for(language, number, scene)
        titles = [brief.title, *brief.spare_titles]
        assert len(set(titles)) == len(titles) >= 16
        assert max(map(len, titles)) <= 40
        assert not [title for title in titles if re.search(r"[{}|]|\s\s", title)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_afternoon_is_dim(language: str) -> None:
    day = "Afternoon|Half Past Four|Noon|Sunday|Sunny|Sunshine|낮잠|산책|양지바른|오후|일요일|점심"

    def is_told(brightness: float) -> bool:
        wish = Wish.model_validate({"language": LANGUAGES[language], "style": "folk", "hint": "major, 100 bpm"})
        pictures = (replace(SCENES["forest"], brightness=brightness, fingerprint=number) for number in range(30))
        briefs = [brief_of(picture, wish, Scene()) for picture in pictures]
        return any(re.search(day, title) for brief in briefs for title in (brief.title, *brief.spare_titles))

    assert is_told(0.6)
    assert not is_told(0.42)


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_people_are_not_counted_one_and_two_are_right(language: str) -> None:
    words, scene = words_of(language), Scene("people", None, "sure")
    counting = re.compile(r"[Oo]ne |[Ss]omebody|[Ss]omeone|\bface|[Tt]wo|people|사람|얼굴|우리|다들|둘")
    assert len(words.sentences["somebody"]) >= 7
    assert not [text for text in words.sentences["somebody"] if counting.search(text)]
    for number in range(40):
        brief = brief_for(language, number, scene, ("carnival", "fog")[number % 2])
        assert brief.caption.startswith(words.sentences["somebody"])
        lines = {line.lower() for lines in words.lines.values() for line in lines}
        assert {title.lower() for title in (brief.title, *brief.spare_titles)} <= lines


@pytest.mark.parametrize("language", LANGUAGES)
def test_in_company_nobody_is_missed(language: str) -> None:
    words = words_of(language)
    said = [*(line for lines in words.lines.values() for line in lines)]
    said += [text for table in (words.songs.does, words.songs.heard) for texts in table.values() for text in texts]
    assert all(any(part in text for text in said) for part in words.lonely)

    def is_missed(scene: Scene) -> bool:
        briefs = [brief_for(language, number, scene, "fog", hint="minor, 90 bpm") for number in range(30)]
        texts = [text for brief in briefs for text in (brief.caption, brief.title, *brief.spare_titles)]
        return any(part in text for text in texts for part in words.lonely)

    assert is_missed(Scene())
    assert is_missed(Scene("people", None, "sure", 1))
    assert not is_missed(Scene("people", None, "sure"))
    assert not is_missed(Scene("people", None, "sure", 2))


def test_korean_titles_are_more_than_colour_and_noun() -> None:
    colours = [adjective for _, *adjectives in words_of("korean").colours.values() for adjective in adjectives]
    plain = re.compile(rf"(?:{'|'.join(colours)}) \S+")
    titles = [brief_for("korean", number, scene).title for number in range(100) for scene in (CAT, Scene())]
    assert len([title for title in titles if plain.fullmatch(title)]) < 0.15 * len(titles)
    # Of one scene in one light, so that only the pixels differ.
    assert len(set(titles)) > 0.2 * len(titles)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_seen_is_not_introduced_as_a_picture(language: str) -> None:
    for number in range(60):
        for scene in (CAT, Scene("people", None, "sure", 1), Scene("plane", None, "sure")):
            caption = brief_for(language, number, scene).caption
            assert not re.search(r"In view|is a picture of|picture shows|사진 속에|볼 수 있어요", caption)


@pytest.mark.parametrize("language", LANGUAGES)
def test_once_something_is_seen_neither_light_nor_layout_are_told(language: str) -> None:
    words = words_of(language)
    unfit = [text for texts in (*words.layouts.values(), *words.airs.values()) for text in texts if "{" not in text]
    for number in range(60):
        for picture in SCENES:
            caption = brief_for(language, number, picture=picture).caption.lower()
            assert not [text for text in unfit if text.lower() in caption]


HINTS = (
    "", "minor", "major", "140 bpm", "60 bpm", "sad and slow", "happy and fast", "단조, 빠르게", "no drums",
    "jazz piano", "비 오는 저녁", "waltz", "lullaby", "게임 보스전",
)  # fmt: skip


@pytest.mark.parametrize("style", ["auto", "rock", "piano"])
def test_what_is_asked_to_be_slow_or_fast_is_it_whatever_the_picture_is(style: str) -> None:
    slow, fast = ("slow", "느리게", "천천히"), ("fast", "빠르게", "speed it up")
    for hint in (*slow, *fast):
        for picture in SCENES:
            bpm = brief_for("english", 1, picture=picture, hint=hint, style=style).bpm
            assert bpm < EASY_BPM if hint in slow else bpm >= QUICK_BPM, (hint, picture, bpm)


def moods_told(text: str, *tables: dict[Mood, tuple[str, ...]]) -> set[Mood]:
    """Return the moods of which there is a phrase in the text."""
    return {mood for table in tables for mood, phrases in table.items() if any(phrase in text for phrase in phrases)}


def assert_agrees(moods: set[Mood], brief: Brief) -> None:
    assert not moods & SLOW or brief.bpm < 84 or moods & SLOW == {"melancholic"}
    assert not moods & QUICK or brief.bpm >= 112
    assert not moods & GLAD or brief.mode == "major"
    assert not moods & GRAVE or brief.mode == "minor"


_pictures = st.builds(
    replace,
    st.sampled_from(list(SCENES)).map(SCENES.__getitem__),
    fingerprint=st.integers(0, 2**64 - 1),
    brightness=st.floats(0.05, 0.95),
    saturation=st.floats(0, 0.2),
    warmth=st.floats(-1, 1),
    edges=st.floats(0, 0.8),
    colourfulness=st.floats(0, 120),
)
_scenes = st.sampled_from(
    [
        Scene(),
        CAT,
        Scene("sky", "sunset", "sure"),
        Scene("city", None, "likely"),
        Scene("people", None, "sure", 2),
        Scene("instrument", "piano", "sure"),
        Scene("sea", None, "sure", night=True),
    ]
)


@settings(max_examples=400, deadline=None)
@given(
    reading=_pictures,
    style=st.sampled_from(["auto", *all_styles()]),
    hint=st.sampled_from(HINTS),
    language=st.sampled_from(list(LANGUAGES)),
    scene=_scenes,
)
def test_title_and_song_sentence_agree_with_style_tempo_and_mode(
    reading: Reading, style: str, hint: str, language: str, scene: Scene
) -> None:
    brief = brief_of(
        reading, Wish.model_validate({"language": LANGUAGES[language], "style": style, "hint": hint}), scene
    )
    words = words_of(language)
    song = re.split(r"(?<=[.?!]) ", brief.caption)[-1]
    told = moods_told(song, words.songs.does, words.songs.heard)
    assert len(told) == 1, song
    assert_agrees(told, brief)
    assert told == MOOD_OF_WORD[brief.mood[0]]
    played = next(name for name, known in all_styles().items() if known.brief.genre == brief.genre)
    if style != "auto":
        assert played == style
    named = {name for name, texts in words.songs.styles.items() if any(text.lower() in song.lower() for text in texts)}
    assert played in named
    assert len({words.songs.styles[name] for name in named - {"other"}}) == 1
    for title in (brief.title, *brief.spare_titles):
        for mood in _alone(title, words.lines):
            assert_agrees({mood}, brief)


MOOD_OF_WORD: dict[str, set[Mood]] = {words[0]: {mood} for mood, words in MOOD_WORDS.items()}


def _alone(title: str, lines: dict[Mood, tuple[str, ...]]) -> set[Mood]:
    return {mood for mood, texts in lines.items() if any(text.lower() == title.lower() for text in texts)}


def test_styles_have_words_and_a_new_one_needs_none() -> None:
    for language in LANGUAGES:
        words = words_of(language)
        assert len(words.songs.styles) > 14
        assert set(words.songs.styles) <= {*all_styles(), "other"}
        assert words.song("polka", "content", Random(1))["style"] in words.songs.styles["other"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_moods_share_no_phrase(language: str) -> None:
    words = words_of(language)
    for table in (words.songs.does, words.lines):
        phrases = [phrase for texts in table.values() for phrase in texts]
        assert len(set(phrases)) == len(phrases)


@pytest.mark.parametrize(
    ("mood", "mode", "bpm", "told"),
    [
        ("excited", "minor", 82, "melancholic"),  # a lofi that "can hardly keep still"
        ("joyful", "major", 100, "content"),
        ("still", "minor", 70, "still"),
        ("sombre", "major", 120, "joyful"),
        ("tense", "minor", 130, "tense"),
    ],
)
def test_the_mood_that_is_told_is_the_song_s(mood: Mood, mode: str, bpm: int, told: Mood) -> None:
    assert mood_of_song(mood, "major" if mode == "major" else "minor", bpm) == told


def test_title_and_mood_words_agree_with_the_last_sentence() -> None:
    brief = brief_for("english", 3, Scene(), "carnival", style="lofi", hint="minor")
    assert (brief.mode, brief.mood[0]) == ("minor", "melancholic")
    words = words_of("english")
    foreign = {air for mood in QUICK for air in words.nouns[mood]} - set(words.nouns["melancholic"])
    assert not [title for title in (brief.title, *brief.spare_titles) for air in foreign if air in title]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_picture_in_greys_has_no_colour_in_its_titles(language: str) -> None:
    grey = replace(SCENES["fog"], colours=(("grey", 0.6), ("charcoal", 0.4)))
    names = {name for tint in ("grey", "charcoal") for name in words_of(language).colours[tint]}
    for number in range(20):
        brief = brief_of(replace(grey, fingerprint=number), Wish.model_validate({"language": LANGUAGES[language]}))
        assert len({brief.title, *brief.spare_titles}) >= 8
        assert not [title for title in (brief.title, *brief.spare_titles) if any(name in title for name in names)]


@pytest.mark.parametrize("subject", words_of("english").alone)
def test_of_what_comes_in_herds_nobody_is_counted(subject: str) -> None:
    words = words_of("english")
    scene = Scene("flower" if subject == "flower" else "animal", subject, "sure")
    assert len(words.own[subject]) >= 4
    for number in range(20):
        brief = brief_for("english", number, scene)
        assert brief.caption.startswith(words.own[subject])
        titles = (brief.title, *brief.spare_titles)
        counted = "Ask the|Dear|Enter|Featuring|First Sight|Letter|Mostly|Song for|Starring"
        assert not [title for title in titles if re.search(counted, title)]


def test_nothing_stars_in_a_song_that_is_wide_as_the_sea() -> None:
    for scene in (Scene("sky", "sunset", "sure"), Scene("sea", None, "sure"), Scene("mountain", "mountains", "sure")):
        for number in range(20):
            brief = brief_for("english", number, scene)
            titles = (brief.title, *brief.spare_titles)
            assert not [title for title in titles if re.search("Featuring|Mostly|Song for|Starring", title)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_cup_is_neither_on_the_menu_nor_helped_to(language: str) -> None:
    for subject in ("cup", "teapot"):
        for number in range(40):
            caption = brief_for(language, number, Scene("food", subject, "sure")).caption
            assert not re.search("menu|Help yourself|메뉴", caption)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_does_not_live_is_not_written_to(language: str) -> None:
    for scene in (Scene("building", "castle", "sure"), Scene("vehicle", "car", "sure")):
        for number in range(20):
            brief = brief_for(language, number, scene)
            titles = (brief.title, *brief.spare_titles)
            assert not [
                title for title in titles if re.search("Dear|Ask the|Letter to|A Day with|보낸 하루|등장", title)
            ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_stage_is_not_played_and_a_diver_no_wide_land(language: str) -> None:
    scenes = (Scene("stage", "stage", "sure"), Scene("sea", "diver", "sure"))
    strange = "ought to play it|무대 소리|as far as the song|Fresh air|숨부터 크게"
    for scene in scenes:
        captions = [brief_for(language, number, scene).caption for number in range(40)]
        assert not [caption for caption in captions if re.search(strange, caption)]


def test_every_colour_came_only_where_there_are_many_hues() -> None:
    one = (("rust", 0.27), ("coral", 0.15), ("crimson", 0.14), ("red", 0.14))
    reading = replace(SCENES["carnival"], colours=one, colourfulness=90, brightness=0.6)
    assert "vivid" not in airs_of(reading)
    few = (("rust", 0.27), ("beige", 0.15), ("orange", 0.14), ("red", 0.14), ("olive", 0.06))
    assert "vivid" not in airs_of(replace(reading, colours=few))  # a flower that fills the picture
    many = (("rust", 0.27), ("sky", 0.15), ("lime", 0.14), ("yellow", 0.14))
    assert "vivid" in airs_of(replace(reading, colours=many))


def test_a_picture_with_one_coloured_button_is_not_without_colours() -> None:
    grey = replace(SCENES["fog"], saturation=0.002, colourfulness=2, accent=None, span=0.9)
    grey = replace(grey, colours=(("grey", 0.6), ("black", 0.3)))
    assert "mono" in airs_of(grey)
    assert "mono" not in airs_of(replace(grey, accent="violet"))
    assert "mono" not in airs_of(replace(grey, colourfulness=5))  # brown earth in the snow


def test_blue_is_overhead_only_where_it_is_not_below() -> None:
    sky = replace(SCENES["noise"], bands=(Band(0.7, -0.02, -0.08, 0.0), Band(0.7, 0, 0, 0.2), Band(0.5, 0, -0.03, 0.4)))
    assert "blue above" in airs_of(sky)
    assert "blue above" not in airs_of(replace(sky, bands=(*sky.bands[:2], Band(0.7, 0, -0.05, 0.05))))


@pytest.mark.parametrize("language", LANGUAGES)
def test_of_comics_and_menus_no_light_is_told(language: str) -> None:
    words = words_of(language)
    light = tuple(text for air in ("bright", "quiet", "white") for text in words.airs[air])
    page = replace(SCENES["fog"], brightness=0.85, saturation=0.03, edges=0.2, contrast=0.3)
    page = replace(page, colours=(("white", 0.6), ("red", 0.1)), colourfulness=20, emptiness=0.1, accent=None)
    light += tuple(text for texts in words.layouts.values() for text in texts)

    def is_told(scene: Scene) -> bool:
        wish = Wish.model_validate({"language": LANGUAGES[language], "style": "folk", "hint": "major, 100 bpm"})
        briefs = [brief_of(replace(page, fingerprint=number), wish, scene) for number in range(30)]
        return any(brief.caption.startswith(light) for brief in briefs)

    assert is_told(Scene())
    assert not is_told(Scene(drawn=True))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_cosy_colours_lead_over_to_a_chase(language: str) -> None:
    cosy = words_of(language).airs["warm"]
    warm = replace(SCENES["noise"], warmth=0.6, greenness=0.0, brightness=0.5, colours=(("orange", 0.4), ("red", 0.3)))

    def is_told(hint: str) -> bool:
        wish = Wish.model_validate({"language": LANGUAGES[language], "style": "jazz", "hint": hint})
        briefs = [brief_of(replace(warm, fingerprint=number), wish) for number in range(30)]
        return any(brief.caption.startswith(cosy) for brief in briefs)

    assert is_told("major, 100 bpm")
    assert not is_told("minor, 140 bpm")


def test_no_title_calls_an_animal_a_person() -> None:
    for hint in ("minor, 70 bpm", "major, 140 bpm"):
        briefs = [brief_for("korean", number, CAT, hint=hint) for number in range(40)]
        assert not [title for brief in briefs for title in (brief.title, *brief.spare_titles) if "사람" in title]
    briefs = [brief_for("korean", number, Scene(), hint="minor, 70 bpm") for number in range(40)]
    assert any("사람" in title for brief in briefs for title in (brief.title, *brief.spare_titles))


def test_a_landscape_with_the_sun_in_view_is_not_dark() -> None:
    night = replace(SCENES["noise"], brightness=0.3, warmth=0.0, bands=(Band(0.35, 0, 0, 0.1),) * 3)
    assert "dark" in airs_of(night)
    assert "dark" not in airs_of(replace(night, bands=(Band(0.49, 0, 0, 0.1), *night.bands[:2])))
    assert "dark" not in airs_of(replace(night, brightness=0.35))


def test_nothing_but_one_colour_is_said_of_nothing_else_alone() -> None:
    plain = replace(SCENES["fog"], colours=(("turquoise", 0.99),), edges=0.0, warmth=-0.3)
    assert airs_of(plain) == ("one colour",)
    for bird in ((("turquoise", 0.94), ("black", 0.05)), (("turquoise", 0.96),)):
        reading = replace(plain, colours=bird)
        assert "one colour" not in airs_of(reading)
        captions = [brief_of(replace(reading, fingerprint=number), Wish()).caption for number in range(60)]
        assert not [caption for caption in captions if caption.lower().count("turquoise") > 1]


def test_peach_is_no_pink() -> None:
    peach = replace(SCENES["noise"], colours=(("coral", 0.8), ("brown", 0.15)))
    assert "pink" not in airs_of(peach)
    assert "pink" in airs_of(replace(peach, colours=(("coral", 0.5), ("pink", 0.4))))


def test_a_desert_in_the_evening_sun_is_no_brown_room() -> None:
    brown = (("brown", 0.43), ("ochre", 0.26), ("rust", 0.14), ("sky", 0.12))
    room = replace(SCENES["noise"], colours=brown, greenness=0.0, brightness=0.6, saturation=0.07)
    assert "earth" in airs_of(room)
    assert "earth" not in airs_of(replace(room, saturation=0.105))


def test_turquoise_is_no_green_and_bricks_in_the_rain_are_not_grey() -> None:
    reef = (("turquoise", 0.4), ("green", 0.15), ("teal", 0.13), ("brown", 0.1))
    reading = replace(SCENES["noise"], colours=reef, greenness=0.7, brightness=0.65, warmth=-0.2)
    assert airs_of(reading)[0] == "turquoise"
    assert "green" not in airs_of(reading)
    dull = replace(SCENES["noise"], saturation=0.013, colours=(("silver", 0.5), ("grey", 0.3)))
    assert "grey" in airs_of(dull)
    assert "grey" not in airs_of(replace(dull, colours=(("silver", 0.5), ("grey", 0.3), ("brown", 0.08))))


def test_ridged_wood_is_not_smooth_and_the_dark_neither_warm_nor_clear() -> None:
    plain = (("beige", 0.64), ("cream", 0.36))
    fog = replace(SCENES["fog"], edges=0.047, texture=0.004, span=0.2, colours=plain)
    assert "smooth" in airs_of(fog)
    assert "smooth" not in airs_of(replace(fog, texture=0.017))
    for warmth, bright, dark in ((0.5, "warm", "dark warm"), (-0.5, "cool", "dark cool")):
        reading = replace(SCENES["noise"], warmth=warmth, greenness=0.0, bands=())
        assert bright in airs_of(replace(reading, brightness=0.5))
        assert bright not in airs_of(replace(reading, brightness=0.3))
        assert dark in airs_of(replace(reading, brightness=0.3))


def test_the_blue_hour_is_neither_day_nor_night() -> None:
    blue = replace(SCENES["noise"], colours=(("navy", 0.4), ("charcoal", 0.4)), warmth=-0.3, brightness=0.42)
    assert airs_of(blue)[0] == "blue hour"
    assert "blue" not in airs_of(replace(blue, colours=(("navy", 0.4), ("blue", 0.2))))  # as of a summer's sky
    for other in (replace(blue, brightness=0.2), replace(blue, brightness=0.6), replace(blue, warmth=0.0)):
        assert "blue hour" not in airs_of(other)


@pytest.mark.parametrize("language", LANGUAGES)
def test_quiet_colours_are_not_told_with_a_fast_song(language: str) -> None:
    quiet = replace(SCENES["noise"], saturation=0.03, colourfulness=20, edges=0.2, brightness=0.5, warmth=0.0)
    told = words_of(language).airs["quiet"]

    def is_told(hint: str) -> bool:
        wish = Wish.model_validate({"language": LANGUAGES[language], "style": "cinematic", "hint": hint})
        briefs = [brief_of(replace(quiet, fingerprint=number), wish) for number in range(20)]
        return any(brief.caption.startswith(told) for brief in briefs)

    assert is_told("60 bpm")
    assert not is_told("140 bpm")


def test_titles_name_no_trace_of_a_colour_and_no_brown_with_a_green_cast() -> None:
    reading = replace(SCENES["fog"], colours=(("silver", 0.5), ("beige", 0.45)), greenness=0.0)
    assert is_telling(reading, "beige")
    assert not is_telling(replace(reading, greenness=0.17), "beige")
    assert not is_telling(replace(reading, colours=(("silver", 0.64), ("beige", 0.09))), "beige")
    assert not is_telling(reading, "silver")
    assert is_telling(replace(reading, colours=(("silver", 0.8), ("red", 0.13))), "red")
    for language in LANGUAGES.values():
        for number in range(20):
            green = replace(reading, greenness=0.17, fingerprint=number)
            brief = brief_of(green, Wish.model_validate({"language": language}))
            assert not [
                title for title in (brief.title, *brief.spare_titles) if re.search("Beige|Sand|베이지|모랫", title)
            ]


def test_baize_is_not_told_as_mint_nor_wood_as_olive() -> None:
    brown = replace(SCENES["fog"], colours=(("brown", 0.4), ("olive", 0.4)), greenness=0.02)
    assert not is_telling(brown, "olive")
    assert not is_coloured(brown)
    assert is_telling(replace(brown, greenness=0.2), "olive")
    assert is_coloured(replace(brown, greenness=0.2))
    assert not is_telling(replace(brown, colours=(("grey", 0.8), ("mint", 0.15))), "mint")
    assert is_telling(replace(brown, colours=(("mint", 0.9),)), "mint")


def test_quiet_is_no_word_for_black_on_white() -> None:
    soft = replace(SCENES["noise"], saturation=0.02, colourfulness=10, edges=0.2, contrast=0.1)
    assert "quiet" in airs_of(soft)
    assert "quiet" not in airs_of(replace(soft, contrast=0.29))


# Landscapes


EVENING = (Band(0.85, 0.03, 0.02, 0.02), Band(0.75, 0.04, 0.03, 0.1), Band(0.2, 0.02, 0.01, 0.1))
BLUE = (Band(0.4, 0.0, -0.07, 0.3), Band(0.35, -0.01, -0.07, 0.2), Band(0.4, -0.02, -0.07, 0.2))
AFTERGLOW = (Band(0.58, 0.026, -0.11, 0.0), Band(0.74, 0.042, -0.044, 0.03), Band(0.56, 0.039, -0.049, 0.06))
STRIP = (Band(0.42, 0.0, -0.04, 0.0), Band(0.47, 0.045, -0.01, 0.1), Band(0.27, -0.01, -0.03, 0.03))
CLOUDS = (Band(0.44, -0.008, -0.062, 0.05), Band(0.68, 0.0, -0.03, 0.17), Band(0.57, -0.003, -0.052, 0.14))
STREETS = (Band(0.94, 0.0, 0.01, 0.04), Band(0.49, 0.01, 0.02, 0.44), Band(0.23, 0.0, 0.01, 0.38))
GOLDEN = (Band(0.66, 0.008, 0.079, 0.06), Band(0.48, 0.01, 0.015, 0.39), Band(0.34, 0.001, 0.001, 0.49))
GRAVEL = (Band(0.6, 0.01, 0.01, 0.73), Band(0.6, 0.01, 0.01, 0.71), Band(0.6, 0.01, 0.01, 0.68))
DARK = (Band(0.3, 0.0, -0.02, 0.02), Band(0.38, 0.0, 0.01, 0.5), Band(0.36, 0.0, 0.01, 0.3))
CLEAR = (Band(0.7, -0.02, -0.08, 0.0), Band(0.75, -0.02, -0.06, 0.02), Band(0.5, 0.0, 0.04, 0.4))
ROUGH = (Band(0.5, 0.0, 0.0, 0.6), Band(0.5, 0.0, 0.0, 0.6), Band(0.5, 0.0, 0.0, 0.6))


@pytest.mark.parametrize(
    ("bands", "shares", "seen", "expected"),
    [
        (EVENING, {"mountain": 0.3}, None, ("sky", "sunset", "sure")),
        (EVENING, {"furniture": 0.1}, None, (None, None, None)),  # a room in warm light
        (STRIP, {"sea": 0.5}, None, ("sky", "sunset", "sure")),
        (CLOUDS, {"plane": 0.2, "building": 0.1}, None, ("sky", None, "likely")),
        (CLOUDS, {"animal": 0.2}, None, (None, None, None)),
        (STREETS, {"building": 0.3, "ship": 0.2}, None, ("city", None, "sure")),
        (STREETS, {"building": 0.3}, None, (None, None, None)),
        (CLEAR, {"building": 0.66}, None, ("building", None, "sure")),  # an iron tower
        (CLOUDS, {"building": 0.45}, None, (None, None, None)),
        (CLOUDS, {"building": 0.6, "mountain": 0.15}, None, (None, None, None)),  # a canyon
        (CLOUDS, {"building": 0.55, "ship": 0.1}, None, ("building", None, "sure")),
        (CLOUDS, {"furniture": 0.6, "machine": 0.1}, None, ("furniture", None, "sure")),
        (CLOUDS, {"furniture": 0.6, "animal": 0.2}, None, (None, None, None)),  # a dog on a sofa
        (AFTERGLOW, {"sea": 0.4}, None, ("sky", "sunset", "sure")),
        (AFTERGLOW, {"sea": 0.1}, None, (None, None, None)),  # a gradient
        (GOLDEN, {"sea": 0.3, "water": 0.1}, None, ("sky", "sunset", "sure")),
        (GOLDEN, {"furniture": 0.4}, None, (None, None, None)),  # a warm wall
        (EVENING, {"animal": 0.6}, None, (None, None, None)),  # a blurred ground behind an animal
        (BLUE, {"sea": 0.5, "ship": 0.1}, None, ("sea", None, "sure")),
        (BLUE, {"sea": 0.1}, None, (None, None, None)),
        (DARK, {"water": 0.4, "city": 0.2}, None, ("city", "night lights", "likely")),
        (DARK, {"stage": 0.4}, None, (None, None, None)),
        (CLEAR, {}, None, ("sky", None, "likely")),
        (ROUGH, {"flower": 0.5}, None, ("flower", "flower", "sure")),
        (ROUGH, {"mountain": 0.9}, "mountains", (None, None, None)),  # a brook among trees
        (CLEAR, {"mountain": 0.9}, "mountains", ("mountain", "mountains", "sure")),
    ],
)
def test_landscapes_are_named_by_bands_and_classes(
    bands: tuple[Band, ...], shares: dict[str, float], seen: str | None, expected: tuple[str | None, ...]
) -> None:
    reading = replace(SCENES["noise"], bands=bands, brightness=0.38, span=0.9, saturation=0.02)
    sight = Sight(photo=True, shares=shares)
    if seen:
        sight = replace(sight, kind="mountain", subject=seen, certainty="sure")
    found = with_landscape(reading, sight)
    assert (found.kind, found.subject, found.certainty) == expected


def test_a_grey_sea_is_known_by_its_horizon() -> None:
    grey = replace(SCENES["noise"], bands=CLOUDS, level_line=0.4)
    sea = Sight(photo=True, kind="sea", certainty="likely", shares={"sea": 0.55, "water": 0.1})
    assert scene_of(grey, sea) == Scene("sea", None, "sure")
    assert scene_of(replace(grey, level_line=None), sea).certainty == "likely"  # fish
    desert = (CLOUDS[0], Band(0.65, 0.048, 0.092, 0.06), Band(0.54, 0.055, 0.091, 0.04))
    for certainty in ("likely", "sure"):
        dunes = scene_of(replace(grey, bands=desert), replace(sea, subject="seashore", certainty=certainty))
        assert (dunes.kind, dunes.certainty) == (None, None)
        beach = scene_of(replace(grey, bands=(*CLOUDS[:2], desert[2])), replace(sea, certainty=certainty))
        assert (beach.kind, beach.certainty) == ("sea", "sure")
    quay = replace(sea, kind="ship", shares={"sea": 0.1, "ship": 0.75})
    assert scene_of(grey, quay).certainty == "likely"


def test_gravel_is_no_animal_and_grey_pollen_no_flower() -> None:
    gravel = replace(SCENES["noise"], bands=GRAVEL, saturation=0.02)
    maybe = Sight(photo=True, kind="animal", certainty="likely", shares={"animal": 0.55})
    assert with_landscape(gravel, maybe).kind is None
    assert with_landscape(replace(gravel, bands=CLEAR), maybe).kind == "animal"
    pollen = Sight(photo=True, shares={"flower": 0.57})
    assert with_landscape(replace(gravel, bands=ROUGH, saturation=0.0), pollen).kind is None
    assert with_landscape(replace(gravel, bands=ROUGH), pollen).kind == "flower"


def test_a_drawn_sunset_is_known_by_its_horizon() -> None:
    drawn = SCENES["sunset"]
    assert scene_of(drawn) == Scene("sky", "sunset", "sure")
    assert scene_of(reading_of(example_picture())) == Scene("sky", "sunset", "sure")
    upper, middle, lower = drawn.bands
    for other in (
        replace(drawn, level_line=None),  # a gradient
        replace(drawn, level_line=0.8),  # a table
        replace(drawn, bands=(replace(upper, yellow=0.06), middle, lower)),  # a wall
        replace(drawn, bands=(upper, replace(middle, red=0.01), lower)),  # a morning
        replace(drawn, bands=(upper, middle, replace(lower, light=0.6))),  # a desert
        replace(drawn, bands=(replace(upper, edges=0.3), middle, lower)),  # a town
        *(SCENES[name] for name in SCENES if name != "sunset"),
    ):
        assert scene_of(other) == Scene()
    people = Sight(photo=True, kind="people", certainty="sure", people=2)
    assert scene_of(drawn, people).kind == "people"


def test_landscapes_are_seen_on_photos_only() -> None:
    assert scene_of(replace(SCENES["sunset"], bands=EVENING), Sight()) == Scene()  # bands of a photo
    assert (
        scene_of(replace(SCENES["sunset"], bands=EVENING), Sight(photo=True, shares={"sea": 0.3})).subject == "sunset"
    )


def test_blue_above_is_measured() -> None:
    reading = replace(SCENES["fog"], colours=(("sky", 0.4), ("grey", 0.4)), brightness=0.6, warmth=0.0)
    ground = Band(0.5, 0.0, 0.03, 0.4)
    for upper, holds in ((CLEAR[0], True), (CLOUDS[0], False), (GRAVEL[0], False), (AFTERGLOW[1], False)):
        assert ("blue above" in airs_of(replace(reading, bands=(upper, upper, ground)))) is holds


def test_snow_on_mountains_is_said() -> None:
    snowy = replace(
        SCENES["snow"],
        bands=(CLEAR[0], Band(0.8, 0.0, 0.0, 0.2), ROUGH[2]),
        colours=(("white", 0.3), ("blue", 0.4), ("charcoal", 0.2)),
    )
    seen = Sight(photo=True, kind="mountain", subject="mountains", certainty="sure")
    assert scene_of(snowy, seen).subject == "snowy mountains"
    assert scene_of(replace(snowy, colours=(("olive", 0.9),)), seen).subject == "mountains"
