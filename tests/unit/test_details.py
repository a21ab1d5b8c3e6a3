"""What Details says of a song whose reading could not be followed to the letter."""

from typing import get_args

import pytest

from bot.i18n.messages import catalogue
from bot.posts.details_embed import details_of
from melodify_core.models import Adjustable, Adjustment, Energy, Entry, Language, Meter, Mode, Wish
from tests.briefs import BRIEF
from tests.jobs import a_song

ADJUSTED = (
    Adjustment(name="bpm", said="900", used="220"),
    Adjustment(name="mode", said="**locrian**", used="minor"),
    Adjustment(name="instruments", said="@everyone horn"),
    Adjustment(name="genre", said="dubstep"),
)


def fields_of(
    language: Language, adjusted: tuple[Adjustment, ...], *, asked: int = 84, played: int = 84, style: str = "auto"
) -> dict[str, str]:
    brief = BRIEF.model_copy(update={"adjusted": adjusted, "bpm": asked})
    song = a_song("1").model_copy(update={"brief": brief, "bpm": played, "wish": Wish(style=style)})
    shown = details_of(language, Entry(song.job_id, 2, 3, 4, 0, 0, song=song, user_id=1, private=False, created_at=5.0))
    return {str(field.name): str(field.value) for field in shown.fields}


@pytest.mark.parametrize(
    ("language", "name", "words"),
    [
        (
            "en",
            "Adjusted",
            (
                "tempo: 177 instead of 900",
                "mode: minor instead of",
                "instruments: without",
                "genre: chosen to fit instruments and mood instead of dubstep",
            ),
        ),
        ("ko", "조정한 값", ("템포: 900 대신 177", "대신 단조", "악기: ", "장르: dubstep 대신 악기와 분위기에 맞춰")),
    ],
)
def test_what_was_adjusted_is_told(language: Language, name: str, words: tuple[str, ...]) -> None:
    shown = fields_of(language, ADJUSTED, asked=220, played=177)[name]
    assert all(word in shown for word in words), shown
    assert "**locrian**" not in shown
    assert "@everyone" not in shown


@pytest.mark.parametrize(("language", "name"), [("en", "Adjusted"), ("ko", "조정한 값")])
def test_nothing_is_told_where_nothing_was_adjusted(language: Language, name: str) -> None:
    assert name not in fields_of(language, ())


@pytest.mark.parametrize(
    ("language", "name", "words"),
    [("en", "Adjusted", "tempo: 177 instead of 200"), ("ko", "조정한 값", "템포: 200 대신 177")],
)
def test_a_tempo_that_only_the_style_moved_is_told(language: Language, name: str, words: str) -> None:
    assert fields_of(language, (), asked=200, played=177)[name] == words


@pytest.mark.parametrize("played", [81, 84, 88])
def test_a_tempo_that_is_heard_as_the_same_is_not_told(played: int) -> None:
    assert "Adjusted" not in fields_of("en", (), played=played)


def test_one_tempo_is_told_beside_the_one_that_was_asked() -> None:
    shown = fields_of("en", ADJUSTED, asked=220, played=177)["Adjusted"]
    assert "220" not in shown
    assert shown.count("tempo") == 1


def test_a_genre_that_a_chosen_style_overrode_is_not_told() -> None:
    assert "dubstep" not in fields_of("en", ADJUSTED, style="jazz")["Adjusted"]


@pytest.mark.parametrize(("language", "name"), [("en", "Adjusted"), ("ko", "조정한 값")])
@pytest.mark.parametrize("letter", ["w", "가"])
def test_the_most_that_can_be_told_fits_a_field_whole(language: Language, name: str, letter: str) -> None:
    said = letter * 40
    chosen = (("bpm", "220"), ("mode", "minor"), ("energy", "moderate"), ("valence", "-0.35"), ("arousal", "-0.35"))
    adjusted = [Adjustment.model_validate({"name": key, "said": said, "used": used}) for key, used in chosen]
    adjusted.append(Adjustment(name="genre", said=said))
    adjusted += [Adjustment(name="instruments", said=said)] * 2
    shown = fields_of(language, tuple(adjusted), played=177)[name]
    assert len(shown) <= 1024
    assert shown.count(said) == 8
    assert "…" not in shown


@pytest.mark.parametrize("language", get_args(Language))
def test_everything_that_can_be_adjusted_has_its_words(language: Language) -> None:
    texts = catalogue(language)
    assert all(f"details.adjusted_{name}" in texts for name in get_args(Adjustable))
    assert all(f"details.used.{word}" in texts for word in (*get_args(Mode), *get_args(Energy)))


@pytest.mark.parametrize(("language", "name"), [("en", "Metre"), ("ko", "박자")])
def test_the_metre_is_told_where_the_composer_knows_it(language: Language, name: str) -> None:
    def shown(meter: Meter | None) -> dict[str, str]:
        song = a_song("1").model_copy(update={"meter": meter})
        embed = details_of(
            language, Entry(song.job_id, 2, 3, 4, 0, 0, song=song, user_id=1, private=False, created_at=5.0)
        )
        return {str(field.name): str(field.value) for field in embed.fields}

    assert shown("6/8")[name] == "6/8"
    assert name not in shown(None)


@pytest.mark.parametrize(("language", "label", "mood"), [("en", "Mood", "calm"), ("ko", "분위기", "차분한")])
def test_the_mood_is_in_the_reader_s_language(language: Language, label: str, mood: str) -> None:
    assert fields_of(language, ())[label] == mood


@pytest.mark.parametrize(("covered", "spoiler", "bars"), [(True, False, "||"), (False, True, "||"), (False, False, "")])
def test_what_was_not_used_of_a_covered_hint_stays_covered(covered: bool, spoiler: bool, bars: str) -> None:
    brief = BRIEF.model_copy(update={"not_used": ("the surprise",)})
    song = a_song("1").model_copy(update={"brief": brief, "spoiler": spoiler, "wish": Wish(covered=covered)})
    shown = details_of("en", Entry("1", 2, 3, 4, 0, 0, song=song, user_id=1, private=False, created_at=5.0))
    [told] = [str(field.value) for field in shown.fields if "surprise" in str(field.value)]
    assert told == f"{bars}“the surprise”{bars}"
