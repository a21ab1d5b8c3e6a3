"""The English words of the palette: titles of at most 40 characters, captions of at most 300."""

from random import Random

from melodify_core.captioners.palette.english_scenes import statement, title_noun
from melodify_core.captioners.palette.feeling import Mood
from melodify_core.captioners.palette.notable import Tone, light_place, named_colours, notable, tone
from melodify_core.captioners.palette.reading import Reading
from melodify_core.captioners.palette.scenery import UNKNOWN, Scene

# Per colour: as a noun, then as adjectives for titles.
COLOURS: dict[str, tuple[str, ...]] = {
    "black": ("black", "Ink", "Midnight"),
    "charcoal": ("charcoal", "Charcoal", "Cinder"),
    "grey": ("grey", "Ashen", "Grey"),
    "silver": ("silver grey", "Silver", "Pewter"),
    "white": ("white", "White", "Pale"),
    "cream": ("cream", "Ivory", "Cream"),
    "beige": ("beige", "Sand", "Linen"),
    "brown": ("brown", "Umber", "Walnut"),
    "rust": ("rust", "Rust", "Copper"),
    "red": ("red", "Scarlet", "Red"),
    "crimson": ("crimson", "Crimson", "Garnet"),
    "coral": ("coral", "Coral", "Peach"),
    "orange": ("orange", "Tangerine", "Orange"),
    "amber": ("amber", "Amber", "Honey"),
    "yellow": ("yellow", "Golden", "Yellow"),
    "olive": ("olive", "Olive", "Moss"),
    "lime": ("lime green", "Lime", "Spring Green"),
    "green": ("green", "Green", "Verdant"),
    "forest": ("deep green", "Evergreen", "Deep Green"),
    "teal": ("teal", "Teal", "Petrol"),
    "mint": ("mint", "Mint", "Jade"),
    "sky": ("light blue", "Pale Blue", "Azure"),
    "blue": ("blue", "Blue", "Cobalt"),
    "navy": ("navy", "Navy", "Indigo"),
    "lavender": ("lavender", "Lavender", "Lilac"),
    "violet": ("violet", "Violet", "Purple"),
    "plum": ("plum", "Plum", "Mulberry"),
    "magenta": ("magenta", "Magenta", "Fuchsia"),
    "pink": ("pink", "Rose", "Pink"),
}
_NOUNS: dict[Mood, tuple[str, ...]] = {
    "content": ("Afternoon", "Warmth", "Homecoming", "Letter", "Ease", "Song", "Sunday", "Hearth"),
    "joyful": ("Parade", "Carousel", "Holiday", "Sparks", "Laughter", "Skipping", "Confetti", "Somersault"),
    "excited": ("Rush", "Voltage", "Fever", "Overdrive", "Chase", "Pulse", "Ignition", "Sprint"),
    "tense": ("Undercurrent", "Static", "Alarm", "Friction", "Storm Line", "Restlessness", "Countdown", "Faultline"),
    "sombre": ("Shadow", "Weight", "Lament", "Vigil", "Farewell", "Ember", "Gravity", "Requiem"),
    "melancholic": ("Nocturne", "Solitude", "Afterglow", "Longing", "Elegy", "Distance", "Remembrance", "Undertow"),
    "still": ("Stillness", "Hush", "Slumber", "Pause", "Silence", "Breath", "Dormancy", "Held Note"),
    "serene": ("Calm", "Daydream", "Lullaby", "Drift", "Reverie", "Quiet", "Slow Tide", "Open Window"),
    "balanced": ("Interlude", "Study", "Passage", "Prelude", "Sketch", "Middle Ground", "Threshold", "Crossing"),
}
# The first is for adjectives, the second for the noun.
_TITLES = ("{adjective} {noun}", "{adjective} {noun}", "{noun} in {colour}")
_TONES: dict[Tone, tuple[str, ...]] = {
    "dark": ("dark", "deep", "shadowy"),
    "muted": ("muted", "subdued"),
    "pale": ("pale", "delicate"),
    "bright": ("bright", "luminous"),
    "plain": ("",),
}
_OPENINGS = (
    "{tone} shades of {colours}{light}.",
    "{colours} fill the frame{light}.",
    "{tone} {colours}{light}.",
)
_WHOLE = (
    "{colours} from edge to edge{light}.",
    "hardly anything but {colours}{light}.",
    "one field of {colours}{light}.",
)
_LIGHT: dict[str, tuple[str, ...]] = {
    "above": ("lightest along the top", "with the light gathered above"),
    "below": ("lightest along the bottom", "with the light gathered below"),
    "left": ("with more light on the left", "lightest on the left"),
    "right": ("with more light on the right", "lightest on the right"),
    "centre": ("with the light in the middle", "lightest in the middle"),
    "even": ("evenly lit", "in even light"),
}
_NOTABLE: dict[str, tuple[str, ...]] = {
    "accent": ("A spark of {accent} stands out", "A little {accent} catches the eye"),
    "line high": ("A level line runs high across it", "One level line divides it near the top"),
    "line middle": ("A level line cuts it in half", "One level line divides it in the middle"),
    "line low": ("A level line runs low across it", "One level line divides it near the bottom"),
    "mirrored": ("The left half mirrors the right", "Left and right answer each other"),
    "bare": ("No shape breaks it", "Nothing interrupts it"),
    "empty": ("Most of it is free of detail", "Wide parts of it are left plain"),
    "crowded": ("Fine detail crowds every part", "Edges fill it from corner to corner"),
    "upright": ("Upright lines set the beat", "Its lines stand upright"),
    "level": ("Its lines lie level", "Level lines run through it"),
    "slanting": ("Slanting lines pull across it", "Its lines lean to one side"),
    "centred": ("The weight sits in the middle", "The middle carries the weight"),
    "to one side": ("The weight leans to one side", "It leans off balance"),
    "vivid": ("The colours are vivid", "Its colours are strong and clear"),
    "vivid alone": ("The colour is vivid", "It is a strong, clear colour"),
    "high contrast": ("Light and dark stand far apart", "The contrasts are strong"),
    "some light": ("A little light breaks the dark", "Some of it shines out of the dark"),
    "some dark": ("A little dark stands out on the light ground", "Some of it is dark on the light ground"),
    "soft": ("Light and dark melt into each other", "The contrasts are soft"),
    "plain": ("Its parts are evenly spread", "No part of it outweighs the others"),
}
_FEELINGS: dict[Mood, tuple[str, ...]] = {
    "content": (
        "It feels warm and at ease.",
        "The mood is kind and settled.",
        "It sounds like a good hour of the day.",
    ),
    "joyful": ("It feels glad and wide awake.", "The mood is bright and light-footed.", "It wants to dance."),
    "excited": ("It feels charged and quick.", "The mood is all forward motion.", "It can hardly keep still."),
    "tense": ("It feels restless and sharp.", "The mood is wound tight.", "Something in it presses on."),
    "sombre": ("It feels heavy and grave.", "The mood is sombre and slow to lift.", "It keeps its head down."),
    "melancholic": ("It feels hushed and a little lonely.", "The mood is low and thoughtful.", "It looks back."),
    "still": ("It feels almost motionless.", "The mood is quiet to the point of silence.", "It holds its breath."),
    "serene": ("It feels calm and open.", "The mood is peaceful.", "It breathes slowly."),
    "balanced": ("It feels neither glad nor sad.", "The mood is even and patient.", "It waits to be told where to go."),
}


def title(reading: Reading, colour: str, mood: Mood, scene: Scene = UNKNOWN) -> str:
    """Return a title from the dominant colour, and from the scene where it is certain, else from the mood."""
    random = Random(reading.fingerprint)
    adjective, noun = random.choice(COLOURS[colour][1:]), title_noun(scene) or random.choice(_NOUNS[mood])
    return random.choice(_TITLES).format(adjective=adjective, noun=noun, colour=COLOURS[colour][0].title())


def caption(reading: Reading, mood: Mood, scene: Scene = UNKNOWN) -> str:
    """Return a sentence each on the scene (if any), light and colours, notable features, and the mood."""
    random = Random(reading.fingerprint + 1)
    names = [COLOURS[name][0] for name in named_colours(reading)]
    colours = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
    place = light_place(reading)
    opening = random.choice(_OPENINGS if len(names) > 1 else _WHOLE).format(
        # Avoid "deep deep green".
        tone=random.choice([word for word in _TONES[tone(reading)] if word not in colours.split()] or [""]),
        colours=colours,
        light=f", {random.choice(_LIGHT[place])}" if place else "",
    )
    accent = COLOURS[reading.accent][0] if reading.accent else ""
    seen = statement(scene, random)
    facts = [random.choice(_NOTABLE[fact]).format(accent=accent) for fact in notable(reading, seen=bool(seen))]
    middle = ", and ".join([*facts[:1], *(fact[0].lower() + fact[1:] for fact in facts[1:])])
    sentences = [seen, _capitalised(opening.strip()), f"{middle}." if middle else "", random.choice(_FEELINGS[mood])]
    return " ".join(sentence for sentence in sentences if sentence)


def _capitalised(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]
