"""The English titles of at most 40 characters and captions of at most 300. The words are in english.toml."""

from collections.abc import Iterator
from random import Random

from melodify_core.captioners.palette.feeling import Mood
from melodify_core.captioners.palette.notable import DULL, named_colours, telling_colour, tint
from melodify_core.captioners.palette.reading import Reading
from melodify_core.captioners.palette.scenery import UNKNOWN, Scene
from melodify_core.captioners.palette.words import (
    CAPTION_CHARACTERS,
    COLOUR_FIELDS,
    DRAFTS,
    MOST_CAPTIONS,
    MOST_TITLES,
    TITLE_CHARACTERS,
    Texts,
    by_day,
    distinct,
    is_told,
    patterns,
    unfit,
    unsayable,
    words_of,
)

# Parts of titles that are not said of people, of one or many, of a dull colour, of what does not live, of land and sea.
_OF_PEOPLE = ("{noun}", "A Day with", "Featuring", "In Praise", "Notes on", "with Love")
_OF_BRIGHT = ("Humming", "Touch of", "on Repeat")
_OF_THINGS = ("A Day with", "Ask the", "Dear", "Enter", "First Sight", "Letter", "Mostly", "Takes a Bow", "with Love")
_OF_LAND = ("Featuring", "Mostly", "Notes on", "Song for", "Starring")
_OF_KINDS = (*_OF_LAND, "A Day with", "Ask the", "Dear", "Enter", "First Sight", "Letter", "Takes a Bow")
_OF_DAY = ("Afternoon", "Half Past Four", "Noon", "Sunday", "Sunny", "Sunshine")
_LAND = ("forest", "mountain", "sea", "sky", "snow", "water")
_SMALL_WORDS = frozenset(
    {"a", "an", "and", "as", "at", "by", "for", "from", "in", "nor", "of", "on", "or", "the", "to", "with"}
)


def titles(reading: Reading, colour: str, mood: Mood, scene: Scene = UNKNOWN) -> Texts:
    """Return distinct titles, the best first: of what is seen where it is sure, of the telling colour, of the mood."""
    found = by_day(_titles(reading, colour, mood, scene), reading, _OF_DAY)
    return distinct(found, TITLE_CHARACTERS, MOST_TITLES)


def _titles(reading: Reading, colour: str, mood: Mood, scene: Scene) -> Iterator[str]:
    random, words = Random(reading.fingerprint), words_of("english")
    noun = words.title_noun(scene)
    name = words.people[scene.people - 1].name if scene.people else noun
    thing = (name if scene.people else words.thing(scene)) if noun else ""
    colour_noun, *adjectives = words.colours[colour]
    # "A Song of a Vehicle" says too little, "Journey" is enough.
    without = [*([] if scene.subject or scene.people else ["{thing}"]), *unfit(reading, colour), *_strange(scene)]
    if colour in DULL:
        without += _OF_BRIGHT
    if scene.kind == "people":
        without += COLOUR_FIELDS
    for pattern in patterns(words, random, seen=bool(noun), without=without):
        yield _entitled(
            pattern.format(
                noun=noun,
                thing=thing,
                name=name,
                adjective=random.choice(adjectives),
                colour=colour_noun,
                form=random.choice(words.forms[mood]),
                air=random.choice(words.nouns[mood]),
                line=random.choice(words.fitting(words.lines[mood], scene)),
            )
        )


def _strange(scene: Scene) -> Iterator[str]:
    """Yield parts of titles that would not be said of what is seen."""
    if scene.people:
        yield from _OF_PEOPLE
    elif scene.kind not in ("animal", "bird"):
        yield from _OF_THINGS
    if scene.kind in _LAND:
        yield from _OF_LAND
    if scene.subject in words_of("english").alone:
        yield from _OF_KINDS


def captions(reading: Reading, mood: Mood, style: str, scene: Scene = UNKNOWN) -> Texts:
    """Return distinct captions: what is seen, else what light and colours are like; and a sentence on the song."""
    random = Random(reading.fingerprint + 1)
    return distinct(
        (_caption(reading, mood, style, scene, random) for _ in range(DRAFTS)), CAPTION_CHARACTERS, MOST_CAPTIONS
    )


def _caption(reading: Reading, mood: Mood, style: str, scene: Scene, random: Random) -> str:
    words = words_of("english")
    shown = statement(scene, reading, random) if is_told(scene) else _looks(reading, mood, random, drawn=scene.drawn)
    told = words.song(style, mood, random, scene)
    return f"{shown} {told.pop('pattern').format(Style=_capitalised(told['style']), **told)}"


def statement(scene: Scene, reading: Reading, random: Random) -> str:
    """Return a sentence on what is seen, and in which light."""
    words = words_of("english")
    light = random.choice(words.tints[tint(reading, night=scene.night)])
    thing = words.thing(scene)
    sentence = words.sentence(scene, random)
    # Not every light is worth a word.
    sentence = sentence if light else sentence.replace(", {light}", "")
    return sentence.format(thing=thing, Thing=_capitalised(thing), light=light)


def _looks(reading: Reading, mood: Mood, random: Random, *, drawn: bool) -> str:
    words = words_of("english")
    names = [words.colours[name][0] for name in named_colours(reading)]
    colour = telling_colour(reading)
    telling = words.colours[colour][0]
    without = unsayable(reading, colour)
    said = words.look(reading, mood, random, without, drawn=drawn)
    firsts = {"first": names[0], "First": _capitalised(names[0]), "Telling": _capitalised(telling)}
    return _capitalised(said.format(second=names[-1], telling=telling, **firsts))


def _entitled(title: str) -> str:
    words = (word if word in _SMALL_WORDS else "-".join(map(_capitalised, word.split("-"))) for word in title.split())
    return _capitalised(" ".join(words))


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
