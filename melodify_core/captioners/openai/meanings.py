"""Values that stand in no list, by their meaning, such as "luz suave de piano" -> "piano", for normalising.py.

The model takes 50 MB: `understood` runs in a worker.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from melodify_core.captioners.openai import vocabulary
from melodify_core.captioners.openai.normalising import phrases_in, strange_in
from melodify_core.hints.meaning import is_installed, nearest

ASKED_AT_MOST = 24  # phrases of an answer; each takes some 10 ms

Phrases = Mapping[str, Sequence[str]]


def to_be_understood(fields: dict[str, Any]) -> Phrases:
    """Return the phrases in no list by their fields; nothing where nothing can be understood."""
    if not is_installed():
        return {}
    strange = ((name, phrase) for name in _lists() for phrase in strange_in(fields, name))
    found: dict[str, list[str]] = {}
    for name, phrase in tuple(strange)[:ASKED_AT_MOST]:
        found.setdefault(name, []).append(phrase)
    return found


def understood(phrases: Phrases) -> dict[str, dict[str, str]]:
    """Return what the phrases mean, by field and phrase; nothing of those that mean nothing sure."""
    lists = _lists()
    found = {
        name: {phrase: meant for phrase in said if (meant := nearest(phrase, lists[name]))}
        for name, said in phrases.items()
    }
    return {name: meant for name, meant in found.items() if meant}


def replaced(fields: dict[str, Any], meant: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Return the fields with what was meant in place of what was said."""
    others: dict[str, Any] = {
        name: [said.get(phrase, phrase) for phrase in phrases_in(fields, name)] for name, said in meant.items()
    }
    if energies := meant.get("energy"):
        others["energy"] = next(iter(energies.values()))
    return fields | others


def _lists() -> dict[str, Sequence[str]]:
    lists = vocabulary.vocabulary()
    return {
        "genre": lists.genres,
        "instruments": lists.instruments,
        "mood": lists.moods,
        "energy": vocabulary.ENERGIES,
        "soundscape": lists.soundscapes,
        "arrangement": lists.arrangements,
    }
