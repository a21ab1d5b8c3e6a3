"""What a song's card says of its hint: what was heard, and what could not be used."""

from collections.abc import Callable

from bot.i18n.messages import catalogue, key_name, name_of, say
from melodify_core.brief import names_in
from melodify_core.hints.numbers import is_possible, lengths_in
from melodify_core.hints.words import found_in
from melodify_core.models import Language, Song
from melodify_core.styles import all_styles

# Makes a text of at most so many characters safe to show: bot.posts.wording.safe, or on a terminal brief.clean.
Safe = Callable[[str, int], str]
MOST = 500  # characters of a line
REASONS = ("by_name", "by_bpm", "by_range", "by_seconds", "by_style", "by_need", "by_instrument")


def hint_lines(language: Language, song: Song, safe: Safe) -> str:
    """Return "Heard: rain, night, no drums" and "Not used: …", a line each; "" where nothing is known."""
    lines = (_heard(language, song), say(language, "song.not_used", phrases=not_used(language, song, safe)))
    shown = lines if song.brief and song.brief.not_used else lines[:1]
    return "\n".join(filter(None, shown))


def not_used(language: Language, song: Song, safe: Safe) -> str:
    """Return the phrases that could not be used, each with its reason where that is known; "" without any."""
    groups: dict[str, list[str]] = {reason: [] for reason in (*REASONS, "")}
    for phrase in song.brief.not_used if song.brief else ():
        groups[_reason(phrase, song)].append(say(language, "song.phrase", phrase=safe(phrase, MOST)))
    return " ".join(
        " · ".join([", ".join(phrases), *([say(language, f"song.{reason}")] if reason else [])])
        for reason, phrases in groups.items()
        if phrases
    )


def _reason(phrase: str, song: Song) -> str:
    """Return which of REASONS a phrase has; "" for one that was not understood."""
    folded = phrase.casefold()
    if names_in(phrase):
        return "by_name"
    if not all(is_possible(said.value) for said in lengths_in(folded)):
        return "by_range"
    words = found_in(folded)
    kinds = {f"by_{word.kind}" for word in words}
    if song.wish is None or song.wish.style not in all_styles():
        kinds.discard("by_style")  # nobody has chosen one
    if any(word.denied for word in words if word.kind == "instrument"):
        kinds.add("by_need")
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
        case "key":
            return _key(language, name)
        case "seconds":
            return say(language, "songs.seconds", seconds=name)
        case _:
            return name_of(language, {"": "concept", "mode": "details.used"}.get(kind, kind), name)


def _key(language: Language, name: str) -> str:
    tonic, _, mode = name.rpartition(" ")
    if mode in ("major", "minor"):
        return key_name(language, tonic, "major" if mode == "major" else "minor")
    return say(language, "song.tonic", tonic=key_name(language, name, None))


def _family(language: Language, instrument: str) -> str:
    """Return the word that a member uses: "no piano" leaves out more than the grand piano that stands for it."""
    family = f"family.{instrument.replace(' ', '_')}"
    return catalogue(language).get(family) or name_of(language, "instrument", instrument)
