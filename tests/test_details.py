"""What Details says of a song whose reading could not be followed to the letter."""

import pytest

from bot.details import details_of
from melodify_core.models import Adjustment, Entry, Language
from tests.jobs import a_song
from tests.test_brief import BRIEF

ADJUSTED = (
    Adjustment(name="bpm", said="900", used="220"),
    Adjustment(name="mode", said="**locrian**", used="minor"),
    Adjustment(name="instruments", said="@everyone horn"),
)


def fields_of(language: Language, adjusted: tuple[Adjustment, ...]) -> dict[str, str]:
    song = a_song("1").model_copy(update={"brief": BRIEF.model_copy(update={"adjusted": adjusted})})
    shown = details_of(language, Entry(song, 1, 2, 3, 4, private=False, created_at=5.0))
    return {str(field.name): str(field.value) for field in shown.fields}


@pytest.mark.parametrize(
    ("language", "name", "words"),
    [
        ("en", "Adjusted", ("tempo: 220 instead of 900", "mode: minor instead of", "instruments: without")),
        ("ko", "조정한 값", ("템포: 900 대신 220", "악기: ")),
    ],
)
def test_what_was_adjusted_is_told(language: Language, name: str, words: tuple[str, ...]) -> None:
    told = fields_of(language, ADJUSTED)[name]
    assert all(word in told for word in words), told
    assert "**locrian**" not in told
    assert "@everyone" not in told


@pytest.mark.parametrize(("language", "name"), [("en", "Adjusted"), ("ko", "조정한 값")])
def test_nothing_is_told_where_nothing_was_adjusted(language: Language, name: str) -> None:
    assert name not in fields_of(language, ())
