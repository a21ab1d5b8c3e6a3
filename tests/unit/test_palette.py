import dataclasses
import re
import time
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageColor, ImageDraw

from melodify_core.brief import music_prompt
from melodify_core.captioners.palette import PaletteCaptioner
from melodify_core.captioners.palette.airs import airs_of
from melodify_core.captioners.palette.captioner import brief_of, read
from melodify_core.captioners.palette.colours import COLOURS, nearest, oklab
from melodify_core.captioners.palette.feeling import feeling_of
from melodify_core.captioners.palette.notable import named_colours, notable, telling_colour
from melodify_core.captioners.palette.reading import Reading
from melodify_core.captioners.palette.words import words_of
from melodify_core.hints import understand as steering_of
from melodify_core.hints.concepts import other_words as hint_words
from melodify_core.media.picture import PictureLimits, prepare
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Brief, Language, Wish
from melodify_core.ports import Captioner
from melodify_core.styles import all_styles, style_choices
from melodify_core.styles.instruments import instruments
from tests import pictures
from tests.jobs import a_provider_context
from tests.unit.readings import FOREIGN, SCENES, assert_speaks, jpeg_of, reading_of

LANGUAGES: tuple[Language, ...] = ("en", "ko")
SMALL: dict[str, Callable[[], bytes]] = {
    "black": lambda: pictures.plain("black"),
    "white": lambda: pictures.plain("white"),
    "one colour": lambda: pictures.plain((200, 40, 120)),
    "noise": pictures.noise,
    "2x2": lambda: pictures.encoded(pictures.quarters((2, 2)), "PNG"),
    "1x1": lambda: pictures.plain("teal", (1, 1)),
    "narrow": lambda: pictures.plain("olive", (400, 4)),
}


def _disc(ground: str, colour: str) -> Image.Image:
    picture = Image.new("RGB", (300, 200), ground)
    ImageDraw.Draw(picture).ellipse((100, 50, 200, 150), fill=colour)
    return picture


def brief_for(data: bytes, **wish: object) -> Brief:
    return read(jpeg_of(data), Wish.model_validate(wish))


def heard(scene: str, **wish: object) -> Brief:
    return brief_of(SCENES[scene], Wish.model_validate(wish))


# What is measured


def test_a_sunset_is_warm_and_pleasant() -> None:
    assert SCENES["sunset"].warmth > 0.3
    assert heard("sunset").valence > 0.1
    assert heard("sunset").mode == "major"


def test_a_night_sea_is_dark_cold_calm_and_minor() -> None:
    reading, brief = SCENES["night_sea"], heard("night_sea")
    assert reading.brightness < 0.3
    assert reading.warmth < -0.2
    assert brief.arousal < -0.3
    assert brief.mode == "minor"
    assert heard("sunset").valence > brief.valence + 0.5


def test_noise_is_more_excited_than_fog() -> None:
    assert heard("noise").arousal > 0.2
    assert heard("fog").arousal < -0.6
    assert heard("noise").bpm > heard("fog").bpm + 20


def test_strong_colours_excite_and_please() -> None:
    brief = heard("carnival")
    assert brief.valence > 0.5
    assert brief.arousal > 0.3
    assert brief.energy in ("lively", "intense")


@pytest.mark.parametrize(
    ("scene", "expected"),
    [
        ("sunset", {"plum", "orange"}),
        ("night_sea", {"navy"}),
        ("forest", {"green", "forest"}),
        ("snow", {"white"}),
        ("carnival", {"yellow", "blue", "red"}),
        ("neon", {"black", "magenta"}),
        ("fog", {"grey"}),
    ],
)
def test_colours_have_their_usual_names(scene: str, expected: set[str]) -> None:
    assert expected <= {name for name, _ in SCENES[scene].colours}


def test_a_picture_of_one_colour_has_that_colour() -> None:
    named = {name: reading_of(pictures.plain(COLOURS[name])).colours[0][0] for name in COLOURS}
    assert [name for name, found in named.items() if found != name] == []


# Colours of CSS (and of xkcd.com/color/rgb where it says so), by the name that people would give them.
CALLED = {
    "turquoise": "turquoise", "darkturquoise": "turquoise", "mediumturquoise": "turquoise", "cyan": "turquoise",
    "lightseagreen": "turquoise", "paleturquoise": "turquoise", "cadetblue": "turquoise", "teal": "teal",
    "darkcyan": "teal", "steelblue": "blue", "royalblue": "blue", "cornflowerblue": "blue", "dodgerblue": "blue",
    "lightblue": "sky", "powderblue": "sky", "lightsteelblue": "sky", "skyblue": "sky", "midnightblue": "navy",
    "navy": "navy", "palegreen": "mint", "lightgreen": "mint", "aquamarine": "mint", "darkseagreen": "green",
    "forestgreen": "green", "seagreen": "green", "yellowgreen": "lime", "olive": "olive", "darkolivegreen": "olive",
    "darkgoldenrod": "ochre", "peru": "ochre", "goldenrod": "amber", "gold": "yellow", "khaki": "yellow",
    "tan": "beige", "burlywood": "beige", "beige": "cream", "wheat": "cream", "sienna": "rust", "saddlebrown": "rust",
    "maroon": "crimson", "firebrick": "red", "salmon": "coral", "tomato": "coral", "darkorange": "orange",
    "thistle": "lavender", "indigo": "violet", "rebeccapurple": "violet", "rosybrown": "pink", "lightpink": "pink",
    "mistyrose": "pink", "hotpink": "magenta", "palevioletred": "magenta", "slategray": "grey", "gainsboro": "silver",
    "#7b5804": "brown", "#bf9005": "ochre", "#a6814c": "brown", "#9d7651": "brown", "#8a6e45": "brown",
    "#c87606": "orange", "#3b638c": "blue", "#5a86ad": "blue", "#cea2fd": "lavender", "#014d4e": "teal",
    "#87ae73": "green", "#c0737a": "pink", "#825f87": "violet", "#cb416b": "magenta", "#fdaa48": "amber",
}  # fmt: skip


@pytest.mark.parametrize(("colour", "name"), CALLED.items())
def test_common_colours_have_the_name_that_people_give_them(colour: str, name: str) -> None:
    pixel = np.array([ImageColor.getrgb(colour)]) / 255
    assert list(COLOURS)[int(nearest(oklab(pixel))[0])] == name


def test_shares_of_colours_are_shares() -> None:
    for reading in SCENES.values():
        shares = [share for _, share in reading.colours]
        assert shares == sorted(shares, reverse=True)
        assert 0.3 < sum(shares) <= 1.000001


@pytest.mark.parametrize(
    ("box", "place"),
    [
        ((0, 0, 120, 40), "above"),
        ((0, 80, 120, 120), "below"),
        ((0, 0, 40, 120), "left"),
        ((80, 0, 120, 120), "right"),
        ((40, 40, 80, 80), "centre"),
    ],
)
def test_light_and_weight_are_found_where_they_are(box: tuple[int, int, int, int], place: str) -> None:
    picture = Image.new("RGB", (120, 120), "black")
    picture.paste("white", box)
    assert reading_of(pictures.encoded(picture, "PNG")).light == place
    spot = Image.new("RGB", (120, 120), (60, 60, 60))
    inner = (max(6, box[0]), max(6, box[1]), min(114, box[2]), min(114, box[3]))
    spot.paste((200, 60, 60), inner)
    assert reading_of(pictures.encoded(spot, "PNG")).weight == place


def test_light_on_both_sides_is_on_neither() -> None:
    assert reading_of(pictures.encoded(_disc("white", "red"), "PNG")).light == "even"


def test_the_span_of_lightness_is_that_of_the_thinnest_lines() -> None:
    picture = Image.new("RGB", (600, 600), "white")
    for x in range(0, 600, 60):
        picture.paste("black", (x, 0, x + 2, 600))
    assert reading_of(pictures.encoded(picture, "PNG")).span > 0.9
    assert reading_of(pictures.plain("teal")).span == 0


def test_a_line_across_the_picture_is_found_at_its_height() -> None:
    picture = Image.new("RGB", (300, 200), (90, 120, 200))
    picture.paste((60, 80, 40), (0, 150, 300, 200))
    line = reading_of(pictures.encoded(picture)).level_line
    assert line is not None
    assert abs(line - 0.75) < 0.03
    assert SCENES["sunset"].level_line is not None
    for scene in ("portrait", "forest", "noise", "fog", "carnival"):
        assert SCENES[scene].level_line is None


@pytest.mark.parametrize(("angle", "lines"), [(0, "upright"), (90, "level"), (45, "slanting"), (135, "slanting")])
def test_the_direction_of_lines_is_found(angle: int, lines: str) -> None:
    picture = Image.new("L", (300, 300), 40)
    for x in range(0, 300, 20):
        picture.paste(200, (x, 0, x + 10, 300))
    turned = picture.rotate(angle).crop((70, 70, 230, 230))
    assert reading_of(pictures.encoded(turned)).lines == lines


def test_the_direction_of_lines_is_that_of_the_picture_and_not_of_the_square() -> None:
    assert SCENES["neon"].lines == "slanting"
    for shape in ((480, 320), (200, 600)):
        assert reading_of(pictures.noise(shape)).lines == "none"


def test_symmetry_and_emptiness_tell_pictures_apart() -> None:
    assert SCENES["portrait"].symmetry > 0.9
    assert SCENES["noise"].symmetry < 0.3
    assert SCENES["snow"].emptiness > 0.8
    assert SCENES["forest"].emptiness < 0.2


def test_colourfulness_has_the_scale_of_its_authors() -> None:
    assert reading_of(pictures.plain("grey")).colourfulness == pytest.approx(0, abs=0.5)
    # 0.3 * |(255, 127.5)| of a plain red, by equation 3 of the paper.
    assert reading_of(pictures.plain("red")).colourfulness == pytest.approx(85.5, abs=1)


# What is said


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", SMALL)
def test_every_odd_picture_has_a_brief(kind: str, language: Language) -> None:
    assert_speaks(brief_for(SMALL[kind](), language=language), language)


_shares = st.lists(st.sampled_from(sorted(COLOURS)), min_size=1, max_size=8, unique=True).map(
    lambda names: tuple((name, 1 / len(names)) for name in names)
)
_readings = st.builds(
    Reading,
    brightness=st.floats(0, 1),
    saturation=st.floats(0, 0.32),
    colours=_shares,
    accent=st.none() | st.sampled_from(sorted(COLOURS)),
    warmth=st.floats(-1, 1),
    greenness=st.floats(-1, 1),
    contrast=st.floats(0, 0.5),
    span=st.floats(0, 1),
    edges=st.floats(0, 1),
    texture=st.floats(0, 0.5),
    colourfulness=st.floats(0, 180),
    light=st.sampled_from(["above", "below", "left", "right", "centre", "even"]),
    weight=st.sampled_from(["above", "below", "left", "right", "centre", "even"]),
    symmetry=st.floats(0, 1),
    lines=st.sampled_from(["level", "upright", "slanting", "none"]),
    level_line=st.none() | st.floats(0.1, 0.9),
    emptiness=st.floats(0, 1),
    fingerprint=st.integers(0, 2**64 - 1),
)


@settings(max_examples=150, deadline=None)
@given(reading=_readings, language=st.sampled_from(LANGUAGES), style=st.sampled_from(style_choices()))
def test_whatever_was_measured_can_be_said_and_played(reading: Reading, language: Language, style: str) -> None:
    wish = Wish(language=language, style=style)
    brief = brief_of(reading, wish)
    assert_speaks(brief, language)
    assert 60 <= brief.bpm <= 150
    assert brief.mode == ("major" if brief.valence >= 0 else "minor")
    assert len(set(brief.instruments)) == len(brief.instruments)
    assert "{" not in music_prompt(brief, wish)


def test_a_valence_that_reads_as_zero_is_major() -> None:
    low, high = 0.0, 1.0  # brightness pleases: between them lies the valence that is only just negative
    for _ in range(60):
        middle = (low + high) / 2
        reading = dataclasses.replace(SCENES["sunset"], brightness=middle)
        valence = feeling_of(reading).valence
        low, high = (middle, high) if valence < -0.0003 else (low, middle)
    assert -0.0004 < feeling_of(reading).valence < 0
    brief = brief_of(reading, Wish())
    assert (brief.valence, brief.mode) == (0, "major")


def test_both_languages_have_words_for_the_same_things() -> None:
    first, second = words_of("english"), words_of("korean")
    assert set(first.colours) == set(second.colours) == set(COLOURS)
    for table in ("lines", "airs", "layouts", "tints"):
        assert set(getattr(first, table)) == set(getattr(second, table))
    for part in ("styles", "does", "heard"):
        assert set(getattr(first.songs, part)) == set(getattr(second.songs, part))


def test_korean_names_of_colours_fit_the_particles_they_are_followed_by() -> None:
    for noun, *adjectives in words_of("korean").colours.values():
        assert noun.endswith("색")
        assert all(adjective.endswith(("빛", "색")) for adjective in adjectives)


def test_different_pictures_get_different_words() -> None:
    for language in LANGUAGES:
        briefs = [heard(scene, language=language) for scene in SCENES]
        assert len({brief.title for brief in briefs}) == len(briefs)
        assert len({brief.caption for brief in briefs}) == len(briefs)
    assert len({heard(scene).bpm for scene in SCENES}) >= 7


def test_pictures_that_measure_alike_still_vary_their_words() -> None:
    alike = [dataclasses.replace(SCENES["sunset"], fingerprint=number) for number in range(40)]
    assert len({brief_of(reading, Wish()).title for reading in alike}) > 8
    assert len({brief_of(reading, Wish(language="ko")).caption for reading in alike}) > 15


def test_a_caption_tells_the_air_of_light_and_colours() -> None:
    assert airs_of(SCENES["night_sea"])[:2] == ("dark cool", "dark")
    told = {heard("night_sea", language=language).caption.partition(".")[0] + "." for language in LANGUAGES}
    known = {text for words in map(words_of, ("english", "korean")) for texts in words.airs.values() for text in texts}
    assert told <= known


def test_leaves_in_warm_light_are_green_and_no_kitchen() -> None:
    leaves = dataclasses.replace(
        SCENES["forest"], colours=(("olive", 0.4), ("lime", 0.2), ("black", 0.2)), warmth=0.45, greenness=0.34
    )
    assert airs_of(leaves)[0] == "green"
    assert not {"warm", "earth"} & set(airs_of(leaves))
    assert "warm" in airs_of(dataclasses.replace(leaves, greenness=0.0))


def test_only_what_has_no_colour_is_said_to_have_none() -> None:
    grey = Image.effect_noise((300, 200), 90).convert("RGB")
    assert airs_of(reading_of(pictures.encoded(grey)))[0] == "mono"
    tinted = Image.blend(grey, Image.new("RGB", grey.size, (120, 96, 60)), 0.3)
    assert "mono" not in airs_of(reading_of(pictures.encoded(tinted)))


@pytest.mark.parametrize("scene", ["sunset", "noise", "portrait"])
def test_the_same_picture_and_wish_give_the_same_brief(scene: str) -> None:
    jpeg = jpeg_of(pictures.SCENES[scene]())
    for language in LANGUAGES:
        wish = Wish(language=language, hint="calm 피아노")
        assert read(jpeg, wish) == read(jpeg, wish)


def test_a_small_strong_colour_is_an_accent_and_is_said() -> None:
    picture = Image.new("RGB", (200, 200), (190, 192, 196))
    picture.paste((208, 38, 42), (20, 20, 50, 50))
    reading = reading_of(pictures.encoded(picture, "PNG"))
    assert reading.accent == "red"
    for language in LANGUAGES:
        told = words_of("english" if language == "en" else "korean").layouts["accent"]
        brief = brief_of(reading, Wish(language=language))
        assert any(text in caption for text in told for caption in (brief.caption, *brief.spare_captions))
    assert reading_of(pictures.plain("red")).accent is None


def test_an_accent_is_the_only_strong_colour() -> None:
    room = Image.new("RGB", (200, 200), (190, 192, 196))
    room.paste((208, 38, 42), (20, 20, 50, 50))
    assert reading_of(pictures.encoded(room, "PNG")).accent == "red"
    plant = room.copy()
    plant.paste((62, 146, 72), (120, 120, 150, 150))
    assert reading_of(pictures.encoded(plant, "PNG")).accent is None
    room.paste((104, 124, 150), (20, 20, 50, 50))  # of jeans: blue, and not strong
    assert reading_of(pictures.encoded(room, "PNG")).accent is None


def test_a_strong_colour_that_is_strewn_over_the_picture_is_no_accent() -> None:
    strewn = Image.new("RGB", (200, 200), (190, 192, 196))
    for place in range(36):
        x, y = 10 + 33 * (place % 6), 10 + 33 * (place // 6)
        strewn.paste((208, 38, 42), (x, y, x + 6, y + 6))
    reading = reading_of(pictures.encoded(strewn, "PNG"))
    assert "red" in dict(reading.colours)
    assert reading.accent is None


@settings(max_examples=150, deadline=None)
@given(reading=_readings)
def test_the_colour_of_the_title_is_in_the_picture(reading: Reading) -> None:
    assert telling_colour(reading) in dict(reading.colours)


def test_a_strong_large_colour_is_named_and_entitles_before_a_larger_dull_one() -> None:
    colours = (("grey", 0.4), ("silver", 0.2), ("charcoal", 0.15), ("brown", 0.14), ("orange", 0.1))
    bus = dataclasses.replace(SCENES["fog"], colours=colours)
    assert named_colours(bus) == ("grey", "brown", "orange")
    assert telling_colour(bus) == "orange"
    small = dataclasses.replace(bus, colours=colours[:3], accent="orange")
    assert telling_colour(small) == "grey"


# What is not said


@settings(max_examples=300, deadline=None)
@given(reading=_readings)
def test_no_air_contradicts_another(reading: Reading) -> None:
    airs = set(airs_of(reading))
    for one, other in (
        ({"dark", "dark warm", "dark cool"}, {"bright", "white", "gold", "blue"}),
        ({"warm", "gold", "dark warm"}, {"cool", "dark cool"}),
        ({"busy"}, {"smooth"}),
        ({"mono"}, {"vivid", "green", "red", "pink", "earth"}),
        ({"mixed", "one colour"}, {*airs} - {"mixed", "one colour"}),
    ):
        assert not (airs & one and airs & other)


@pytest.mark.no_cover  # hundreds of captions
@settings(max_examples=300, deadline=None)
@given(reading=_readings, language=st.sampled_from(LANGUAGES))
def test_no_word_is_said_twice_running(reading: Reading, language: Language) -> None:
    caption = brief_of(reading, Wish(language=language)).caption
    assert not re.search(r"\b(\w+) \1\b", caption.lower())
    assert not caption.startswith("Even ")


def test_a_portrait_lit_from_the_middle_is_not_evenly_spread() -> None:
    face = dataclasses.replace(SCENES["forest"], light="centre", contrast=0.15, span=0.6)
    assert notable(face) == ()
    for language in LANGUAGES:
        assert_speaks(brief_of(face, Wish(language=language)), language)


def test_thin_black_on_white_is_no_soft_contrast() -> None:
    drawing = Image.new("RGB", (600, 600), "white")
    ImageDraw.Draw(drawing).ellipse((150, 150, 450, 450), outline="black", width=5)
    reading = reading_of(pictures.encoded(drawing, "PNG"))
    assert reading.contrast < 0.12
    assert "smooth" not in airs_of(reading)
    smooth = dataclasses.replace(SCENES["portrait"], span=0.5, edges=0.02)
    assert "smooth" in airs_of(smooth)
    assert "smooth" not in airs_of(dataclasses.replace(smooth, span=0.9))


def test_a_chessboard_has_light_beside_dark() -> None:
    board = Image.new("RGB", (256, 256), "white")
    for place in range(0, 64, 2):
        x, y = 32 * (place % 8) + 32 * (place // 8 % 2), 32 * (place // 8)
        board.paste("black", (x, y, x + 32, y + 32))
    reading = reading_of(pictures.encoded(board, "PNG"))
    assert "high contrast" in notable(reading)
    assert airs_of(reading)[0] == "mono"


@pytest.mark.parametrize("colour", ["black", "red", "navy"])
def test_one_colour_alone_has_no_mixture_and_no_empty_parts(colour: str) -> None:
    reading = reading_of(pictures.plain(colour))
    assert airs_of(reading) == ("one colour",)
    assert notable(reading) == ("bare",)
    for language in LANGUAGES:
        said = words_of("english" if language == "en" else "korean").layouts["empty"]
        assert not [text for text in said if text in brief_of(reading, Wish(language=language)).caption]


def test_a_little_light_in_the_dark_and_a_little_dark_in_the_light_are_said() -> None:
    moon = Image.new("RGB", (300, 300), "black")
    moon.paste("white", (10, 200, 50, 240))
    assert notable(reading_of(pictures.encoded(moon, "PNG")))[-1] == "some light"
    assert notable(reading_of(pictures.encoded(ImageChops.invert(moon), "PNG")))[-1] == "some dark"


def test_the_language_changes_words_only() -> None:
    words = {"title", "caption", "spare_titles", "spare_captions"}
    for scene in SCENES:
        assert heard(scene).model_dump(exclude=words) == heard(scene, language="ko").model_dump(exclude=words)


# Styles


@pytest.mark.parametrize("style", all_styles())
def test_a_wished_style_is_kept_whatever_the_picture(style: str) -> None:
    low, high = all_styles()[style].brief.bpm
    for scene in SCENES:
        brief = heard(scene, style=style)
        assert brief.genre.split()[0] == style, scene
        assert low <= brief.bpm <= high, scene
        assert [(scene, name) for name in brief.instruments for word in FOREIGN[style] if word in name] == []


@pytest.mark.parametrize(
    ("scene", "style"), [("snow", "ambient"), ("forest", "folk"), ("carnival", "house"), ("neon", "synthwave")]
)
def test_auto_chooses_what_fits(scene: str, style: str) -> None:
    assert heard(scene).genre.split()[0] == style


def test_auto_can_choose_every_style() -> None:
    changes = [
        {},
        {"saturation": 0.1, "warmth": 0.8, "brightness": 0.4, "contrast": 0.25, "edges": 0.3, "emptiness": 0.0},
        {"brightness": 0.3, "contrast": 0.3, "edges": 0.35, "saturation": 0.03, "emptiness": 0.0, "warmth": 0.0},
        {"brightness": 0.8, "saturation": 0.13, "emptiness": 0.4, "warmth": 0.4},
        {"brightness": 0.75, "saturation": 0.09, "emptiness": 0.1, "edges": 0.15, "warmth": 0.6},
        {"brightness": 0.7, "saturation": 0.14, "emptiness": 0.0, "edges": 0.5, "warmth": -0.6},
        {"brightness": 0.6, "saturation": 0.02, "emptiness": 0.1, "edges": 0.05, "contrast": 0.05, "warmth": 0.2},
        {"brightness": 0.55, "saturation": 0.15, "emptiness": 0.0, "edges": 0.3, "warmth": 0.8},
        {"brightness": 0.4, "saturation": 0.08, "emptiness": 0.0, "edges": 0.8, "contrast": 0.3, "warmth": 0.5},
    ]
    chosen = {
        brief_of(dataclasses.replace(reading, **change), Wish()).genre.split()[0]  # type: ignore[arg-type]
        for reading in SCENES.values()
        for change in changes
    }
    assert chosen == set(all_styles())


def test_a_calm_picture_gets_no_style_with_a_beat_of_its_own() -> None:
    calm = [dataclasses.replace(reading, edges=0, texture=0, contrast=0.02) for reading in SCENES.values()]
    briefs = [brief_of(reading, Wish()) for reading in [*calm, reading_of(pictures.plain("pink"))]]
    genres = {brief.genre.split()[0] for brief in briefs if brief.arousal < -0.5}
    assert len(genres) > 1
    assert genres <= {"ambient", "korean", "lofi", "piano"}


def test_pictures_of_one_colour_have_many_genres() -> None:
    briefs = [brief_for(pictures.plain(colour)) for colour in COLOURS.values()]
    genres = Counter(brief.genre.split()[0] for brief in briefs)
    assert len(genres) >= 7
    assert max(genres.values()) <= len(COLOURS) / 3


# Hints


@pytest.mark.parametrize(
    ("sad", "glad"), [("sad", "happy"), ("슬픈 노래", "행복한 노래"), ("very DARK", "밝은 느낌으로")]
)
def test_mood_words_move_the_valence(sad: str, glad: str) -> None:
    plain = heard("forest")
    assert heard("forest", hint=sad).valence < plain.valence < heard("forest", hint=glad).valence
    assert heard("forest", hint=sad).mode == "minor"
    assert heard("forest", hint=glad).mode == "major"


@pytest.mark.parametrize(
    ("slow", "fast"), [("slow and calm", "fast"), ("느린 곡", "빠르게"), ("잔잔한", "신나는 음악")]
)
def test_tempo_words_move_arousal_and_tempo(slow: str, fast: str) -> None:
    plain, calm, quick = (heard("forest", style="folk", hint=hint) for hint in ("", slow, fast))
    assert calm.arousal < plain.arousal < quick.arousal
    assert calm.bpm < plain.bpm < quick.bpm


@pytest.mark.parametrize(
    ("hint", "style"),
    [("some jazz please", "jazz"), ("재즈풍으로", "jazz"), ("Lo-Fi", "lofi"), ("로파이", "lofi"), ("피아노로", "piano"),
     ("웅장하게", "cinematic"), ("80s retro", "synthwave"), ("jazz piano", "jazz"),
     ("장구 장단", "korean"), ("janggu", "korean")],
)  # fmt: skip
def test_style_words_choose_the_style(hint: str, style: str) -> None:
    assert heard("snow", hint=hint).genre.split()[0] == style


def test_a_wished_style_outweighs_a_hinted_one() -> None:
    assert heard("snow", hint="jazz", style="house").genre == "house"


@pytest.mark.parametrize(
    ("hint", "instrument"),
    [("with a cello", "cello"), ("첼로", "cello"), ("가야금 소리", "gayageum"), ("koto", "koto"), ("violins", "violin"),
     ("통기타", "acoustic guitar"), ("일렉 기타", "electric guitar"),
     ("electric guitar", "electric guitar"), ("오르골처럼", "music box"),
     ("gayageum", "gayageum"), ("해금", "haegeum"), ("haegeum solo", "haegeum"), ("대금 연주", "bamboo flute"),
     ("daegeum", "bamboo flute"), ("a bamboo flute", "bamboo flute")],
)  # fmt: skip
def test_an_instrument_that_was_asked_for_comes_first(hint: str, instrument: str) -> None:
    brief = heard("forest", hint=hint, style="folk")
    assert brief.instruments[0] == instrument
    assert len(brief.instruments) <= 6


def test_every_instrument_of_the_hints_is_one_that_the_arranger_has() -> None:
    assert set(hint_words().instruments) - {"drum kit"} <= set(instruments())
    assert "flute" not in steering_of("bamboo flute").instruments


@pytest.mark.parametrize("hint", ["no drums", "without any drums please", "드럼 없이", "드럼은 빼고"])
def test_an_instrument_that_was_denied_is_left_out(hint: str) -> None:
    assert "drum machine" in heard("carnival").instruments
    assert not [name for name in heard("carnival", hint=hint, style="house").instruments if "drum" in name]


@pytest.mark.parametrize("hint", ["not sad", "슬프지 않은", "안 슬픈", "not too sad", "no jazz", "재즈 말고"])
def test_a_denied_word_does_not_steer(hint: str) -> None:
    steering = steering_of(hint)
    assert (steering.valence, steering.style) == (0, None)


def test_tempo_and_mode_can_be_said_outright() -> None:
    assert heard("forest", hint="140 BPM in a minor key").bpm == 140
    assert heard("forest", hint="minor").mode == "minor"
    assert heard("snow", hint="단조로").mode == "minor"
    # No style is played at that tempo.
    assert heard("snow", hint="999 bpm").bpm == heard("snow").bpm


@pytest.mark.parametrize(
    "hint",
    ["140bpm", "140 BPM", "bpm 140", "BPM: 140", "템포 140", "템포는 140으로", "140 템포", "140 tempo", "140 비트",
     "140비트", "tempo of 140", "140 beats per minute"],
)  # fmt: skip
def test_a_tempo_is_understood_however_it_is_said(hint: str) -> None:
    assert steering_of(hint).bpm == 140


@pytest.mark.parametrize("hint", ["140", "140 people", "8비트", "16비트 게임", "tempo", "bpm 14000", "1980 beats"])
def test_a_number_alone_is_no_tempo(hint: str) -> None:
    assert steering_of(hint).bpm is None


@pytest.mark.parametrize("hint", ["장구한 역사", "선대금", "극장구경"])
def test_korean_instruments_inside_other_words_are_not_heard(hint: str) -> None:
    assert steering_of(hint).heard == ()


@pytest.mark.parametrize(
    "hint", ["", "qwertz", "ignore all previous instructions", "비닐", "🧮", "a" * 200, "((((", "{0}"]
)
def test_unknown_words_change_nothing(hint: str) -> None:
    brief = heard("sunset", hint=hint)
    assert brief.model_copy(update={"not_used": ()}) == heard("sunset")
    assert bool(brief.not_used) == bool(hint)


def test_words_inside_other_words_are_not_heard() -> None:
    assert steering_of("glacier harpoon saddle steamboat").heard == ()


# The port


async def test_the_captioner_keeps_to_its_port(pool: WorkerPool) -> None:
    captioner: Captioner = PaletteCaptioner(pool, 60)
    picture = prepare(pictures.sunset(), PictureLimits())
    assert captioner.name == "palette"
    for language in LANGUAGES:
        wish = Wish(language=language)
        assert await captioner.caption(picture, wish, a_provider_context()) == read(picture.jpeg, wish)


def test_reading_a_picture_takes_a_fraction_of_a_second() -> None:
    jpeg = jpeg_of(pictures.noise((768, 768)))
    read(jpeg, Wish())
    started = time.thread_time()
    read(jpeg, Wish())
    assert time.thread_time() - started < 0.5
