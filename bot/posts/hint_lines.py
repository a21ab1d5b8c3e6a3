"""What a song's card says of its hint: what was heard, and what could not be used."""

import discord

from bot.i18n.messages import catalogue, name_of, say
from melodify_core.brief import clean, names_in
from melodify_core.models import Language, Song

MOST = 500  # characters of a line


def hint_lines(language: Language, song: Song) -> str:
    """Return "Heard: rain, night, no drums" and "Not used: …", a line each; "" where nothing is known."""
    lines = (_heard(language, song), say(language, "song.not_used", phrases=not_used(language, song)))
    shown = lines if song.brief and song.brief.not_used else lines[:1]
    return "\n".join(filter(None, shown))


def not_used(language: Language, song: Song) -> str:
    """Return the phrases that could not be used, and why where that is known; "" without any."""
    phrases = song.brief.not_used if song.brief else ()
    shown = ", ".join(say(language, "song.phrase", phrase=_safe(phrase)) for phrase in phrases)
    named = any(names_in(phrase) for phrase in phrases)
    return f"{shown} · {say(language, 'song.by_name')}" if named else shown


def _heard(language: Language, song: Song) -> str:
    keys = song.brief.heard if song.brief else ()
    # Another length may have been chosen since.
    length = f"seconds.{song.wish.seconds}" if song.wish else ""
    names = [_named(language, key) for key in keys if not key.startswith("seconds.") or key == length]
    return say(language, "song.heard", wishes=", ".join(names)[:MOST]) if names else ""


def _named(language: Language, key: str) -> str:
    kind, _, name = key.rpartition(".")
    match kind:
        case "without.instrument":
            return say(language, "song.without", name=_family(language, name))
        case "without" | "without.style" | "without.mode":
            return say(language, "song.apart", name=_named(language, key.removeprefix("without.")))
        case "bpm":
            return say(language, "song.bpm", bpm=name)
        case "seconds":
            return say(language, "songs.seconds", seconds=name)
        case "mode":
            return name_of(language, "details.used", name)
        case _:
            return name_of(language, kind or "concept", name)


def _family(language: Language, instrument: str) -> str:
    """Return the word for what is left out: "no piano" leaves out more than the grand piano that stands for it."""
    family = f"family.{instrument.replace(' ', '_')}"
    return catalogue(language).get(family) or name_of(language, "instrument", instrument)


def _safe(phrase: str) -> str:
    return discord.utils.escape_markdown(clean(phrase, MOST))
