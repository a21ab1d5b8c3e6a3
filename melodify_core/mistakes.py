"""Turns pydantic's findings about the settings into sentences that an operator can act on."""

from collections.abc import Iterable

from pydantic import ValidationError
from pydantic_core import ErrorDetails


def sentences(error: ValidationError) -> list[str]:
    """Return one sentence per mistake; none repeats a value, which may be a secret."""
    return [_sentence(detail) for detail in error.errors(include_input=False, include_url=False)]


def _sentence(detail: ErrorDetails) -> str:
    name = ".".join(str(part) for part in detail["loc"]) or "The settings"
    context = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return f"{name} is not a setting; see config.example.toml for those that are."
        case "literal_error":
            return f"{name} must be {context['expected']}."
        case "missing":
            return f"{name} is required."
        case "string_pattern_mismatch":
            return f"{name} has the wrong form{_example(context.get('pattern', ''))}."
        case "value_error":
            return f"{name}: {context['error']}."
        case _:
            return f"{name}: {detail['msg'][0].lower()}{detail['msg'][1:]}."


def _example(pattern: str) -> str:
    forms: Iterable[tuple[str, str]] = (
        ("https?", "an address such as https://example.org"),
        ("wss?", "an address such as wss://example.org"),
        ("sqlite", "sqlite:///folder/file.db"),
    )
    return next((f": expected {form}" for start, form in forms if start in pattern), "")
