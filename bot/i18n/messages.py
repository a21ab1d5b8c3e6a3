"""Every word that users read, from bot/i18n/locales: `say` and `sentence`.

Knows languages and keys, not Discord: the command line speaks through it too.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, get_args

from melodify_core.errors import MelodifyError, Value
from melodify_core.models import Language, Mode

LANGUAGES: tuple[Language, ...] = get_args(Language)


@cache
def catalogue(language: Language) -> Mapping[str, str]:
    """Return all texts of the language, under keys such as "error.limit.hour"."""
    text = (files("bot.i18n") / "locales" / f"{language}.toml").read_text(encoding="utf-8")
    return dict(_flat("", tomllib.loads(text)))


def say(language: Language, key: str, /, **values: Value) -> str:
    """Return the text with its values filled in. Raises KeyError for an unknown key and for a missing value."""
    return catalogue(language)[key].format_map(values)


def sentence(language: Language, error: MelodifyError) -> str:
    """Return what the asker reads of the error."""
    return say(language, f"error.{error.code}", **error.values)


def name_of(language: Language, table: str, name: str) -> str:
    """Return the language's own word for a name such as an instrument's, or the name itself where there is none."""
    return catalogue(language).get(f"{table}.{name.casefold().replace(' ', '_')}", name)


def key_name(language: Language, tonic: str, mode: Mode | None) -> str:
    """Return a key as readers write it: "B♭ minor", "B♭ 단조"."""
    sign = tonic.replace(" flat", "♭").replace(" sharp", "♯")
    return say(language, f"song.key.{mode}", tonic=sign) if mode else sign


def _flat(prefix: str, table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{name}.", value)
        else:
            yield prefix + name, value
