"""What a hint does not want, in eight languages: it is obeyed or named as not used, and the opposite is never done."""

import tomllib
from pathlib import Path

import pytest

from melodify_core.hints import is_installed, understand
from melodify_core.hints.concepts import DRUMS
from tests.unit.test_hints import brief_for

WAYS = tomllib.loads(Path(__file__).with_name("denials.toml").read_text(encoding="utf-8"))
# What a way itself asks for, or how a wish to do without may be called.
BESIDE = {"instrument.flute", "no_drums", "no_effects"}


def opposite(hint: str, thing: str, *, by_meaning: bool) -> bool:
    heard = understand(hint, by_meaning=by_meaning).heard
    return any(key.rpartition(".")[2] == thing for key in heard if not key.startswith("without") and key not in BESIDE)


@pytest.mark.parametrize("language", WAYS)
def test_the_opposite_of_a_denial_is_never_heard(language: str) -> None:
    hints = [
        (way.format(word), thing) for way in WAYS[language]["ways"] for word, thing in WAYS[language]["things"].items()
    ]
    assert len(hints) >= 32
    meanings = [False, True] if is_installed() else [False]
    wrong = [hint for hint, thing in hints for each in meanings if opposite(hint, thing, by_meaning=each)]
    assert wrong == []
    answers = [understand(hint, by_meaning=False) for hint, _ in hints]
    assert all(each.heard or each.not_used for each in answers)
    # Nearly all are obeyed, and nothing of them is left over.
    assert sum(bool(each.heard) and not each.not_used for each in answers) >= 0.95 * len(hints)


@pytest.mark.parametrize(
    ("hint", "heard"),
    [
        ("not without drums", ("instrument.drum kit",)), ("don't skip the drums", ("instrument.drum kit",)),
        ("why not jazz", ("style.jazz",)), ("nothing but drums", ("instrument.drum kit",)),
        ("드럼 없으면 안 돼", ("instrument.drum kit",)), ("재즈뿐만 아니라 비도", ("style.jazz", "rain")),
        ("드럼 빼지 마", ("instrument.drum kit",)), ("재즈가 됐으면 좋겠어", ("style.jazz",)),
        ("sunset off the coast", ("evening", "sea")), ("drums, no rain", ("instrument.drum kit", "without.rain")),
        ("sad but not scary", ("sad", "without.scary")), ("조용하고 슬프지 않게", ("calm", "without.sad")),
        ("no rain or snow", ("without.rain", "without.snow")), ("비와 천둥은 싫어", ("without.rain", "without.storm")),
        ("no drums, flute or bass", ("no_drums", "without.instrument.flute", "without.instrument.electric bass")),
        ("not sad and gloomy, fast", ("without.sad", "fast")), ("not sad and happy", ("without.sad", "happy")),
        ("no jazz and rock", ("without.style.jazz", "without.style.rock")),
        ("🥁❌", ("no_drums",)), ("🚫🥁", ("no_drums",)),
        ("비 안 오는 밤", ("without.rain", "night")),
        ("기타 대신 바이올린", ("without.instrument.acoustic guitar", "instrument.violin")),
        ("skip to the beach", ("sea",)), ("잠이 안 오는 밤", ("sleep", "night")), ("ne pleure pas", ("without.sad",)),
        ("rock but not metal", ("style.rock", "without.metal")), ("beach, no waves", ("sea",)),
        ("I hate drums", ("no_drums",)), ("별로 안 신나는", ("without.excited",)), ("드럼 소리 작게", ("no_drums",)),
    ],
)  # fmt: skip
def test_a_denial_reaches_as_far_as_it_is_meant(hint: str, heard: tuple[str, ...]) -> None:
    assert understand(hint, by_meaning=False).heard == heard


@pytest.mark.parametrize(
    ("hint", "sounds"),
    [
        ("rain but no storm", ("rain",)), ("비는 좋지만 천둥은 싫어", ("rain",)), ("snow but no wind", ()),
        ("forest, no birds", ("wind",)), ("no storm", ()),
    ],
)  # fmt: skip
def test_what_is_refused_takes_no_sound_from_what_is_asked_for(hint: str, sounds: tuple[str, ...]) -> None:
    assert brief_for(hint).sounds == sounds


@pytest.mark.parametrize(
    ("hint", "alone"),
    [
        ("happy, but not christmas", "happy"), ("happy but no party", "happy"),
        ("love song, not a wedding", "love song"),
        ("sad but not scary", "sad"), ("calm but not sleepy", "calm"), ("신나지만 파티는 아니게", "신나는"),
    ],
)  # fmt: skip
def test_what_is_refused_takes_nothing_from_the_mood_that_is_asked_for(hint: str, alone: str) -> None:
    both, one = brief_for(hint), brief_for(alone)
    assert (both.valence, both.arousal, both.genre, both.mode) == (one.valence, one.arousal, one.genre, one.mode)


def test_a_refused_mood_is_left_but_a_refused_feast_does_not_make_sad() -> None:
    assert brief_for("a halloween that is not scary").valence > 0 > brief_for("halloween").valence
    assert brief_for("no christmas").valence == brief_for("").valence


def test_a_refused_mode_is_the_other_one() -> None:
    assert (brief_for("not minor").mode, brief_for("not in major").mode) == ("major", "minor")
    assert brief_for("no drums").without == (DRUMS,)


def test_a_refused_part_of_a_scene_is_silent_or_named() -> None:
    assert (brief_for("beach, no waves").sounds, brief_for("beach, no waves").not_used) == ((), ())
    assert brief_for("autumn without falling leaves").not_used == ("without falling leaves",)
    assert brief_for("rock but not metal").genre == brief_for("rock").genre
