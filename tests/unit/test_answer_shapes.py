"""Whatever a person can read in a model's answer becomes a Brief, and what was only thought does not."""

import json
import time
from typing import Any

import pytest

from melodify_core.captioners.openai.answer import reading_of, reply_of
from melodify_core.captioners.openai.normalising import normalised
from melodify_core.captioners.openai.vocabulary import ENERGIES, MODES, known, vocabulary
from melodify_core.errors import Unavailable
from melodify_core.models import Brief
from tests.answer_shapes import DRAFT, LANGUAGES, MESSAGES, TEXTS, WHOLE
from tests.openai_server import READING


def brief_in(message: dict[str, Any], finish_reason: str = "stop") -> Brief:
    body = {"choices": [{"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant"} | message}]}
    return normalised(reading_of(reply_of("m", json.dumps(body).encode(), "req")))


EXPECTED = brief_in({"content": WHOLE})


def test_there_are_sixty_shapes_and_more() -> None:
    assert len(TEXTS) + len(MESSAGES) >= 60


@pytest.mark.parametrize("name", TEXTS)
def test_every_shape_of_text_becomes_the_brief(name: str) -> None:
    got, expected = brief_in({"content": TEXTS[name]}), EXPECTED
    loose = {"caption", "title"} if name in ("inner quotes", "escaped single quote", "tabs and no breaks") else set()
    assert got.model_dump(exclude=loose | {"adjusted"}) == expected.model_dump(exclude=loose | {"adjusted"})
    assert got.title == "Amber Dusk"
    assert got.adjusted == ()


@pytest.mark.parametrize("name", MESSAGES)
def test_every_shape_of_message_becomes_the_brief(name: str) -> None:
    assert brief_in(MESSAGES[name]) == EXPECTED


@pytest.mark.parametrize("name", LANGUAGES)
def test_an_answer_in_any_language_becomes_the_brief(name: str) -> None:
    text = json.dumps(LANGUAGES[name], ensure_ascii=False)
    got, said = brief_in({"content": text}), {"title", "caption"}
    assert got.model_dump(exclude=said) == EXPECTED.model_dump(exclude=said)


def test_every_word_of_another_language_means_one_of_the_vocabulary() -> None:
    lists = vocabulary()
    assert [meant for meant in lists.same.values() if not known(meant) and meant not in lists.small] == []
    assert set(lists.fields.values()) == set(READING)
    assert (set(lists.energy.values()), set(lists.mode.values())) == (set(ENERGIES), set(MODES))


def test_a_field_counts_more_than_another_name_for_it() -> None:
    for fields in ({"tempo": 60} | READING, READING | {"tempo": "slow", "key": "A minor"}):
        assert brief_in({"content": json.dumps(fields)}) == EXPECTED


@pytest.mark.parametrize(
    ("energy", "meant"),
    [
        ("very low", "calm"),
        ("fairly low energy", "gentle"),
        ("很高", "intense"),
        ("medium to high", "gentle"),
        (0.7, "gentle"),
    ],
)
def test_an_energy_in_other_words_counts_where_it_is_clear(energy: object, meant: str) -> None:
    assert brief_in({"content": json.dumps(READING | {"energy": energy})}).energy == meant


def test_an_answer_of_the_other_api_is_read_the_same_way() -> None:
    part = {"type": "output_text", "text": f"<think>{DRAFT}</think>{READING!r}"}
    message = {"type": "message", "content": [part]}
    body = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "output": [message]}
    assert normalised(reading_of(reply_of("m", json.dumps(body).encode(), "req"))) == EXPECTED


@pytest.mark.parametrize("text", [WHOLE, WHOLE + "\n\nThis reading follows from the", WHOLE[:-1]])
def test_what_was_cut_at_its_length_but_is_whole_counts(text: str) -> None:
    assert brief_in({"content": text}, "length") == EXPECTED


def test_what_was_cut_in_a_number_counts_without_the_number() -> None:
    brief = brief_in({"content": WHOLE.partition('4, "mode')[0]}, "length")
    assert (brief.title, brief.instruments, brief.bpm) == ("Amber Dusk", EXPECTED.instruments, 80)


@pytest.mark.parametrize(
    ("changes", "title"),
    [({"title": None}, "Warm light lies on still water."), ({"caption": None}, "Amber Dusk")],
)
def test_an_answer_without_title_or_caption_has_the_other(changes: dict[str, Any], title: str) -> None:
    fields = {name: value for name, value in (READING | changes).items() if value is not None}
    assert brief_in({"content": json.dumps(fields)}).title == title


@pytest.mark.parametrize(
    "text",
    [
        f"<think>What about {DRAFT}",
        f"Hm. {DRAFT}\n</think>",
        f"<|channel|>analysis<|message|>{DRAFT}",
        f"<|channel>thought\n{DRAFT}",
        '{"title": "A',
        "I see a sunset: {calm}, and [warm].",
        '{"colour": "red"}',
        "",
    ],
)
def test_a_draft_or_nothing_is_no_answer(text: str) -> None:
    with pytest.raises(Unavailable):
        brief_in({"content": text}, "length")


def test_thoughts_alone_are_no_answer() -> None:
    with pytest.raises(Unavailable):
        brief_in({"content": "", "reasoning": f"The user wants {DRAFT}"}, "length")
    with pytest.raises(Unavailable):
        brief_in({"content": "", "reasoning": f"The user wants {DRAFT}"})


@pytest.mark.parametrize("hostile", ["{" * 60_000, '["a" ' * 20_000, '"' * 90_000])
def test_a_hostile_answer_ends_in_seconds(hostile: str) -> None:
    began = time.process_time()
    with pytest.raises(Unavailable):
        brief_in({"content": "{" + hostile})
    assert time.process_time() - began < 10
