"""The Korean titles of at most 40 characters and captions of at most 300. The words are in korean.toml."""

from random import Random

from melodify_core.captioners.palette.feeling import Mood
from melodify_core.captioners.palette.notable import light_place, named_colours, notable, tone
from melodify_core.captioners.palette.reading import Reading
from melodify_core.captioners.palette.scenery import UNKNOWN, Scene
from melodify_core.captioners.palette.words import words_of

_FIRST_SYLLABLE, _FINALS, _RIEUL = 0xAC00, 28, 8


def title(reading: Reading, colour: str, mood: Mood, scene: Scene = UNKNOWN) -> str:
    """Return a title of the telling colour, and of what is seen where it is sure, else of the mood."""
    random, words = Random(reading.fingerprint), words_of("korean")
    adjective = random.choice(words.colours[colour][1:])
    noun = words.title_noun(scene) or random.choice(words.nouns[mood])
    return random.choice(words.titles).format(colour=adjective, noun=noun)


def caption(reading: Reading, mood: Mood, scene: Scene = UNKNOWN) -> str:
    """Return three to six sentences on the scene (if any), light and colours, notable features, and the mood.

    All colours' names end in 색, so their particles are those that follow a final consonant.
    """
    random, words = Random(reading.fingerprint + 1), words_of("korean")
    names = [words.colours[name][0] for name in named_colours(reading)]
    colours = f"{names[0]}과 {', '.join(names[1:])}" if len(names) > 1 else names[0]
    place = light_place(reading)
    lit, unlit = random.choice(words.openings if len(names) > 1 else words.whole)
    light = random.choice(words.light[place]) if place else ""
    shade = random.choice(words.tones[tone(reading)])
    opening = (lit if light else unlit).format(tone=shade, colours=colours, light=light)
    accent = words.colours[reading.accent][0] if reading.accent else ""
    seen = statement(scene, random)
    facts = [random.choice(words.notable[fact]).format(accent=accent) for fact in notable(reading, seen=bool(seen))]
    feeling = random.choice(words.feelings[mood])
    # Split, for a tone without a word leaves two spaces.
    return " ".join([*seen.split(), *opening.split(), *(f"{fact}." for fact in facts), feeling])


def statement(scene: Scene, random: Random) -> str:
    """Return a sentence or two on what is seen; nothing where nothing was."""
    if scene.kind is None:
        return ""
    words = words_of("korean")
    start, after_final, after_vowel, end = random.choice(
        words.sure if scene.certainty == "sure" else words.likely
    ).split("|")
    thing = words.thing(scene)
    particle = particle_after(thing, after_final, after_vowel)
    return start.format(thing=thing) + particle + end + (random.choice(words.night) if scene.night else "")


def particle_after(word: str, after_final: str, after_vowel: str) -> str:
    """Return the particle that follows a word in Hangul, by its last syllable's final consonant; ㄹ takes 로."""
    final = (ord(word[-1]) - _FIRST_SYLLABLE) % _FINALS
    return after_vowel if final == 0 or (final == _RIEUL and after_final == "으로") else after_final
