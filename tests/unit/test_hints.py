"""How a hint is understood, by its words alone and by meaning, and that an ear notices each concept."""

import io
import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

import mido
import pytest

from bot.i18n.messages import LANGUAGES, catalogue
from melodify_core.captioners.openai.vocabulary import vocabulary
from melodify_core.captioners.palette.captioner import brief_of
from melodify_core.captioners.palette.reading import Reading
from melodify_core.composers.arranger.composition import midi_of, score_of
from melodify_core.composers.arranger.wishes import obeyed
from melodify_core.hints import is_installed, length_of, nearest, understand
from melodify_core.hints.concepts import DRUMS, concepts, other_words, silence
from melodify_core.hints.meaning import is_stored
from melodify_core.models import Brief, Wish
from melodify_core.styles import all_styles
from melodify_core.styles.instruments import instruments
from quality.hints import Asked, asked_hints
from tests import pictures
from tests.briefs import a_brief
from tests.unit.readings import reading_of

needs_model = pytest.mark.skipif(not is_installed(), reason="the extra hints is not installed")
DRUM_CHANNEL = 9


@cache
def sunset() -> Reading:
    return reading_of(pictures.sunset())


@cache
def brief_for(hint: str, style: str = "auto", seconds: int = 30) -> Brief:
    return brief_of(sunset(), Wish(hint=hint, style=style, seconds=seconds))


@cache
def facts(hint: str, style: str = "auto") -> dict[str, object]:
    """What an ear can tell of a song, from its MIDI file and its soundscape."""
    brief = brief_for(hint, style)
    file = mido.MidiFile(file=io.BytesIO(midi_of(brief, Wish(style=style), 3)))
    messages = [message for track in file.tracks for message in track]
    first = {message.type: message for message in reversed(messages)}
    # MIDI counts quarters; people count 6/8 in dotted ones.
    beat = 1.5 if first["time_signature"].denominator == 8 else 1
    return {
        "programs": sorted(
            {each.program for each in messages if each.type == "program_change" and each.channel != DRUM_CHANNEL}
        ),
        "drums": any(each.type == "note_on" and each.channel == DRUM_CHANNEL for each in messages),
        "tempo": round(mido.tempo2bpm(first["set_tempo"].tempo) / beat),
        "minor": first["key_signature"].key.endswith("m"),
        "meter": (first["time_signature"].numerator, brief.meter),
        "sounds": brief.sounds,
    }


# Words


def test_there_are_enough_concepts_and_each_has_a_name_in_both_languages() -> None:
    assert len(concepts()) >= 80
    for language in LANGUAGES:
        named = {key.removeprefix("concept.") for key in catalogue(language) if key.startswith("concept.")}
        assert named == set(concepts()), language


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_concept_is_found_by_its_own_name_without_the_extra(language: str) -> None:
    lost = [
        name
        for name in concepts()
        for word in [next(catalogue(each)[f"concept.{name}"] for each in LANGUAGES if each == language)]
        if name not in understand(word, by_meaning=False).heard
    ]
    assert lost == []


@pytest.mark.parametrize(
    ("hint", "heard"),
    [
        ("비 오는 저녁, 드럼 없이, 느리게", ("rain", "evening", "no_drums", "slow")),
        ("rain, night and no drums", ("rain", "night", "no_drums")),
        ("no drums or bass", ("no_drums", "without.instrument.electric bass")),
        ("드럼이랑 기타 없이", ("no_drums", "without.instrument.acoustic guitar")),
        ("drop the piano", ("without.instrument.grand piano",)),
        ("jazz로", ("style.jazz",)),
        ("final boss battle", ("boss_fight",)),
        ("90s hip hop", ("hiphop",)),
        ("grand piano", ("instrument.grand piano",)),
        ("help me", ()),
    ],
)
def test_wishes_are_told_apart(hint: str, heard: tuple[str, ...]) -> None:
    assert understand(hint, by_meaning=False).heard == heard


@pytest.mark.parametrize(
    ("hint", "seconds"),
    [
        ("1 minute", 60), ("one minute long", 60), ("1분 30초", 90), ("45 seconds", 45), ("30초", 30),
        ("3 minutes", 120), ("half a minute", 30), ("make it longer", 90), ("짧게", 15), ("4분의 3박자", None),
        ("80s", None), ("a minor key", None), ("rain", None), ("not too short", None),
    ],
)  # fmt: skip
def test_a_length_is_heard_in_words_and_numbers(hint: str, seconds: int | None) -> None:
    assert length_of(hint) == seconds


def test_a_length_that_was_chosen_otherwise_is_not_used() -> None:
    assert brief_for("1 minute of rain", seconds=60).heard == ("seconds.60", "rain")
    other = brief_for("1 minute of rain", seconds=30)
    assert (other.heard, other.not_used) == (("rain",), ("1 minute",))


def test_a_chosen_style_overrules_the_hint_and_that_is_said() -> None:
    brief = brief_for("jazz at night", style="rock")
    assert (brief.heard, brief.not_used) == (("night",), ("jazz",))


@pytest.mark.parametrize(
    ("style", "heard"), [("jazz", ("bpm.120",)), ("house", ("bpm.120",)), ("ambient", ()), ("lofi", ())]
)
def test_a_tempo_that_a_style_cannot_be_played_at_is_not_said_to_be_heard(style: str, heard: tuple[str, ...]) -> None:
    brief = brief_for("120 bpm", style=style)
    assert brief.heard == heard
    assert ("120 bpm" in brief.not_used) == (not heard)


@pytest.mark.parametrize(
    ("hint", "not_used"),
    [
        ("Für Elise vibes", ("Für Elise",)),
        ("like BTS, but slow", ("BTS",)),
        ("방탄소년단처럼", ("방탄소년단",)),
        ("asdfgh", ("asdfgh",)),
        ("rain, the third column", ("the third column",)),
        ("?!", ("?!",)),
        ("rain, please", ()),
        ("", ()),
    ],
)
def test_what_could_not_be_used_is_kept(hint: str, not_used: tuple[str, ...]) -> None:
    assert brief_for(hint).not_used == not_used


@pytest.mark.parametrize(
    ("hint", "heard"),
    [
        ("밤바다", ("night", "sea")), ("밤바다, 조용하게", ("night", "sea", "calm")), ("밤하늘", ("night",)),
        ("밤거리", ("night", "city")), ("겨울바다", ("winter", "sea")), ("여름밤", ("summer", "night")),
        ("봄비", ("spring", "rain")), ("가을비처럼", ("autumn", "rain")), ("새벽비", ("morning", "rain")),
        ("봄밤", ("spring", "night")), ("가을바람", ("autumn", "wind")), ("바닷바람", ("sea", "wind")),
        ("겨울산", ("winter", "mountain")), ("눈 오는밤", ("snow", "night")), ("골목길", ("city",)),
        ("호숫가", ("river",)), ("빗소리", ("rain",)), ("눈길", ("snow",)), ("바닷가", ("sea",)),
        ("산길", ("mountain",)), ("도시야경", ("city", "night")), ("밤나무", ()), ("게임 보스전", ("boss_fight",)),
        ("비디오 게임 보스전처럼", ("boss_fight",)),
    ],
)  # fmt: skip
def test_a_korean_compound_is_heard_whole(hint: str, heard: tuple[str, ...]) -> None:
    wishes = understand(hint, by_meaning=False)
    assert wishes.heard == heard
    assert wishes.not_used == (() if heard else (hint,))


@pytest.mark.parametrize(
    ("hint", "not_used"),
    [
        ("rain in the Kitchen", ("Kitchen",)),
        ("creepy abandoned house at night", ("abandoned house",)),
        ("조선시대 궁궐", ("조선시대",)),
        ("비 오는 저녁에 고양이 우주정거장", ("정거장",)),
        ("a walk through the snow at night, please", ()),
        ("비 오는 저녁에 혼자 걷는 길", ()),
        ("듣기 좋은 재즈로 해줘", ()),
        ("夜の雨", ()),
    ],
)
def test_what_a_phrase_says_beside_its_known_words_is_not_lost(hint: str, not_used: tuple[str, ...]) -> None:
    wishes = understand(hint, by_meaning=False)
    assert wishes.heard
    assert wishes.not_used == not_used


def test_a_denied_mood_keeps_the_music_on_the_other_side() -> None:
    sad = brief_for("sad")
    assert sad.valence < 0 < brief_for("sad, but not sad").valence
    assert understand("not happy").most[0] < 0


# Meaning


@needs_model
@pytest.mark.parametrize(
    ("hint", "concept"),
    [
        ("the lights went out hours ago and the stars came out", "night"),
        ("하늘에서 물이 쏟아지네", "storm"),
        ("vögel singen im garten", "birds"),
        ("j'étudie pour mes examens", "study"),
        ("犬と散歩", "animals"),
    ],
)
def test_a_phrase_without_known_words_is_understood_by_meaning(hint: str, concept: str) -> None:
    assert concept in understand(hint).heard


@needs_model
def test_without_meaning_such_a_phrase_is_not_used() -> None:
    hint = "하늘에서 물이 쏟아지네"
    assert understand(hint, by_meaning=False).not_used == (hint,)


def test_the_stored_vectors_are_those_of_the_examples_and_vocabularies() -> None:
    """If this fails: python -m quality hints --write."""
    groups = [*(concept.examples for concept in concepts().values()), *silence().values()]
    assert [group for group in groups if not is_stored(*group)] == []
    lists = vocabulary()
    assert [each for each in (*lists.moods, *lists.genres, *lists.instruments) if not is_stored(each)] == []


@pytest.mark.parametrize("by_meaning", [False, pytest.param(True, marks=needs_model)])
def test_hints_that_were_written_before_the_concepts_are_understood(by_meaning: bool) -> None:
    answers = [(asked, understand(asked.hint, by_meaning=by_meaning)) for asked in asked_hints()]
    for group in ("english", "korean", "other"):
        mine = [(asked, set(wishes.heard)) for asked, wishes in answers if asked.group == group and asked.must]
        assert len(mine) >= (20 if group == "other" else 95)
        assert share(not asked.missing(heard) for asked, heard in mine) >= 0.85, group
        assert share(not asked.wrong(heard) for asked, heard in mine) >= 0.95, group
    nonsense = [(asked, wishes) for asked, wishes in answers if asked.group == "nonsense"]
    assert len(nonsense) == 50
    assert [asked.hint for asked, wishes in nonsense if wishes.heard] == []
    assert [asked.hint for asked, wishes in answers if not wishes.heard and not wishes.not_used] == []


def test_the_count_of_hints_can_fail() -> None:
    asked = Asked("english", "rain", (frozenset({"rain"}),), frozenset({"night"}))
    assert (asked.missing({"night"}), asked.wrong({"night"})) == (["rain"], [])
    assert asked.wrong({"rain", "metal"}) == ["metal"]


def share(answers: Iterator[bool]) -> float:
    every = list(answers)
    return sum(every) / len(every)


# What an ear notices


@pytest.mark.no_cover
def test_each_concept_changes_what_an_ear_notices() -> None:
    plain = facts("")
    # Without a soundscape there is none to switch off, and nobody ever sings.
    unheard = [name for name in concepts() if facts(catalogue("en")[f"concept.{name}"]) == plain]
    assert unheard == ["no_effects", "no_vocals"]
    assert facts("rain, no effects")["sounds"] == ()


@pytest.mark.no_cover
def test_each_concept_does_what_its_entry_says() -> None:
    for name, concept in concepts().items():
        brief, heard = brief_for(catalogue("en")[f"concept.{name}"]), facts(catalogue("en")[f"concept.{name}"])
        assert name in brief.heard
        assert not concept.style or brief.genre == all_styles()[concept.style].brief.genre, name
        assert brief.meter == concept.meter, name
        assert heard["minor"] == (brief.mode == "minor"), name
        assert not concept.mode or brief.mode == concept.mode, name
        assert not concept.bpm or abs(int(str(heard["tempo"])) / concept.bpm - 1) < 0.1, name
        assert not (DRUMS in concept.without and heard["drums"]), name
        assert brief.sounds == concept.sounds[:3], name


@pytest.mark.parametrize("style", all_styles())
def test_no_drums_are_no_drums_in_every_style(style: str) -> None:
    for hint in ("no drums", "energetic, 드럼 없이", "sans batterie"):
        assert facts(hint, style)["drums"] is False


@pytest.mark.parametrize(
    ("hint", "alone"),
    [
        ("only guitar", "acoustic guitar"), ("just piano", "grand piano"), ("solo piano", "grand piano"),
        ("nothing but a cello", "cello"), ("guitar only please", "acoustic guitar"), ("slow, just a flute", "flute"),
        ("기타만", "acoustic guitar"), ("피아노만", "grand piano"), ("기타 하나로만", "acoustic guitar"),
        ("오직 첼로", "cello"), ("바이올린 독주", "violin"), ("플루트만 나오게", "flute"),
        ("only guitar and bass", None), ("rock with a guitar solo", None), ("기타만 빼고", None),
        ("피아노만 빼고", None), ("only drums", None), ("guitar", None),
    ],
)  # fmt: skip
def test_one_instrument_alone_is_understood(hint: str, alone: str | None) -> None:
    wishes = understand(hint, by_meaning=False)
    assert (wishes.alone, wishes.not_used) == (alone, ())


@pytest.mark.parametrize("style", all_styles())
def test_an_instrument_that_was_asked_for_alone_plays_alone_in_every_style(style: str) -> None:
    alone = {
        "only guitar": "acoustic guitar", "energetic, 기타만": "acoustic guitar", "just piano": "grand piano",
        "solo piano": "grand piano", "energetic, only strings": "string ensemble", "오직 플루트": "flute",
    }  # fmt: skip
    for hint, name in alone.items():
        found = facts(hint, style)
        assert found["programs"] == [instruments()[name].program], hint
        assert found["drums"] is False


@pytest.mark.parametrize("style", all_styles())
def test_who_plays_alone_plays_within_reach_and_is_never_silent_for_long(style: str) -> None:
    for hint in ("only guitar", "just a flute", "only bass"):
        brief = brief_for(hint, style)
        score = score_of(brief, Wish(style=style), 3)
        [name] = {part.name for part in score.parts}
        notes = sorted((note.start, note.pitch) for part in score.parts for note in part.notes)
        assert min(pitch for _, pitch in notes) >= instruments()[name].low
        starts = [0.0, *(start for start, _ in notes)]
        assert max(after - before for before, after in pairwise(starts)) <= 2.5 * score.time.bar, hint


def test_another_captioner_s_reading_is_played_by_one_alone_too() -> None:
    brief = a_brief().model_copy(update={"instruments": ("cello", "drum kit"), "heard": (), "sounds": None})
    wish = Wish(hint="기타만", style="rock")
    score = score_of(obeyed(brief, wish), wish, 3)
    assert {part.name for part in score.parts} == {"acoustic guitar"}


@pytest.mark.parametrize("style", all_styles())
def test_an_instrument_that_was_named_plays_in_every_style(style: str) -> None:
    assert 42 in facts("with a cello", style)["programs"]  # type: ignore[operator]


@pytest.mark.parametrize("style", ["auto", "piano", "chiptune", "jazz"])
def test_an_instrument_plays_or_is_not_said_to(style: str) -> None:
    for name in other_words().instruments:
        hint = f"with {name}"
        brief, found = brief_for(hint, style), facts(hint, style)
        programs = found["programs"]
        assert isinstance(programs, list)
        # Under many strokes a quicker instrument of its kind plays.
        names = {name, instruments()[name].quick or name} if name != DRUMS else set()
        plays = bool(found["drums"]) if name == DRUMS else any(instruments()[one].program in programs for one in names)
        assert plays or brief.not_used, name
        assert (f"instrument.{name}" in brief.heard) == (not brief.not_used), name


@pytest.mark.parametrize("style", all_styles())
def test_of_many_instruments_only_those_that_play_are_said_to(style: str) -> None:
    for hint in (
        "piano, violin, flute and trumpet",
        "플루트, 트럼펫, 하프, 첼로, 오르간",
        "bass, cello, guitar, drums, flute",
    ):
        brief = brief_for(hint, style)
        score = score_of(brief, Wish(hint=hint, style=style, seconds=30), 7)
        named = [key.removeprefix("instrument.") for key in brief.heard if key.startswith("instrument.")]
        playing = {part.name for part in score.parts} | ({DRUMS} if score.part("drums") else set())
        for name in named:
            assert playing & {name, instruments()[name].quick if name != DRUMS else name}, (hint, name, playing)
        assert len(named) + len(brief.not_used) == len(understand(hint).demanded), (hint, named)


@pytest.mark.parametrize("language", LANGUAGES)
def test_instruments_are_heard_by_the_names_that_the_bot_gives_them(language: str) -> None:
    named = catalogue("en") if language == "en" else catalogue("ko")
    for name in set(other_words().instruments):
        word = named[f"instrument.{name.replace(' ', '_')}"]
        assert f"instrument.{name}" in understand(word, by_meaning=False).heard, word


@pytest.mark.parametrize(
    ("hint", "denied"), [("no piano", {0, 1, 2, 3}), ("기타 빼고", set(range(24, 32))), ("no bass", set(range(32, 40)))]
)
def test_an_instrument_that_must_not_play_does_not(hint: str, denied: set[int]) -> None:
    for style in all_styles():
        assert not denied & set(facts(hint, style)["programs"]), style  # type: ignore[call-overload]


def test_the_prompt_of_other_composers_names_meter_and_sounds() -> None:
    brief = brief_for("waltz in the rain")
    assert re.search(r"\brain\b", brief.soundscape)
    assert brief.meter == "3/4"


def test_vocabularies_find_their_neighbours() -> None:
    assert nearest("Piano", vocabulary().instruments) == "piano"
