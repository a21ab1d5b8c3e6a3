"""What a song's card says of its hint: what was heard, and what could not be used."""

import discord

from bot.i18n.messages import catalogue, name_of, say
from melodify_core.brief import clean, names_in
from melodify_core.hints.words import found_in
from melodify_core.models import Language, Song

MOST = 500  # characters of a line
REASONS = ("by_name", "by_bpm", "by_seconds", "by_style", "by_instrument")


def hint_lines(language: Language, song: Song) -> str:
    """Return "Heard: rain, night, no drums" and "Not used: …", a line each; "" where nothing is known."""
    lines = (_heard(language, song), say(language, "song.not_used", phrases=not_used(language, song)))
    shown = lines if song.brief and song.brief.not_used else lines[:1]
    return "\n".join(filter(None, shown))


def not_used(language: Language, song: Song) -> str:
    """Return the phrases that could not be used, each with its reason where that is known; "" without any."""
    groups: dict[str, list[str]] = {reason: [] for reason in (*REASONS, "")}
    for phrase in song.brief.not_used if song.brief else ():
        groups[_reason(phrase)].append(say(language, "song.phrase", phrase=_safe(phrase)))
    return " ".join(
        " · ".join([", ".join(phrases), *([say(language, f"song.{reason}")] if reason else [])])
        for reason, phrases in groups.items()
        if phrases
    )


def _reason(phrase: str) -> str:
    """Return which of REASONS a phrase has; "" for one that was not understood."""
    if names_in(phrase):
        return "by_name"
    kinds = {f"by_{word.kind}" for word in found_in(phrase.casefold())}
    return next((reason for reason in REASONS if reason in kinds), "")


def _heard(language: Language, song: Song) -> str:
    keys = song.brief.heard if song.brief else ()
    # Another length may have been chosen since.
    length = f"seconds.{song.wish.seconds}" if song.wish else ""
    names = [_named(language, key) for key in keys if not key.startswith("seconds.") or key == length]
    return say(language, "song.heard", wishes=", ".join(names)[:MOST]) if names else ""


def _named(language: Language, key: str) -> str:
    kind, _, name = key.rpartition(".")
    match kind:
        case "alone" | "without.instrument":
            return say(language, f"song.{kind.partition('.')[0]}", name=_family(language, name))
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
    """Return the word that a member uses: "no piano" leaves out more than the grand piano that stands for it."""
    family = f"family.{instrument.replace(' ', '_')}"
    return catalogue(language).get(family) or name_of(language, "instrument", instrument)


def _safe(phrase: str) -> str:
    return discord.utils.escape_markdown(clean(phrase, MOST))
