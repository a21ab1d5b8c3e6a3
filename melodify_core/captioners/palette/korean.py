"""The Korean titles of at most 40 characters and captions of at most 300. The words are in korean.toml."""

import re
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

_OF_DAY = ("낮잠", "산책", "양지바른", "오후", "일요일", "점심")
_FIRST_SYLLABLE, _FINALS, _RIEUL = 0xAC00, 28, 8
# "|이|가|" after a word: the particle after a final consonant, and the one after a vowel.
_PARTICLES = re.compile(r"(\S)\|([^|]+)\|([^|]+)\|")


def titles(reading: Reading, colour: str, mood: Mood, scene: Scene = UNKNOWN) -> Texts:
    """Return distinct titles, the best first: of what is seen where it is sure, of the telling colour, of the mood."""
    found = by_day(_titles(reading, colour, mood, scene), reading, _OF_DAY)
    return distinct(found, TITLE_CHARACTERS, MOST_TITLES)


def _titles(reading: Reading, colour: str, mood: Mood, scene: Scene) -> Iterator[str]:
    random, words = Random(reading.fingerprint), words_of("korean")
    noun = words.title_noun(scene)
    hue, *shades = words.colours[colour]
    # Only who lives can be given something, in Korean, and to be fond of a person says much.
    living = scene.kind in ("animal", "bird", "people")
    without = [*unfit(reading, colour), *([] if living else ["에게"])]
    if scene.kind == "people":
        without += COLOUR_FIELDS
    if scene.people:
        without += ["좋아서", "오늘의", "주인공은", "풍경"]
    if scene.people > 1:
        without += ["만난 날", "생각하며", "곁에서", "들려준"]
    if scene.kind == "instrument":
        without.append("주인공은")  # it may not play
    if scene.subject == "big cat":
        without += ["좋아서", "들려준", "생각하며", "보낸 하루", "곁에서"]
    if scene.kind not in ("animal", "bird"):
        without += ["보낸 하루", "주의보", "등장", "관찰"]
    if colour in DULL:
        without += ["일요일", "산책"]
    for pattern in patterns(words, random, seen=bool(noun), without=without):
        yield with_particles(
            pattern.format(
                noun=noun,
                colour=random.choice(shades),
                hue=hue,
                line=random.choice(words.fitting(words.lines[mood], scene)),
            )
        )


def captions(reading: Reading, mood: Mood, style: str, scene: Scene = UNKNOWN) -> Texts:
    """Return distinct captions: what is seen, else what light and colours are like; and a sentence on the song.

    All colours' names end in 색, so their particles are those that follow a final consonant.
    """
    random = Random(reading.fingerprint + 1)
    return distinct(
        (_caption(reading, mood, style, scene, random) for _ in range(DRAFTS)), CAPTION_CHARACTERS, MOST_CAPTIONS
    )


def _caption(reading: Reading, mood: Mood, style: str, scene: Scene, random: Random) -> str:
    words = words_of("korean")
    shown = statement(scene, reading, random) if is_told(scene) else _looks(reading, mood, random, drawn=scene.drawn)
    told = words.song(style, mood, random, scene)
    return f"{shown} {with_particles(told.pop('pattern').format(**told))}"


def statement(scene: Scene, reading: Reading, random: Random) -> str:
    """Return a sentence or two on what is seen."""
    words = words_of("korean")
    light = random.choice(words.tints[tint(reading, night=scene.night)])
    sentence = words.sentence(scene, random).format(thing=words.thing(scene), light=light)
    # Split, for without a light a space is left.
    return " ".join(with_particles(sentence).split())


def _looks(reading: Reading, mood: Mood, random: Random, *, drawn: bool) -> str:
    words = words_of("korean")
    names = [words.colours[name][0] for name in named_colours(reading)]
    colour = telling_colour(reading)
    without = unsayable(reading, colour)
    said = words.look(reading, mood, random, without, drawn=drawn)
    return said.format(first=names[0], second=names[-1], telling=words.colours[colour][0])


def with_particles(text: str) -> str:
    """Return the text with the particle that fits in place of each pair."""
    return _PARTICLES.sub(lambda found: found[1] + particle_after(found[1], found[2], found[3]), text)


def particle_after(word: str, after_final: str, after_vowel: str) -> str:
    """Return the particle that follows a word in Hangul, by its last syllable's final consonant; ㄹ takes 로."""
    final = (ord(word[-1]) - _FIRST_SYLLABLE) % _FINALS
    return after_vowel if final == 0 or (final == _RIEUL and after_final == "으로") else after_final
