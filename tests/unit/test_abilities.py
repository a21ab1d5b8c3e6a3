"""What each composer can do is declared once: the documents, the catalogue, prices and lengths say the same."""

import re
from pathlib import Path
from typing import get_args

import pytest

from bot.cli.check import _ability
from bot.i18n.messages import catalogue
from melodify_core.config.settings import ComposerName, Settings
from melodify_core.providers import abilities_of, least_price_of, lengths_of, price_of

NAMES: tuple[ComposerName, ...] = get_args(ComposerName)
DOCUMENT = (Path(__file__).parents[2] / "docs" / "providers.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_the_document_and_the_check_say_what_is_declared(name: ComposerName) -> None:
    can = abilities_of(Settings(), name)
    [row] = re.findall(rf"^\| `{name}` \| (.+) \|$", DOCUMENT, re.MULTILINE)
    lengths, sings, price, licence = row.split(" | ")
    assert can.licence == licence
    shown = _ability(name, can)
    assert f"{name} makes songs of {lengths}, " in shown
    assert ("can sing" if sings == "yes" else "cannot sing") in shown
    assert ("costs nothing" if price == "nothing" else price) in shown


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_name_each_composer_and_whose_its_music_is(name: ComposerName) -> None:
    assert catalogue("en")[f"licence.{name}"] == abilities_of(Settings(), name).licence
    for language in ("en", "ko"):
        assert catalogue(language)[f"composer.{name}"]
        assert catalogue(language)[f"licence.{name}"]


@pytest.mark.parametrize(
    ("settings", "lengths"),
    [
        ({}, (10, 120)),
        ({"composer": "elevenlabs"}, (10, 120)),
        ({"composer": "lyria"}, (33, 33)),
        ({"composer": "gemini", "gemini": {"model": "lyria-3-clip-preview"}}, (30, 30)),
        ({"composers": ["gemini", "lyria"]}, (10, 120)),
    ],
)
def test_the_lengths_to_choose_from_are_the_first_composer_s(
    settings: dict[str, object], lengths: tuple[int, int]
) -> None:
    assert lengths_of(Settings.model_validate(settings)) == lengths


def test_the_least_price_is_that_of_whoever_plays_without_being_asked_for() -> None:
    chain = {"composers": ["elevenlabs", "gemini", "arranger"]}
    plays, asks = Settings.model_validate(chain), Settings.model_validate(chain | {"fallback": "ask"})
    assert price_of(plays, 60) == pytest.approx(0.80)
    assert price_of(plays) == pytest.approx(0.40)
    assert least_price_of(plays, 60) == 0.0
    assert least_price_of(asks, 60) == pytest.approx(0.80)


def test_the_single_setting_keeps_working_and_no_composer_is_named_twice() -> None:
    assert Settings(composer="gemini").players == ("gemini",)
    assert Settings(composer="gemini", composers=("acestep", "arranger")).players == ("acestep", "arranger")
    with pytest.raises(ValueError, match="composers names a composer twice"):
        Settings(composers=("arranger", "arranger"))
