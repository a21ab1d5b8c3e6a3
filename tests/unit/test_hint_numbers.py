"""Tempos, lengths, keys and families of instruments in hints: played as they are said, or named as not used."""

import io

import mido
import pytest

from bot.posts.hint_lines import hint_lines, not_used
from bot.posts.wording import safe
from melodify_core.brief import clean, music_prompt
from melodify_core.composers.arranger.composition import midi_of
from melodify_core.hints import length_of, understand
from melodify_core.hints.concepts import concepts
from melodify_core.hints.playing import is_denied
from melodify_core.models import Wish
from melodify_core.styles import all_styles
from melodify_core.styles.instruments import instruments
from tests.jobs import a_song
from tests.unit.test_hints import brief_for, facts


def card(hint: str, style: str = "auto") -> str:
    wish = Wish(hint=hint, style=style, seconds=length_of(hint) or 30)
    return hint_lines("en", a_song(brief=brief_for(hint, style, wish.seconds), wish=wish), safe)


def signature(hint: str) -> str:
    file = mido.MidiFile(file=io.BytesIO(midi_of(brief_for(hint), Wish(), 3)))
    return next(str(each.key) for track in file.tracks for each in track if each.type == "key_signature")


# Tempo


@pytest.mark.parametrize(
    ("hint", "bpm"),
    [
        ("120 bpm", 120), ("140 bpm", 140), ("60 bpm", 60), ("150 bpm", 150), ("140 bpm rain", 140), ("♩=120", 120),
        ("from 90 to 120 bpm", 105), ("100에서 120 bpm", 110), ("120~130bpm", 125), ("between 90 and 120 bpm", 105),
    ],
)  # fmt: skip
def test_where_nobody_chose_a_style_one_is_chosen_that_has_the_tempo(hint: str, bpm: int) -> None:
    assert brief_for(clean(hint, 200)).not_used == ()
    assert f"bpm.{bpm}" in brief_for(clean(hint, 200)).heard
    assert abs(int(str(facts(clean(hint, 200))["tempo"])) / bpm - 1) <= 0.025


def test_a_tempo_that_is_refused_is_written_nowhere() -> None:
    brief = brief_for("140 bpm", style="lofi")
    assert brief.bpm <= all_styles()["lofi"].tempo.bpm[1]
    assert brief.mood == brief_for(f"{brief.bpm} bpm", style="lofi").mood
    assert "140 bpm" in brief.not_used
    assert brief_for("500 bpm").not_used == ("500 bpm",)


@pytest.mark.parametrize(
    ("hint", "heard"),
    [
        ("allegro", "fast"), ("presto", "fast"), ("andante", "slow"), ("adagio", "slow"), ("largo", "slow"),
        ("moderato", "moderate"), ("알레그로", "fast"), ("안단테", "slow"), ("아다지오", "slow"),
        ("보통 빠르기", "moderate"),
        ("삼박자", "waltz"),
    ],
)  # fmt: skip
def test_a_musician_s_words_for_tempo_and_metre_are_known(hint: str, heard: str) -> None:
    wishes = understand(hint, by_meaning=False)
    assert (wishes.heard, wishes.not_used) == ((heard,), ())


# Length


@pytest.mark.parametrize(
    ("hint", "seconds"),
    [
        ("1:30", 90), ("two minutes", 120), ("a minute and thirty seconds", 90), ("thirty seconds", 30),
        ("un minuto", 60),
        ("30 segundos", 30), ("1分", 60), ("30秒", 30), ("一分钟", 60), ("eine Minute", 60), ("30초짜리", 30),
        ("4分の3", None), ("at 7:30 in the morning", None), ("30초 말고 1분", 60),
    ],
)  # fmt: skip
def test_lengths_of_other_languages_and_clocks_are_heard(hint: str, seconds: int | None) -> None:
    assert length_of(hint) == seconds
    assert seconds is None or understand(hint, by_meaning=False).not_used in ((), ("30초",))


@pytest.mark.parametrize(
    ("hint", "seconds"),
    [("3min", 120), ("5분", 120), ("5s", 10), ("10 minutes", 120), ("two minutes and thirty seconds", 120)],
)
def test_a_length_that_no_song_has_becomes_the_nearest_and_that_is_said(hint: str, seconds: int) -> None:
    assert card(hint) == f"Heard: {seconds} s\nNot used: “{hint}” · Songs last 10 to 120 seconds."


# Key


@pytest.mark.parametrize(
    ("hint", "key", "shown"),
    [
        ("key of D minor", "Dm", "D minor"), ("in C major", "C", "C major"), ("in C# major", "Db", "D♭ major"),
        ("F sharp minor", "F#m", "F♯ minor"), ("Bb minor", "Bbm", "B♭ minor"), ("다장조", "C", "C major"),
        ("라단조로", "Dm", "D minor"), ("올림다단조", "C#m", "C♯ minor"), ("a-Moll", "Am", "A minor"),
        ("re menor", "Dm", "D minor"),
        ("ハ長調", "C", "C major"), ("a sad song in a minor", "Am", "A minor"),
    ],
)  # fmt: skip
def test_a_key_is_played_in_its_tonic(hint: str, key: str, shown: str) -> None:
    hint = clean(hint, 200)
    assert signature(hint) == key
    assert card(hint).endswith(shown)
    assert f"BPM in {understand(hint).heard[-1].removeprefix('key.')}" in music_prompt(brief_for(hint), Wish())


def test_a_minor_key_is_not_the_key_of_a() -> None:
    assert understand("a minor key").heard == ("mode.minor",)
    assert card("key of D") == "Heard: in D"
    assert brief_for("not in C major").not_used == ("not in C major",)


# Instruments


@pytest.mark.parametrize(("hint", "family"), [("no strings", "string ensemble"), ("no synth", "saw lead")])
def test_a_family_leaves_together_or_the_card_says_that_it_cannot(hint: str, family: str) -> None:
    denied = {one.program for name, one in instruments().items() if is_denied(name, (family,))}
    for style in all_styles():
        plays = bool(denied & set(facts(hint, style)["programs"]))  # type: ignore[call-overload]
        assert plays == ("Not used" in card(hint, style)), style
        assert not plays or style == "chiptune"
    if family == "saw lead":
        assert card(hint, "chiptune") == "Not used: “no synth” · This style cannot do without it."


# Words


@pytest.mark.parametrize(
    ("hint", "heard"),
    [
        ("no vocals", ("no_vocals",)), ("보컬 없이", ("no_vocals",)), ("가사 없이", ("no_vocals",)),
        ("cute", ("cute",)),
        ("귀여운", ("cute",)), ("차가운", ("winter",)), ("시원한", ("fresh",)), ("get well soon", ("hopeful",)),
        ("indie", ("style.rock",)),
        ("🌧️🌙", ("rain", "night")), ("🎄", ("christmas",)), ("nocturne", ("style.piano",)), ("🎂", ("birthday",)),
        ("😭", ("sad",)), ("❤️", ("romantic",)),
        ("🎹", ("instrument.grand piano",)), ("🌊", ("sea",)), ("🔥", ("fire",)),
        ("120BPMのジャズ", ("bpm.120", "style.jazz")),
        ("a song that makes my cat dance", ("animals", "excited")), ("잔잔하지만 신나는", ("calm", "excited")),
    ],
)  # fmt: skip
def test_common_words_and_signs_are_known(hint: str, heard: tuple[str, ...]) -> None:
    wishes = understand(hint, by_meaning=False)
    assert (wishes.heard, wishes.not_used) == (heard, ())


@pytest.mark.parametrize(
    "hint",
    [
        "no music",
        "소리 없이",
        "noise",
        "my house",
        "Hanukkah",
        "noon",
        "군밤",
        "1:90",
        "3",
        "5/4",
        "in 7/8",
    ],
)
def test_what_is_unknown_is_not_taken_for_something_else(hint: str) -> None:
    assert (understand(hint).heard, understand(hint).not_used) == ((), (hint,))


def test_what_stands_beside_a_name_and_katakana_is_named_as_it_is_written() -> None:
    assert understand("like BTS Dynamite", by_meaning=False).not_used == ("BTS", "Dynamite")
    assert understand("静かなポルカ", by_meaning=False).not_used == ("ポルカ",)
    assert brief_for("140BPM", style="lofi").not_used == ("140BPM",)


def test_nobody_is_said_to_have_chosen_another_style_who_has_not() -> None:
    wish = Wish(hint="house by the sea")
    assert not_used("en", a_song(brief=brief_for("house by the sea"), wish=wish), safe) == "“house”"
    assert "Another style was chosen" in card("jazz by the sea", "rock")
    assert set(concepts()) >= {"moderate", "no_vocals", "cute", "fresh"}


def test_only_two_instruments_are_two_and_both_play() -> None:
    brief = brief_for("only piano and violin")
    assert brief.heard == ("instrument.grand piano", "instrument.violin")
    assert {0, 40} <= set(facts("only piano and violin")["programs"])  # type: ignore[call-overload]
    assert brief_for("only piano").heard == ("only_piano",)
