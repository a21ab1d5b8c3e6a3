"""The styles as data: tempo range, instruments by role, patterns, habits. How they are played stands elsewhere.

Tuples of patterns go from calm to busy, tuples of instruments from dark to bright: arousal chooses.
"""

import re
from dataclasses import dataclass

_ALL = frozenset({"lead", "chords", "pad", "bass", "drums"})
_ACOUSTIC = frozenset({"piano", "keys", "mallets", "guitar", "strings", "winds", "voices", "plucked"})
_ELECTRIC = frozenset({"piano", "keys", "mallets", "guitar", "strings", "winds", "voices", "plucked", "synth", "pads"})


@dataclass(frozen=True, slots=True)
class Style:
    """How a style sounds."""

    words: tuple[str, ...]  # found in a genre
    bpm: tuple[int, int]
    lead: tuple[str, ...]
    chords: tuple[str, ...]
    pad: tuple[str, ...]  # none: no pad
    bass: tuple[str, ...]
    families: frozenset[str]  # of the instruments that a brief may bring in
    vocabulary: str  # of harmony
    comping: tuple[str, ...]
    bass_lines: tuple[str, ...]
    grooves: tuple[str, ...] = ()  # none: no drums
    kit: int = 0  # General MIDI's drum kit
    kit_name: str = ""
    swing: float = 0.0  # how late the off-beat comes, in parts of its unit
    swing_unit: float = 1.0  # beats: 1 swings the eighths, 0.5 the sixteenths
    notes_a_second: tuple[float, float] = (0.8, 3.0)  # of the tune, from calm to excited
    syncopated: bool = False  # the tune
    strict: bool = True  # no parallel fifths and octaves between bass and tune
    slows_down: bool = True  # before the last chord
    brightness: float = 0.0  # -1..1, where the style starts from
    reverb: int = 50
    voices: int = 4  # of a chord; dense sounds need fewer
    intro: frozenset[str] = frozenset({"chords", "pad"})
    break_: frozenset[str] = _ALL - {"drums"}
    lead_octave: int = 0


STYLES: dict[str, Style] = {
    "lofi": Style(
        words=("lofi", "lo-fi", "lo fi", "hip hop", "hiphop", "hip-hop", "chill", "beats", "trip hop", "r&b", "soul"),
        bpm=(66, 96),
        lead=("electric piano", "vibraphone", "music box", "jazz guitar", "flute"),
        chords=("electric piano", "jazz guitar", "felt piano"),
        pad=("warm pad",),
        bass=("electric bass", "upright bass", "fretless bass"),
        families=_ELECTRIC,
        vocabulary="sevenths",
        comping=("lazy", "mellow", "charleston", "comped"),
        bass_lines=("halves", "lazy", "dotted", "bounce"),
        grooves=("lofi slow", "lofi", "lofi busy"),
        kit=0,
        kit_name="drum kit",
        swing=0.16,
        swing_unit=0.5,
        notes_a_second=(0.7, 2.4),
        syncopated=True,
        slows_down=False,
        brightness=-0.45,
        reverb=44,
    ),
    "ambient": Style(
        words=("ambient", "drone", "meditat", "atmospher", "new age", "soundscape", "ethereal", "drift", "sleep",
               "dream pop", "shoegaze", "space"),
        bpm=(54, 88),
        lead=("electric piano", "celesta", "pan flute", "crystal", "flute"),
        chords=("warm pad", "halo pad", "space pad"),
        pad=("sweep pad", "slow strings", "choir"),
        bass=("bass drone", "fretless bass"),
        families=_ELECTRIC,
        vocabulary="modal",
        comping=("held", "swelled", "halves"),
        bass_lines=("held", "held", "halves"),
        notes_a_second=(0.45, 1.6),
        brightness=-0.1,
        reverb=110,
        intro=frozenset({"chords", "pad", "bass"}),
    ),
    "cinematic": Style(
        words=("cinematic", "orchestr", "epic", "film", "score", "classical", "symphon", "string", "trailer", "baroque",
               "fantasy", "soundtrack", "waltz", "march", "choral"),
        bpm=(60, 132),
        lead=("cello", "french horn", "violin", "flute", "oboe"),
        chords=("harp", "string ensemble", "tremolo strings"),
        pad=("slow strings", "choir"),
        bass=("low strings",),
        families=_ACOUSTIC,
        vocabulary="functional",
        comping=("held", "halves", "arpeggio", "quarters", "eighths"),
        bass_lines=("held", "halves", "two", "pulse"),
        grooves=("toms", "march", "battle"),
        kit=48,
        kit_name="orchestral percussion",
        notes_a_second=(0.7, 2.6),
        reverb=90,
        voices=3,
    ),
    "piano": Style(
        words=("piano", "ballad", "nocturne", "miniature", "étude", "etude", "lullaby", "neoclassical"),
        bpm=(56, 126),
        lead=("grand piano",),
        chords=("grand piano",),
        pad=(),
        bass=("grand piano",),
        families=frozenset({"piano"}),
        vocabulary="functional",
        comping=("sparse broken", "broken", "alberti", "arpeggio"),
        bass_lines=("held", "halves", "two"),
        notes_a_second=(0.9, 3.4),
        reverb=64,
        intro=frozenset({"chords", "bass"}),
        break_=_ALL,
    ),
    "jazz": Style(
        words=("jazz", "swing", "bossa", "bebop", "blues", "lounge", "ragtime", "big band", "latin", "noir"),
        bpm=(84, 176),
        lead=("vibraphone", "jazz guitar", "clarinet", "muted trumpet", "saxophone"),
        chords=("jazz guitar", "grand piano"),
        pad=(),
        bass=("upright bass",),
        families=_ACOUSTIC,
        vocabulary="jazz",
        comping=("late", "charleston", "comped"),
        bass_lines=("two", "two and", "walk"),
        grooves=("brushes", "swing", "swing busy"),
        kit=40,
        kit_name="brushed drums",
        swing=0.3,
        notes_a_second=(1.0, 3.6),
        syncopated=True,
        brightness=-0.05,
        reverb=40,
        intro=frozenset({"chords", "bass", "drums"}),
    ),
    "folk": Style(
        words=("folk", "acoustic", "country", "singer", "celtic", "campfire", "guitar", "bluegrass", "indie", "irish",
               "americana", "ukulele", "traditional", "world", "pastoral"),
        bpm=(68, 138),
        lead=("violin", "clarinet", "flute", "accordion", "harmonica"),
        chords=("nylon guitar", "acoustic guitar"),
        pad=("slow strings",),
        bass=("acoustic bass",),
        families=_ACOUSTIC,
        vocabulary="plain",
        comping=("sparse broken", "picked", "arpeggio", "strummed"),
        bass_lines=("halves", "two", "two and"),
        grooves=("shaker", "stomp", "campfire"),
        kit_name="hand percussion",
        notes_a_second=(0.9, 3.2),
        reverb=46,
    ),
    "synthwave": Style(
        words=("synthwave", "synth", "retro", "80s", "electro", "vaporwave", "cyber", "chiptune", "8-bit", "arcade",
               "new wave", "darkwave", "industrial", "rock", "metal"),
        bpm=(78, 128),
        lead=("square lead", "solo synth", "saw lead", "synth brass"),
        chords=("polysynth", "synth brass"),
        pad=("warm pad", "synth strings"),
        bass=("synth bass",),
        families=_ELECTRIC,
        vocabulary="loops",
        comping=("halves", "arpeggio", "eighths", "gated", "rolling"),
        bass_lines=("dotted", "pulse", "octaves", "sixteenths"),
        grooves=("drive", "retro", "retro busy"),
        kit=24,
        kit_name="drum machine",
        notes_a_second=(0.8, 3.0),
        strict=False,
        slows_down=False,
        brightness=0.1,
        reverb=58,
        voices=3,
        intro=frozenset({"chords", "pad", "bass"}),
    ),
    "house": Style(
        words=("house", "dance", "techno", "edm", "club", "trance", "disco", "pop", "garage", "drum and bass", "funk",
               "tropical", "party"),
        bpm=(112, 132),
        lead=("electric piano", "marimba", "solo synth", "bright synth"),
        chords=("electric piano", "polysynth", "grand piano"),
        pad=("warm pad", "synth strings"),
        bass=("synth bass",),
        families=_ELECTRIC,
        vocabulary="loops",
        comping=("charleston", "offbeats", "stabs"),
        bass_lines=("offbeat", "bounce", "octaves"),
        grooves=("four soft", "four", "four busy"),
        kit=25,
        kit_name="drum machine",
        notes_a_second=(1.0, 3.2),
        syncopated=True,
        strict=False,
        slows_down=False,
        brightness=0.1,
        reverb=44,
        intro=frozenset({"chords", "pad", "drums"}),
    ),
}  # fmt: skip
FALLBACK = "piano"


def style_of(wished: str, genre: str) -> str:
    """Return the wished style, else the one whose words the genre names first, else the piano, which suits all."""
    if wished in STYLES:
        return wished
    text = genre.casefold()
    found = [
        (match.start(), -len(word), name)
        for name, style in STYLES.items()
        for word in (name, *style.words)
        if (match := re.search(rf"\b{re.escape(word)}", text))
    ]
    return min(found)[2] if found else FALLBACK
