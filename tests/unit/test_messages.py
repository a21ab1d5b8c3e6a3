"""The catalogue: both languages say everything, with the same values, within Discord's limits."""

import re
import string
from typing import get_args

import discord
import pytest
from discord import app_commands

from bot.discord_api.permissions import NEEDED
from bot.i18n.grammar import with_particle
from bot.i18n.messages import LANGUAGES, catalogue, key_name, name_of, say, sentence
from bot.i18n.translator import Translator, language_of, localised
from melodify_core.captioners.openai.vocabulary import vocabulary
from melodify_core.captioners.palette.captioner import MOOD_WORDS
from melodify_core.errors import Code, Rejected, Unavailable
from melodify_core.models import Language, Progress, Stage
from melodify_core.styles import all_styles, style_choices
from melodify_core.styles.instruments import instruments

CODES = get_args(Code)
HANGUL = re.compile("[가-힣]")
# What stays as it is in every language.
UNTRANSLATED = {
    "command.melodify.name",
    "song.bpm",
    "song.footer",
    "song.file",
    "song.hint",
    "song.phrase",
}


def values_in(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_keys() -> None:
    assert set(catalogue("en")) == set(catalogue("ko"))


def test_both_languages_name_the_same_values() -> None:
    english, korean = catalogue("en"), catalogue("ko")
    assert len(english) > 300
    assert [key for key in english if values_in(english[key]) != values_in(korean[key])] == []


def test_korean_is_written_in_korean() -> None:
    assert {key: text for key, text in catalogue("ko").items() if not HANGUL.search(text)}.keys() <= UNTRANSLATED


def test_every_error_has_a_sentence() -> None:
    for language in LANGUAGES:
        for code in CODES:
            text = catalogue(language)[f"error.{code}"]
            values = dict.fromkeys(values_in(text), 7)
            shown = sentence(language, Rejected(code, **values))
            assert not set(shown) & set("{}|"), (language, code)
            assert len(text) < 200, (language, code)


def test_every_error_sentence_has_its_error() -> None:
    assert {key.removeprefix("error.") for key in catalogue("en") if key.startswith("error.")} == set(CODES)


@pytest.mark.parametrize("table", ["stage", "style", "permission", "progress"])
def test_tables_name_what_the_code_names(table: str) -> None:
    named = {key.partition(".")[2] for key in catalogue("en") if key.startswith(f"{table}.")}
    sending = {"send_messages", "send_messages_in_threads", "connect"}
    named_in_code = {
        "stage": set(Stage),
        "style": set(style_choices()),
        "permission": {*NEEDED, *sending},
        "progress": set(get_args(Progress)),
    }
    assert named == named_in_code[table]


def test_every_mood_that_a_captioner_chooses_from_has_a_name() -> None:
    named = {key.removeprefix("mood.") for key in catalogue("en") if key.startswith("mood.")}
    own = {word for words in MOOD_WORDS.values() for word in words}
    assert named == own | {mood.casefold() for mood in vocabulary().moods}


def test_a_refusal_says_when_to_try_again_in_the_reader_s_own_time() -> None:
    error = Rejected("limit.hour", limit=6, retry_at=1_700_000_000)
    assert "<t:1700000000:R>" in sentence("en", error)
    assert "<t:1700000000:R>" in sentence("ko", error)


def test_an_unknown_key_and_a_missing_value_are_mistakes() -> None:
    with pytest.raises(KeyError):
        say("en", "no.such.key")
    with pytest.raises(KeyError):
        say("en", "status.done", title="only half")
    with pytest.raises(KeyError):
        sentence("ko", Unavailable("song.too_large"))


def test_a_value_is_never_read_as_a_template() -> None:
    assert "{link} {0}" in say("en", "status.done", title="{link} {0}", link="x")


@pytest.mark.parametrize(
    ("language", "tonic", "expected"),
    [("en", "B flat", "B♭ minor"), ("ko", "F sharp", "F♯ 단조"), ("en", "E", "E minor")],
)
def test_keys_are_named_as_readers_write_them(language: Language, tonic: str, expected: str) -> None:
    assert key_name(language, tonic, "minor") == expected
    assert key_name(language, "A", None) == "A"


def test_a_name_without_translation_stays_as_it_is() -> None:
    assert name_of("ko", "instrument", "no such lute") == "no such lute"


@pytest.mark.parametrize("language", LANGUAGES)
def test_command_texts_keep_to_discord_s_limits(language: Language) -> None:
    for key, text in catalogue(language).items():
        if key.startswith(("command.", "option.")):
            assert 1 <= len(text) <= (32 if key.endswith(".name") else 100)
        if key.startswith("option.") and key.endswith(".name"):
            assert re.fullmatch(r"[-_\w]{1,32}", text)
            assert text == text.lower()


async def test_discord_gets_korean_names_and_nothing_for_languages_we_do_not_have() -> None:
    text = localised("option.image.name")
    context: app_commands.TranslationContextTypes = app_commands.TranslationContext(
        app_commands.TranslationContextLocation.other, None
    )
    assert str(text) == "image"
    assert await Translator().translate(text, discord.Locale.korean, context) == "사진"
    assert await Translator().translate(text, discord.Locale.german, context) is None


def test_a_reader_without_a_language_of_ours_reads_english() -> None:
    assert language_of(discord.Locale.korean) == "ko"
    assert language_of(discord.Locale.french) == "en"


def test_every_instrument_of_the_arranger_has_its_word() -> None:
    kits = {style.drums.name for style in all_styles().values() if style.drums.name}
    for language in LANGUAGES:
        for name in {*instruments(), *kits}:
            assert f"instrument.{name.replace(' ', '_')}" in catalogue(language)


@pytest.mark.parametrize(
    ("key", "values", "expected"),
    [
        ("songs.likes", {"likes": 1}, "1 like"),
        ("songs.likes", {"likes": 2}, "2 likes"),
        ("songs.page", {"page": 1, "pages": 1, "songs": 1}, "Page 1 of 1 · 1 song"),
        ("quota.hour", {"left": 0, "limit": 1}, "This hour: 0 of 1 song left."),
        ("status.first_of", {"count": 3, "taken": 1}, "You sent 3 pictures. I will use the first one."),
        ("status.first_of", {"count": 5, "taken": 4}, "You sent 5 pictures. I will use the first 4."),
        ("forget.messages", {"deleted": 1}, "Deleted 1 message."),
    ],
)
def test_english_counts_one_thing_in_the_singular(key: str, values: dict[str, int], expected: str) -> None:
    assert say("en", key, **values) == expected


def test_no_english_text_puts_a_number_before_a_word_that_does_not_count_it() -> None:
    counted = re.compile(r"\{(songs|likes|left|limit|jobs|deleted|waiting)\} (?!\{|of|at|per|in|more)\w+")
    # In the help, {songs} is a command.
    texts = {key: text for key, text in catalogue("en").items() if not key.startswith("help.")}
    assert [key for key, text in texts.items() if counted.search(text)] == []


@pytest.mark.parametrize(
    ("word", "pair", "expected"),
    [
        ("재즈", "은/는", "재즈는"),
        ("록", "은/는", "록은"),
        ("펑크(funk)", "을/를", "펑크(funk)를"),
        ("앰비언트", "으로/로", "앰비언트로"),
        ("록", "으로/로", "록으로"),
        ("서울", "으로/로", "서울로"),
        ("**별**", "이/가", "**별**이"),
        ("Lyria", "과/와", "Lyria와"),
        ("MP3", "은/는", "MP3은"),
        ("2", "은/는", "2는"),
        ("", "은/는", "는"),
    ],
)
def test_a_korean_particle_follows_the_last_letter(word: str, pair: str, expected: str) -> None:
    assert with_particle(word, pair) == expected


def test_korean_counts_pixels_in_ten_thousands() -> None:
    assert "5,000만 화소" in sentence("ko", Rejected("picture.too_many_pixels", limit_mp=50))


# Each of these read wrong once; none may come back.
MISREAD = {
    "en": (
        *("in the works", "no more:", "my notes", "out of my reach", "my guess", "what holds", "may not make music"),
        *("asked <t:", "the studio", "most at a time", "song took long", "my built-in", "what you have stored"),
        *("i am missing", "whose the music", "all the same"),
    ),
    "ko": (
        *("은(는)", "이(가)", "을(를)", "부탁", "요청하신", "힌트", "횟수에 넣지", "사흘", "저절로", "선법", "들뜬"),
        *("작업실에", "제 내장", "원래 맡을"),
    ),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_says_again_what_read_wrong(language: Language) -> None:
    texts = catalogue(language).items()
    assert [key for key, text in texts for words in MISREAD[language] if words in text.lower()] == []
