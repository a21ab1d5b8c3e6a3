"""Looks up every text that users read in bot/i18n/locales: `say` and `sentence`.

Knows languages and keys, not Discord: the command line uses it too.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, get_args

from bot.i18n.grammar import grammar_of
from melodify_core.errors import MelodifyError, Value
from melodify_core.models import Language, Mode

LANGUAGES: tuple[Language, ...] = get_args(Language)


@cache
def catalogue(language: Language) -> Mapping[str, str]:
    """Return all texts of the language, under keys such as "error.limit.hour"."""
    text = (files("bot.i18n") / "locales" / f"{language}.toml").read_text(encoding="utf-8")
    return dict(_flat("", tomllib.loads(text)))


def say(language: Language, key: str, /, **values: Value) -> str:
    """Return the text of the key with the values inserted. Raises KeyError for an unknown key or a missing value."""
    return grammar_of(language).vformat(catalogue(language)[key], (), values)


def sentence(language: Language, error: MelodifyError) -> str:
    """Return the error's text for the member."""
    return say(language, f"error.{error.code}", **error.values)


def name_of(language: Language, table: str, name: str) -> str:
    """Return the language's word for a name such as an instrument's, or the name itself without one."""
    return catalogue(language).get(f"{table}.{name.casefold().replace(' ', '_')}", name)


def key_name(language: Language, tonic: str, mode: Mode | None) -> str:
    """Return a musical key as text: "B♭ minor", "B♭ 단조"."""
    sign = tonic.replace(" flat", "♭").replace(" sharp", "♯")
    return say(language, f"song.key.{mode}", tonic=sign) if mode else sign


def _flat(prefix: str, table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{name}.", value)
        else:
            yield prefix + name, value
