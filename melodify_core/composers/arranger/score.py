"""A score as data: notes in beats, parts, chords, the plan of sections. No sound and no rules of composition."""

from dataclasses import dataclass

from melodify_core.models import Meter, Mode
from melodify_core.styles.style import Mix

DRUM_CHANNEL = 9
MODULATION, EXPRESSION = 1, 11  # MIDI controllers
BEND = 128  # stands among the controllers for the pitch wheel; its values are cents, at most 200 down or up
EARLY = 0.1  # beats by which a played note may be early
SCALES: dict[Mode, tuple[int, ...]] = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
# The tonics by pitch class, in the spelling with the fewer accidentals.
NAMES: dict[Mode, tuple[str, ...]] = {
    "major": ("C", "D flat", "D", "E flat", "E", "F", "G flat", "G", "A flat", "A", "B flat", "B"),
    "minor": ("C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "G sharp", "A", "B flat", "B"),
}


@dataclass(frozen=True, slots=True)
class Time:
    """A metre in quarters: its bar, how far strong beats are apart, what is felt as a beat, where a bar is split."""

    name: Meter
    bar: float
    strong: float
    beat: float
    half: float


TIMES: dict[Meter, Time] = {
    "4/4": Time("4/4", 4.0, 2.0, 1.0, 2.0),
    "3/4": Time("3/4", 3.0, 3.0, 1.0, 2.0),
    "6/8": Time("6/8", 3.0, 1.5, 1.5, 1.5),
}


@dataclass(frozen=True, slots=True)
class Note:
    """One note; `start` and `length` in beats from the beginning, `velocity` 1..127."""

    start: float
    length: float
    pitch: int
    velocity: int


@dataclass(frozen=True, slots=True)
class Part:
    """The part of one instrument.

    `program` is General MIDI's number, 0..127; `pan` 0 (left) .. 127; `volume`, `reverb` and `chorus` are controller
    values; `controls` are beats, controllers and values: the course of expression, vibrato and pitch.
    """

    name: str
    role: str  # lead, counter, chords, pad, bass or drums
    program: int
    channel: int
    pan: int
    volume: int
    reverb: int
    chorus: int
    notes: tuple[Note, ...]
    controls: tuple[tuple[float, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Chord:
    """A chord that sounds from `start` for `length` beats; pitch classes from the root up."""

    start: float
    length: float
    symbol: str  # Roman numeral, such as "ii7"
    classes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of whole bars: "intro", "A", "B", "break" or "ending". `energy` 0..1 is how full it plays."""

    name: str
    first_bar: int
    bars: int
    energy: float
    roles: frozenset[str]  # who plays
    comping: str = ""  # the pattern of the chords, where it differs from the rest of the piece


@dataclass(frozen=True, slots=True)
class Key:
    """Tonic as pitch class 0..11, and mode."""

    tonic: int
    mode: Mode

    @property
    def name(self) -> str:
        """The tonic's name, such as "E" or "B flat"."""
        return NAMES[self.mode][self.tonic]

    @property
    def classes(self) -> frozenset[int]:
        """The pitch classes of the scale."""
        return frozenset((self.tonic + step) % 12 for step in SCALES[self.mode])

    @property
    def semitones(self) -> frozenset[int]:
        """The two pitch classes whose removal makes the scale pentatonic: fourth and seventh, or second and sixth."""
        return frozenset((self.tonic + step) % 12 for step in ((5, 11) if self.mode == "major" else (2, 8)))


@dataclass(frozen=True, slots=True)
class Lift:
    """From this beat on, everything sounds so many semitones higher."""

    start: float
    semitones: int


@dataclass(frozen=True, slots=True)
class Score:
    """A whole piece. `seconds` is its length including the last chord's ring; `bpm` is its main tempo, in quarters.

    `tempos` are beats and the tempo from there on. `brightness` -1..1 is how bright the piece sounds, `mix` how its
    parts are put together.
    """

    style: str
    bpm: float
    seconds: float
    key: Key
    sections: tuple[Section, ...]
    chords: tuple[Chord, ...]
    parts: tuple[Part, ...]
    tempos: tuple[tuple[float, float], ...]
    brightness: float
    time: Time = TIMES["4/4"]
    lift: Lift | None = None
    mix: Mix = Mix()

    def lifted_by(self, beat: float) -> int:
        """Return how many semitones higher the piece is on a beat than in the key that it begins in."""
        return self.lift.semitones if self.lift and beat >= self.lift.start - EARLY else 0

    def written_pitch(self, note: Note) -> int:
        """Return the pitch in the key that the piece begins in."""
        return note.pitch - self.lifted_by(note.start)

    @property
    def beats_a_minute(self) -> int:
        """The tempo as it is felt: in 6/8 a beat is a dotted quarter."""
        return round(self.bpm / self.time.beat)

    def part(self, role: str) -> Part | None:
        """Return the part with a role, if the piece has one."""
        return next((part for part in self.parts if part.role == role), None)
