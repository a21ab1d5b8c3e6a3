"""Reads settings that a newer version may have written, and keeps what it wrote: a host may go back a version."""

import json
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

Settings = TypeVar("Settings", bound=BaseModel)


def read_settings(model: type[Settings], text: str) -> Settings:
    """Return the settings, without fields and values that this version does not know."""
    found = json.loads(text)
    while True:
        try:
            return model.model_validate_json(json.dumps(found))
        except ValidationError as error:
            # The last first, so that the places of a list's other items stay.
            if not _removed(found, error.errors()[-1]["loc"]):
                raise


def written_settings(before: str, changed: BaseModel) -> str:
    """Return the changed settings as text, with what `before` says and this version does not know."""
    known = read_settings(type(changed), before).model_dump(mode="json")
    merged = _merged(json.loads(before), known, changed.model_dump(mode="json"))
    # As pydantic writes it: the pages' queries look for parts of this text.
    return json.dumps(merged, ensure_ascii=False, separators=(",", ":"))


def _removed(found: Any, place: Sequence[int | str]) -> bool:
    """Remove what is at a place, and return whether there was something."""
    try:
        for step in place[:-1]:
            found = found[step]
        del found[place[-1]]
    except (LookupError, TypeError):
        return False
    return True


def _merged(stored: Any, known: Any, changed: Any) -> Any:
    if changed == known:
        return stored
    if not all(isinstance(each, dict) for each in (stored, known, changed)):
        return changed
    unknown = {key: value for key, value in stored.items() if key not in known}
    return unknown | {
        key: _merged(stored[key], known[key], value) if key in stored and key in known else value
        for key, value in changed.items()
    }
