"""Style files -> Styles by name. A mistake becomes a sentence with the file, the key and what is allowed."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from melodify_core.errors import Misconfigured
from melodify_core.styles.style import Style

AUTO = "auto"  # no style: the picture decides
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


@cache
def all_styles() -> Mapping[str, Style]:
    """Return the styles of this folder by name, in the order of menus."""
    return load(files(__package__))


def style_choices() -> tuple[str, ...]:
    """Return what a member can choose: the styles, and "auto" before them."""
    return AUTO, *all_styles()


def prompt_of(style: str) -> str:
    """Return the words by which a music model knows the style; none for "auto" and for a style that is gone."""
    return all_styles()[style].prompt if style in all_styles() else ""


def load(folder: Traversable) -> dict[str, Style]:
    """Return the styles of a folder. Raises Misconfigured with a sentence per mistake."""
    problems: list[str] = []
    tables = dict(_tables(folder, problems))
    found: dict[str, Style] = {}
    for name, table in tables.items():
        try:
            found[name] = Style.model_validate(_with_harmony(table, tables))
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
            problems += [f"{name}.toml: {_sentence(detail)}." for detail in details if not _follows(detail, details)]
            continue
        if not found[name].is_named_by(name, found[name].brief.genre):
            problems.append(f"{name}.toml: brief.genre must contain {name} or one of words.genres.")
    if problems:
        raise Misconfigured(*problems)
    return dict(sorted(found.items(), key=lambda item: (item[1].menu, item[0])))


def _tables(folder: Traversable, problems: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        name, dot, ending = file.name.rpartition(".")
        if (dot, ending) != (".", "toml"):
            continue
        if not _NAME.fullmatch(name) or name == AUTO:
            problems.append(
                f'{file.name}: a style\'s name must be lower-case letters, digits and "_", and not "{AUTO}".'
            )
            continue
        try:
            yield name, tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            problems.append(f"{file.name} is not TOML: {error}.")


def _with_harmony(table: dict[str, Any], tables: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the table with the other style's harmony where it says `as_in`."""
    match table.get("harmony"):
        case {"as_in": str(other)} if "major" in tables.get(other, {}).get("harmony", {}):
            return table | {"harmony": tables[other]["harmony"]}
        case _:
            return table


def _follows(detail: ErrorDetails, details: list[ErrorDetails]) -> bool:
    """Return whether a list lacks an entry only because that entry is a mistake of its own."""
    place = detail["loc"]
    return detail["type"] == "too_short" and any(
        other["loc"][: len(place)] == place and other["loc"] != place for other in details
    )


def _sentence(detail: ErrorDetails) -> str:
    key = ".".join(str(part) for part in detail["loc"])
    match detail["type"]:
        case "missing":
            return f"{key} is missing"
        case "extra_forbidden" if key == "harmony.as_in":
            return f"{key} names no style that has chords of its own"
        case "extra_forbidden":
            return f"{key} is not a key of a style; jazz.toml explains the keys"
        case "value_error":
            return f"{key or 'The style'}: {detail['ctx']['error']}"
        case _:
            return f"{key}: {detail['msg'][0].lower()}{detail['msg'][1:]}"
