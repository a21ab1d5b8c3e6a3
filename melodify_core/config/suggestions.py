"""Finds the setting, variable or word that was probably meant."""

import difflib
from collections.abc import Iterable

from pydantic import BaseModel

from melodify_core.config.settings import NEST, PREFIX, Settings


def closest(word: str, known: Iterable[str]) -> str:
    """Return a question with the nearest of the known words; "" where none is near."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.75)
    return f" Did you mean {found[0]}?" if found else ""


def setting_like(name: str) -> str:
    """Return a question with the setting that is most like `name`, also where it stands in another section."""
    names = _setting_names()
    leaf = name.rpartition(".")[2]
    elsewhere = [known for known in names if known.rpartition(".")[2] == leaf]
    return f" Did you mean {elsewhere[0]}?" if len(elsewhere) == 1 else closest(name, names)


def variable_like(name: str) -> str:
    """Return a question with the environment variable that is most like `name`."""
    variables = {PREFIX + setting.upper().replace(".", NEST) for setting in _setting_names()}
    # One underscore in place of two is the most frequent mistake.
    plain = {variable.replace(NEST, "_"): variable for variable in variables}
    meant = plain.get(name.upper().replace(NEST, "_"))
    return f" Did you mean {meant}?" if meant else closest(name.upper(), variables)


def _setting_names() -> list[str]:
    """Return the names of all settings, those in sections with a point: "song.default_seconds"."""
    names = []
    for name, field in Settings.model_fields.items():
        names.append(name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            names += [f"{name}.{inner}" for inner in field.annotation.model_fields]
    return names
