"""The English titles of at most 40 characters and captions of at most 300. The words are in english.toml."""

from random import Random

from melodify_core.captioners.palette.feeling import Mood
from melodify_core.captioners.palette.notable import light_place, named_colours, notable, tone
from melodify_core.captioners.palette.reading import Reading
from melodify_core.captioners.palette.scenery import UNKNOWN, Scene
from melodify_core.captioners.palette.words import words_of


def title(reading: Reading, colour: str, mood: Mood, scene: Scene = UNKNOWN) -> str:
    """Return a title of the telling colour, and of what is seen where it is sure, else of the mood."""
    random, words = Random(reading.fingerprint), words_of("english")
    colour_noun, *adjectives = words.colours[colour]
    adjective, noun = random.choice(adjectives), words.title_noun(scene) or random.choice(words.nouns[mood])
    return random.choice(words.titles).format(adjective=adjective, noun=noun, colour=colour_noun.title())


def caption(reading: Reading, mood: Mood, scene: Scene = UNKNOWN) -> str:
    """Return what is seen, if anything, then light and colours, what is notable, the mood: a sentence each."""
    random, words = Random(reading.fingerprint + 1), words_of("english")
    names = [words.colours[name][0] for name in named_colours(reading)]
    colours = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
    place = light_place(reading)
    lit, unlit = random.choice(words.openings if len(names) > 1 else words.whole)
    # "Deep deep green" says it twice.
    own = [word for word in words.tones[tone(reading)] if word not in colours.split()]
    shade = random.choice(own or [""])
    light = random.choice(words.light[place]) if place else ""
    opening = (lit if light else unlit).format(tone=shade, colours=colours, light=light)
    accent = words.colours[reading.accent][0] if reading.accent else ""
    seen = statement(scene, random)
    facts = [random.choice(words.notable[fact]).format(accent=accent) for fact in notable(reading, seen=bool(seen))]
    middle = ", and ".join([*facts[:1], *(fact[0].lower() + fact[1:] for fact in facts[1:])])
    feeling = random.choice(words.feelings[mood])
    sentences = [seen, _capitalised(opening.strip()), f"{middle}." if middle else "", feeling]
    return " ".join(sentence for sentence in sentences if sentence)


def statement(scene: Scene, random: Random) -> str:
    """Return a sentence or two on what is seen; nothing where nothing was."""
    if scene.kind is None:
        return ""
    words = words_of("english")
    sentence = random.choice(words.sure if scene.certainty == "sure" else words.likely).format(thing=words.thing(scene))
    return sentence + (random.choice(words.night) if scene.night else "")


def _capitalised(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]
