"""What a style is: the fields of the tables in acoustic.py and electric.py.

Tuples of patterns go from calm to busy, tuples of instruments from dark to bright: arousal chooses among them.
"""

from dataclasses import dataclass

ALL = frozenset({"lead", "counter", "chords", "pad", "bass", "drums"})
ACOUSTIC = frozenset({"piano", "keys", "mallets", "guitar", "strings", "winds", "voices", "plucked"})
ELECTRIC = ACOUSTIC | {"electric", "synth", "pads", "chip"}


@dataclass(frozen=True, slots=True)
class Style:
    """How a style sounds."""

    words: tuple[str, ...]  # found in a genre
    home: tuple[float, float]  # valence and arousal of the pictures it suits best, for genres that nobody knows
    bpm: tuple[int, int]
    lead: tuple[str, ...]
    chords: tuple[str, ...]
    pad: tuple[str, ...]  # none: no pad
    bass: tuple[str, ...]
    families: frozenset[str]  # of the instruments that a brief may bring in
    vocabulary: str  # of harmony
    comping: tuple[str, ...]
    bass_lines: tuple[str, ...]
    intros: tuple[str, ...]  # of form.INTROS
    counter: tuple[str, ...] = ()  # plays a second voice; none: nobody does
    grooves: tuple[str, ...] = ()  # none: no drums
    fills: str = "kit"
    kit: int = 0  # General MIDI's drum kit
    kit_name: str = ""
    swing: float = 0.0  # how late the off-beat comes, in parts of its unit
    swing_unit: float = 1.0  # beats: 1 swings the eighths, 0.5 the sixteenths
    notes_a_second: tuple[float, float] = (0.8, 3.0)  # of the tune, from calm to excited
    syncopated: bool = False  # the tune
    pentatonic: bool = False  # the tune leaves out the two degrees that make semitones
    strict: bool = True  # no parallel fifths and octaves between bass and tune
    slows_down: bool = True  # before the last chord
    vibrato: int = 0  # modulation of long held notes, 0..127
    brightness: float = 0.0  # -1..1, where the style starts from
    reverb: int = 50
    voices: int = 4  # of a chord; dense sounds need fewer
    break_: frozenset[str] = ALL - {"drums", "counter"}
