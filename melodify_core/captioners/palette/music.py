"""Reading, feeling and steering -> the musical fields: style, genre, instruments, tempo, arrangement, soundscape."""

from dataclasses import dataclass

from melodify_core.captioners.palette.feeling import Feeling, texture_score
from melodify_core.captioners.palette.notable import MIRRORED
from melodify_core.captioners.palette.reading import Reading
from melodify_core.captioners.palette.scenery import UNKNOWN, Scene, pull, touches_of, voices
from melodify_core.captioners.palette.steering import Steering

MOST_INSTRUMENTS = 6


@dataclass(frozen=True, slots=True)
class StyleProfile:
    """How a style sounds. Where there are several instruments, the picture chooses."""

    genre: str  # begins with a word that brief.STYLES and the arranger know
    bpm: tuple[int, int]
    leads: tuple[str, str, str]  # for low, middle and high valence
    beds: tuple[str, str]  # cool, warm
    basses: tuple[str, ...]  # still, moving; or one; or none
    drums: tuple[str, ...]  # still, moving; or one; or none
    colours: tuple[str, ...]  # further voices: dark, light; or none
    shape: str
    sound: str
    # Where the style is at home: valence, arousal, warmth, brightness, saturation, emptiness, each about -1..1.
    home: tuple[float, float, float, float, float, float]


STYLE_PROFILES: dict[str, StyleProfile] = {
    "lofi": StyleProfile(
        "lofi hip hop", (68, 92), ("jazz guitar", "vibraphone", "electric piano"), ("felt piano", "electric piano"),
        ("electric bass",), ("brushed drums", "drum kit"), ("warm pad", "celesta"),
        "short intro, a mellow loop that gains a voice every few bars, soft ending", "vinyl crackle, warm tape hiss",
        (0.1, -0.25, 0.4, -0.1, -0.1, 0.0),
    ),
    "ambient": StyleProfile(
        "ambient", (60, 84), ("halo pad", "flute", "celesta"), ("space pad", "warm pad"),
        ("fretless bass",), (), ("choir", "harp"),
        "slow swells without drums, one voice enters after another, long fading end", "very long reverb tail",
        (0.3, -0.9, -0.4, 0.6, -0.6, 0.9),
    ),
    "cinematic": StyleProfile(
        "cinematic strings", (64, 116), ("cello", "french horn", "violin"), ("string ensemble", "string ensemble"),
        ("cello", "upright bass"), ("", "timpani"), ("choir", "harp"),
        "quiet opening, steady build of layers, broad climax, held last chord", "large concert hall",
        (-0.5, 0.2, 0.0, -0.4, -0.2, -0.3),
    ),
    "piano": StyleProfile(
        "piano miniature", (60, 108), ("felt piano", "felt piano", "grand piano"), ("grand piano", "grand piano"),
        (), (), (), "theme, variation, return of the theme", "close microphones, soft hammer noise",
        (-0.3, -0.7, -0.1, -0.2, -0.75, 0.3),
    ),
    "jazz": StyleProfile(
        "jazz trio", (84, 150), ("muted trumpet", "saxophone", "vibraphone"), ("grand piano", "grand piano"),
        ("upright bass",), ("brushed drums", "drum kit"), (),
        "theme, two loose choruses, theme", "small club, dry and near",
        (0.0, 0.25, 0.8, -0.4, 0.5, -0.3),
    ),
    "folk": StyleProfile(
        "folk", (76, 124), ("violin", "harmonica", "flute"), ("nylon guitar", "fingerpicked guitar"),
        ("acoustic bass",), ("", "shaker"), ("cello", "accordion"),
        "picked intro, two verses with a brighter middle, soft close", "wooden room, finger noise on strings",
        (0.35, 0.05, 0.3, 0.15, 0.25, -0.35),
    ),
    "synthwave": StyleProfile(
        "synthwave", (84, 120), ("square lead", "saw lead", "saw lead"), ("synth strings", "polysynth"),
        ("synth bass",), ("drum machine",), ("sweep pad", "halo pad"),
        "pulsing intro, a hook over gated drums, break, hook again", "gated reverb, wide chorus",
        (-0.6, 0.5, -0.7, -0.7, 0.4, -0.3),
    ),
    "house": StyleProfile(
        "house", (112, 130), ("polysynth", "electric piano", "marimba"), ("polysynth", "electric piano"),
        ("synth bass",), ("drum machine",), ("synth strings", "warm pad"),
        "four-on-the-floor from the first bar, filtered build, release, short outro", "club system, tight low end",
        (0.6, 0.6, 0.4, 0.4, 0.9, -0.4),
    ),
    "bossa": StyleProfile(
        "bossa nova", (90, 132), ("clarinet", "nylon guitar", "flute"), ("electric piano", "nylon guitar"),
        ("upright bass",), ("shaker", "latin percussion"), ("vibraphone", "flute"),
        "guitar intro, theme, a turn of harmony, theme, light close", "open terrace, warm and near",
        (0.6, -0.1, 0.8, 0.6, 0.6, 0.0),
    ),
    "korean": StyleProfile(
        "korean traditional", (60, 112), ("haegeum", "bamboo flute", "gayageum"), ("gayageum", "gayageum"),
        (), ("", "janggu"), ("bamboo flute", "dulcimer"),
        "a slow call, a theme that is ornamented, the beat quickens, a held last tone", "wooden courtyard, long breath",
        (0.1, -0.55, 0.2, 0.2, -0.5, -0.1),
    ),
    "rock": StyleProfile(
        "rock", (84, 148), ("overdriven guitar", "electric guitar", "organ"), ("overdriven guitar", "electric guitar"),
        ("picked bass",), ("drum kit",), ("organ", "string ensemble"),
        "riff, verse, wide chorus, break, chorus", "live room, drums in front",
        (-0.5, 0.9, 0.5, -0.4, 0.4, -0.4),
    ),
    "funk": StyleProfile(
        "funk", (88, 120), ("electric piano", "saxophone", "trumpet"), ("clavinet", "muted guitar"),
        ("electric bass", "slap bass"), ("drum kit",), ("brass section", "organ"),
        "beat first, riff over riff, brass answers, stop and turn", "dry studio, tight and near",
        (0.4, 0.4, 0.8, -0.1, 1.1, -0.3),
    ),
    "reggae": StyleProfile(
        "reggae", (66, 120), ("harmonica", "organ", "steel drums"), ("organ", "electric guitar"),
        ("electric bass",), ("drum kit",), ("trombone", "clarinet"),
        "bass and drums first, off-beat chords, verse and chorus, easy close", "sunny yard, spring reverb",
        (0.6, -0.1, 0.1, 0.4, 1.0, 0.1),
    ),
    "chiptune": StyleProfile(
        "chiptune", (96, 150), ("square lead", "square lead", "saw lead"), ("pulse synth", "pulse synth"),
        ("square bass",), ("noise drums",), (),
        "short fanfare, theme, bridge, theme with runs", "one small loudspeaker, no room",
        (0.5, 0.7, -0.6, 0.5, 1.0, -0.4),
    ),
}  # fmt: skip
# What each axis of a home weighs: emptiness little, or all that is of one colour would sound alike.
_WEIGHTS = (1.0, 1.5, 1.0, 1.0, 0.8, 0.25)
# Below this arousal a style with a beat of its own is out of place.
_CALM = -0.5
_CALM_STYLES = ("ambient", "korean", "lofi", "piano")
_LIGHT = {
    "above": "the melody keeps to the high register", "below": "the low voices lead", "left": "calls with late answers",
    "right": "answers that come early", "centre": "one voice stands in the middle", "even": "all voices are blended",
}  # fmt: skip
_PERCUSSION = {
    "drum kit", "brushed drums", "drum machine", "shaker", "timpani", "latin percussion", "janggu", "noise drums"
}  # fmt: skip


def style_for(reading: Reading, feeling: Feeling, steering: Steering, wished: str, scene: Scene = UNKNOWN) -> str:
    """Return the wished style, else the hinted one, else the one with the nearest home, shifted by the scene."""
    if wished in STYLE_PROFILES:
        return wished
    if steering.style in STYLE_PROFILES:
        return steering.style
    place = (
        feeling.valence,
        feeling.arousal,
        reading.warmth,
        (reading.brightness - 0.55) / 0.35,
        min(1.2, (reading.saturation - 0.06) / 0.08),
        min(1.0, (reading.emptiness - 0.15) / 0.4),
    )

    def distance(style: str) -> float:
        axes = zip(_WEIGHTS, place, STYLE_PROFILES[style].home, strict=True)
        return sum(weight * (a - b) ** 2 for weight, a, b in axes) - pull(scene, style)

    return min(_CALM_STYLES if feeling.arousal < _CALM else STYLE_PROFILES, key=distance)


def instruments_for(
    style: str, reading: Reading, feeling: Feeling, steering: Steering, scene: Scene = UNKNOWN
) -> tuple[str, ...]:
    """Return one to six names: first the wished instruments, then a seen one, the style's and the scene's."""
    profile = STYLE_PROFILES[style]
    moving, light = feeling.arousal > 0, reading.brightness > 0.5
    third = 0 if feeling.valence < -0.2 else 1 if feeling.valence < 0.3 else 2
    own = [
        profile.leads[third],
        profile.beds[reading.warmth > 0],
        _one_of(profile.basses, moving),
        _one_of(profile.drums, moving),
        _one_of(profile.colours, light),
    ]
    seen, joining = voices(scene, style)
    denied = {_family(name) for name in steering.without}
    wanted = [
        name
        for name in dict.fromkeys([*steering.instruments, *seen, *own, *joining])
        if name and _family(name) not in denied
    ]
    return tuple(wanted[:MOST_INSTRUMENTS]) or (profile.leads[third],)


def bpm_for(style: str, reading: Reading, feeling: Feeling, steering: Steering) -> int:
    """Return the tempo, 60..150, from arousal, then texture and valence, within the style's range."""
    if steering.bpm:
        return steering.bpm
    low, high = STYLE_PROFILES[style].bpm
    drive = 0.5 + 0.36 * feeling.arousal + 0.06 * feeling.valence + 0.05 * texture_score(reading)
    return round(low + (high - low) * max(0.0, min(1.0, drive)))


def arrangement_for(style: str, reading: Reading) -> str:
    """Return the form and how the parts behave, as the picture's layout suggests."""
    clauses = [STYLE_PROFILES[style].shape]
    if style != "piano":
        clauses.append(_LIGHT[reading.light])
    if reading.symmetry > MIRRORED and reading.contrast > 0.05:
        clauses.append("phrases are mirrored")
    if reading.level_line is not None:
        clauses.append("a long pedal note lies under the theme")
    if reading.emptiness > 0.7:
        clauses.append("few notes and long rests")
    elif reading.edges > 0.25:
        clauses.append("busy inner voices")
    clauses.append("strong dynamic contrasts" if reading.contrast > 0.2 else "even dynamics")
    return "; ".join(clauses)


def soundscape_for(style: str, reading: Reading, scene: Scene = UNKNOWN) -> str:
    """Return the sound around the notes, as the scene, light, warmth and texture suggest."""
    room = (
        "wide reverb" if reading.emptiness > 0.5 else "medium reverb" if reading.edges < 0.25 else "dense, near space"
    )
    tone = (
        "warm rounded highs"
        if reading.warmth > 0.15
        else "cool glassy highs"
        if reading.warmth < -0.15
        else "neutral tone"
    )
    top = "dark muffled top" if reading.brightness < 0.35 else "open airy top" if reading.brightness > 0.7 else ""
    grain = "fine grain" if texture_score(reading) > 0.5 else "smooth surface" if texture_score(reading) < -0.8 else ""
    scenery = [touch.sound for touch in touches_of(scene)]
    return ", ".join(part for part in (STYLE_PROFILES[style].sound, *scenery, room, tone, top, grain) if part)


def _family(instrument: str) -> str:
    """Return the family of an instrument, so that "no guitar" excludes a nylon guitar too."""
    return "drums" if instrument in _PERCUSSION else instrument.rpartition(" ")[2]


def _one_of(choices: tuple[str, ...], second: bool) -> str:
    return choices[second and len(choices) > 1] if choices else ""
