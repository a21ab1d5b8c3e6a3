"""The words of titles and captions, as english.toml and korean.toml have them. The sentences are made beside those."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import cycle
from random import Random

from pydantic import TypeAdapter

from melodify_core.captioners.eyes import Kind
from melodify_core.captioners.palette.airs import Air, airs_of
from melodify_core.captioners.palette.feeling import Mood
from melodify_core.captioners.palette.notable import DULL, Tint, is_coloured, is_telling, notable
from melodify_core.captioners.palette.reading import Reading
from melodify_core.captioners.palette.scenery import UNKNOWN, Scene
from melodify_core.data_files import read_table

Texts = tuple[str, ...]
TITLE_CHARACTERS = 40
MOST_TITLES = 33
CAPTION_CHARACTERS = 300
MOST_CAPTIONS = 16
DRAFTS = 40  # of captions
COLOUR_FIELDS: Texts = ("{colour}", "{hue}", "{adjective}", "{telling}", "{Telling}")
_TRIES = 200
MOST_AIRS = 3
_DIM = 0.45  # Oklab lightness of what is no afternoon
# Colours that let one talk are no words for a fast song, nor cosy ones for a chase.
_UNFITTING: dict[Mood, frozenset[Air]] = {
    "joyful": frozenset({"quiet"}),
    "excited": frozenset({"dark warm", "gold", "quiet", "warm"}),
    "tense": frozenset({"dark warm", "gold", "quiet", "warm"}),
}
# Of a comic or a menu nobody tells the light.
_OF_LIGHT: frozenset[Air] = frozenset({
    "blue above", "blue hour", "bright", "cool", "dark", "dark cool", "dark warm", "quiet", "smooth", "warm", "white"
})  # fmt: skip

# The sentences that fit a kind, and those that fit a subject better.
_GROUPS: dict[Kind, str] = {
    "animal": "animal", "bird": "bird", "building": "place", "city": "town", "flower": "nature", "food": "food",
    "forest": "land", "furniture": "object", "instrument": "music", "machine": "object", "mountain": "land",
    "people": "somebody", "plane": "travel", "sea": "sealife", "ship": "travel", "sky": "sky", "snow": "land",
    "stage": "show", "train": "travel", "vehicle": "travel", "water": "water",
}  # fmt: skip
# Where only the kind is known: "a building" is no word for a cathedral.
_GROUPS_OF_KINDS: dict[Kind, str] = {"animal": "creature", "building": "walls", "sea": "water", "vehicle": "wheels"}
_GROUPS_OF_SUBJECTS = {
    "airship": "sky", "breakwater": "water", "candle": "nature", "cup": "object", "dam": "town", "diver": "sealife",
    "dog sled": "travel", "fountain": "town", "greenery": "nature", "greenhouse": "object", "harbour": "water",
    "library": "object", "mushroom": "nature", "night lights": "night", "parachute": "sky", "rapeseed": "land",
    "seashore": "water", "statue": "object", "teapot": "object",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Titles:
    """Patterns where what is seen is sure, and where it is not."""

    seen: Texts
    unseen: Texts


@dataclass(frozen=True, slots=True)
class Songs:
    """Sentences on the song: patterns, its style as a noun, and by its mood what it does and when to hear it."""

    patterns: Texts
    styles: dict[str, Texts]  # "other" stands for those without words of their own
    does: dict[Mood, Texts]
    heard: dict[Mood, Texts]


@dataclass(frozen=True, slots=True)
class People:
    """People in a sentence, and in a title as a noun or by a name."""

    phrase: str
    noun: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """One language's words. Where there are several, the picture's fingerprint chooses."""

    titles: Titles
    airs: dict[Air, Texts]
    layouts: dict[str, Texts]
    sentences: dict[str, Texts]
    own: dict[str, Texts]  # sentences that fit one thing only
    tints: dict[Tint, Texts]
    people: tuple[People, ...]  # by the number of faces
    colours: dict[str, Texts]  # as a noun, then as adjectives for titles
    lines: dict[Mood, Texts]  # whole titles
    songs: Songs
    things: dict[str, Texts]  # in a sentence; in a title, where that differs
    forms: dict[Mood, Texts] = field(default_factory=dict)
    nouns: dict[Mood, Texts] = field(default_factory=dict)
    alone: Texts = ()  # things that are told in sentences of their own only
    lonely: Texts = ()  # parts of lines and songs that are not said where there may be several people
    human: Texts = ()  # and where animals are seen

    def thing(self, scene: Scene) -> str:
        """Return what is seen, as a part of a sentence."""
        return self.people[scene.people - 1].phrase if scene.people else self._named(scene)[0]

    def title_noun(self, scene: Scene) -> str:
        """Return what is seen, as a noun for a title; nothing where it is not sure."""
        if scene.certainty != "sure":
            return ""
        if scene.people:
            return self.people[scene.people - 1].noun
        # "Creature" and "walls" are no names for a red panda and a cathedral.
        return self._named(scene)[-1] if scene.subject else ""

    def sentence(self, scene: Scene, random: Random) -> str:
        """Return a sentence that fits what is seen."""
        # Of three that are chosen one is taken, so that one's own are not lost among those of the group.
        chosen = random.choice(self.sentences[group_of(scene)])
        own = self.own.get("" if scene.people else scene.subject or scene.kind or "", ())
        if scene.subject in self.alone:
            return random.choice(own)
        return random.choice((chosen, random.choice(own), random.choice(own))) if own else chosen

    def look(self, reading: Reading, mood: Mood, random: Random, without: Sequence[str], *, drawn: bool = False) -> str:
        """Return a sentence or two without these fields, mostly of the most telling air, seldom of none in particular.

        A fact of the layout is told where nothing else stands out; that there is one spot of colour, or nothing else
        at all, is told in any case.
        """
        air, facts = _air(reading, mood, random, drawn=drawn), () if drawn else notable(reading)[:1]
        texts = [text for text in self.airs[air] if not any(name in text for name in without)]
        layouts = [text for fact in facts for text in self.layouts[fact]]
        if air == "mixed":
            return random.choice(layouts if layouts and random.random() < 0.5 else texts)
        said = random.choice(texts)
        return f"{said} {random.choice(layouts)}" if facts in {("accent",), ("bare",)} else said

    def song(self, style: str, mood: Mood, random: Random, scene: Scene = UNKNOWN) -> dict[str, str]:
        """Return a pattern for the song, and its parts by the fields' names."""
        songs = self.songs
        named = random.choice(songs.styles.get(style) or songs.styles["other"])
        return {
            "pattern": random.choice(songs.patterns),
            "style": named,
            "does": random.choice(self.fitting(songs.does[mood], scene)),
            "heard": random.choice(self.fitting(songs.heard[mood], scene)),
        }

    def fitting(self, texts: Texts, scene: Scene) -> Texts:
        """Return the lines or parts of songs that may be said of the scene: in company nobody is missed."""
        unfitting: Texts = ()
        if is_told(scene) and scene.kind == "people" and scene.people != 1:
            unfitting = self.lonely
        elif is_told(scene) and scene.kind in ("animal", "bird"):
            unfitting = self.human
        return tuple(text for text in texts if not any(part in text for part in unfitting))

    def _named(self, scene: Scene) -> Texts:
        return self.things[scene.subject or scene.kind or ""]


def _air(reading: Reading, mood: Mood, random: Random, *, drawn: bool) -> Air:
    unfitting = _UNFITTING.get(mood, frozenset()) | (_OF_LIGHT if drawn else frozenset())
    told: list[Air] = [air for air in airs_of(reading) if air not in unfitting][:MOST_AIRS] or ["mixed"]
    if "mixed" not in told and len(told) < MOST_AIRS and "one colour" not in told:
        told.append("mixed")
    return random.choices(told, range(len(told), 0, -1))[0]


def is_told(scene: Scene) -> bool:
    """Return whether a caption says what is seen."""
    return scene.certainty == "sure"


def group_of(scene: Scene) -> str:
    """Return the group of sentences for a scene in which something is seen."""
    if scene.people:
        return "person" if scene.people == 1 else "company"
    if scene.subject is None and scene.kind in _GROUPS_OF_KINDS:
        return _GROUPS_OF_KINDS[scene.kind]
    return _GROUPS_OF_SUBJECTS.get(scene.subject or "") or _GROUPS[scene.kind or "animal"]


def patterns(words: Words, random: Random, *, seen: bool, without: Sequence[str]) -> Iterator[str]:
    """Yield patterns of titles that lack these fields, each as often as any other."""
    known = words.titles.seen if seen else words.titles.unseen
    fitting = [pattern for pattern in known if not any(name in pattern for name in without)]
    random.shuffle(fitting)
    for _, pattern in zip(range(_TRIES), cycle(fitting), strict=False):
        yield pattern


def by_day(titles: Iterator[str], reading: Reading, words: Sequence[str]) -> Iterator[str]:
    """Yield the titles, of a dim picture those without these words of the day."""
    dim = reading.brightness < _DIM
    return (title for title in titles if not (dim and any(word in title for word in words)))


def unfit(reading: Reading, colour: str) -> Texts:
    """Return the fields of titles that a picture without a telling colour has no words for."""
    return () if is_telling(reading, colour) else COLOUR_FIELDS


def unsayable(reading: Reading, colour: str) -> Texts:
    """Return the fields of airs that a picture has no words for, or only dull ones."""
    greys = () if is_coloured(reading) else ("{second}",)
    dull = ("{telling}", "{Telling}") if colour in DULL else ()
    return (*greys, *dull, *unfit(reading, colour))


def distinct(texts: Iterator[str], longest: int, most: int) -> Texts:
    """Return the first texts that differ and have at most `longest` characters, at most `most` of them."""
    found: dict[str, None] = {}
    for text in texts:
        if len(text) <= longest:
            found[text] = None
        if len(found) == most:
            break
    return tuple(found)


@cache
def words_of(language: str) -> Words:
    """Return the words of "english" or "korean"."""
    table = read_table("melodify_core.captioners.palette", f"{language}.toml")
    return TypeAdapter(Words).validate_python(table)
