"""The two lines about a hint, for every kind of thing that can be heard, in both languages."""

import pytest

from bot.i18n.messages import LANGUAGES
from bot.posts.hint_lines import hint_lines, not_used
from bot.posts.song_lines import lines_of
from bot.posts.wording import safe
from melodify_core.hints.concepts import concepts, other_words
from melodify_core.models import Language, Song, Wish
from melodify_core.styles import all_styles
from tests.briefs import a_brief
from tests.jobs import a_job, a_song


def song_that(*heard: str, lost: tuple[str, ...] = (), seconds: int = 30, style: str = "auto") -> Song:
    brief = a_brief().model_copy(update={"heard": heard, "not_used": lost})
    return a_song(brief=brief, wish=Wish(seconds=seconds, style=style))


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "Heard: rain, no drums, no cello, not sad, jazz, major, not minor, 120 BPM, B♭ minor, in D, 30 s"),
        ("ko", "반영했어요: 비, 드럼 없이, 첼로 없이, 슬픔 빼고, 재즈, 장조, 단조 빼고, 120 BPM, B♭ 단조, D 조, 30초"),
    ],
)
def test_every_kind_is_named(language: Language, line: str) -> None:
    heard = (
        "rain", "no_drums", "without.instrument.cello", "without.sad", "style.jazz", "mode.major",
        "without.mode.minor", "bpm.120", "key.B flat minor", "key.D", "seconds.30",
    )  # fmt: skip
    assert hint_lines(language, song_that(*heard), safe).casefold() == line.casefold()


@pytest.mark.parametrize(("language", "line"), [("en", "Heard: only guitar, slow"), ("ko", "반영했어요: 기타만, 느림")])
def test_who_plays_alone_is_named(language: Language, line: str) -> None:
    assert hint_lines(language, song_that("alone.acoustic guitar", "slow"), safe) == line


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "Heard: no piano, no guitar, no bass"),
        ("ko", "반영했어요: 피아노 없이, 기타 없이, 베이스 없이"),
    ],
)
def test_what_is_left_out_is_called_as_people_call_it(language: Language, line: str) -> None:
    left_out = ("grand piano", "acoustic guitar", "electric bass")
    assert hint_lines(language, song_that(*(f"without.instrument.{name}" for name in left_out)), safe) == line


@pytest.mark.parametrize("hint", ["비틀즈 느낌", "콜드플레이처럼", "like Linkin Park"])
def test_a_name_that_cannot_be_copied_gets_its_reason(hint: str) -> None:
    assert "I cannot copy songs or artists by name" in not_used("en", song_that(lost=(hint,)), safe)


@pytest.mark.parametrize(
    ("language", "line"),
    [
        (
            "en",
            (
                "“Coldplay” · I cannot copy songs or artists by name, but a mood or a style works. "
                "“500 bpm” · This style is not played at that tempo. “1분” · Another length was chosen. "
                "“jazz” · Another style was chosen. “cello” · This style has no part for it. “qwertz”, “kitchen”"
            ),
        ),
        (
            "ko",
            (
                "‘Coldplay’ · 곡이나 아티스트 이름만으로는 따라 만들 수 없어요. 분위기나 장르로 적어 주세요. "
                "‘500 bpm’ · 이 스타일과 맞지 않는 빠르기예요. ‘1분’ · 길이를 따로 정하셨어요. "
                "‘jazz’ · 스타일을 따로 정하셨어요. "
                "‘cello’ · 이 스타일에는 맞는 자리가 없는 악기예요. ‘qwertz’, ‘kitchen’"
            ),
        ),
    ],
)
def test_each_phrase_stands_beside_its_own_reason(language: Language, line: str) -> None:
    lost = ("qwertz", "Coldplay", "500 bpm", "1분", "jazz", "cello", "kitchen")
    assert not_used(language, song_that(lost=lost, style="rock"), safe) == line
    assert not_used(language, song_that(lost=("qwertz",)), safe) in line


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_can_be_heard_has_words(language: Language) -> None:
    named = [*concepts(), *(f"instrument.{name}" for name in other_words().instruments)]
    named += [f"style.{name}" for name in all_styles()]
    for key in [*named, *(f"without.{each}" for each in named)]:
        line = hint_lines(language, song_that(key), safe)
        assert line, key
        assert not any(mark in line for mark in ("_", ".", "{")), line


def test_another_length_than_the_hint_s_is_not_said_to_be_heard() -> None:
    assert hint_lines("en", song_that("seconds.30", seconds=60), safe) == ""


def test_phrases_cannot_ping_or_format() -> None:
    line = not_used("en", song_that(lost=("@everyone **loud** <@1>",)), safe)
    assert "**loud**" not in line
    assert "@everyone" not in line
    assert "<@1>" not in line


def test_a_song_of_an_earlier_version_says_nothing() -> None:
    assert hint_lines("en", a_song(), safe) == hint_lines("ko", song_that(), safe) == ""


@pytest.mark.parametrize(
    ("language", "changed"),
    [("en", "✏️ Changed: hint “rain” → “slow rain”"), ("ko", "✏️ 바꾼 점: 느낌 ‘rain’ → ‘slow rain’")],
)
def test_a_hint_that_was_changed_is_shown_once(language: Language, changed: str) -> None:
    now = Wish(hint="slow rain", language=language)
    job = a_job("1").model_copy(update={"parent_id": "0", "wish": now, "parent_wish": Wish(hint="rain")})
    assert [line for line in lines_of(job, a_song("1", wish=now)) if "rain" in line] == [changed]
    same = job.model_copy(update={"parent_wish": now})
    assert [line for line in lines_of(same, a_song("1", wish=now)) if "rain" in line] == ["💬 slow rain"]


@pytest.mark.parametrize("start", ["", "1", "11"])
def test_a_long_hint_never_ends_in_a_backslash_that_would_open_its_spoiler(start: str) -> None:
    wish = Wish(hint=(start + "1~2~" * 60)[:200], covered=True)
    lines = lines_of(a_job("1", wish=wish), song_that())
    [line] = [each for each in lines if "1" in each and each.startswith("||")]
    assert line.endswith("||")
    assert not line.endswith("\\||")
