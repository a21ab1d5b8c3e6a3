"""Turns pydantic's findings about the settings into sentences that an operator can act on."""

from collections.abc import Iterable

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from melodify_core.config.suggestions import setting_like

_KINDS = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "list_type": "a list in square brackets",
    "tuple_type": "a list in square brackets",
    "frozen_set_type": "a list in square brackets",
    "dict_type": "a table",
}
# Settings that hold numbers which Discord gives to channels, servers, members and roles.
_IDS = ("discord.watched_channels.", "limits.exempt_users.", "limits.blocked_users.")
_COPY_ID = (
    "Switch on Discord's User Settings > Advanced > Developer Mode, then right-click the name and choose Copy ID."
)


def sentences(error: ValidationError) -> list[str]:
    """Return one sentence per mistake; none repeats a value, which may be a secret."""
    found = [_sentence(detail) for detail in error.errors(include_input=False, include_url=False)]
    return list(dict.fromkeys(found))


def _sentence(detail: ErrorDetails) -> str:
    name = ".".join(str(part) for part in detail["loc"]) or "The settings"
    context = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return f"{name} is not a setting; see config.example.toml for those that are.{setting_like(name)}"
        case "literal_error":
            rest = f" must be {context['expected']}"
        case "missing":
            rest = " is required"
        case "string_pattern_mismatch":
            if name.startswith("limits.roles."):
                return f"limits.roles must name roles by their numbers. {_COPY_ID}"
            rest = f" has the wrong form{_example(context.get('pattern', ''))}"
        case kind if kind in _KINDS and name.startswith(_IDS):
            return f"{name.rpartition('.')[0]} must be numbers. {_COPY_ID}"
        case kind if kind in _KINDS:
            rest = f" must be {_KINDS[kind]}"
        case "value_error":
            rest = f": {context['error']}"
        case _:
            rest = f": {detail['msg'][0].lower()}{detail['msg'][1:]}"
    return f"{name}{rest}."


def _example(pattern: str) -> str:
    forms: Iterable[tuple[str, str]] = (
        ("https?", "an address such as https://example.org"),
        ("wss?", "an address such as wss://example.org"),
        ("sqlite", "sqlite:///folder/file.db or postgresql://user:password@host/name"),
    )
    return next((f": expected {form}" for start, form in forms if start in pattern), "")
