"""Meaning of phrases in any language, by the small model of the extra `hints`."""

import pytest

from melodify_core.captioners.openai.vocabulary import vocabulary
from melodify_core.hints import is_installed, nearest

needs_model = pytest.mark.skipif(not is_installed(), reason="the extra hints is not installed")


@needs_model
@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("피아노", "piano"), ("ピアノ", "piano"), ("guitarra acústica", "acoustic guitar"), ("saxofón", "saxophone"),
        ("Piano", "piano"),
    ],
)  # fmt: skip
def test_a_word_of_another_language_finds_its_neighbour(said: str, meant: str) -> None:
    assert nearest(said, vocabulary().instruments) == meant


@needs_model
@pytest.mark.parametrize("said", ["", "asdf", "사과", "banana", "чай", "김치찌개", "the quarterly report"])
def test_what_is_none_of_the_list_finds_nothing(said: str) -> None:
    assert nearest(said, vocabulary().instruments) is None
    assert nearest(said, []) is None
