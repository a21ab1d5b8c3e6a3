"""What a style file says: its tables and their keys, which jazz.toml explains to a musician.

Patterns go from calm to busy, instruments from dark to bright: arousal chooses among them.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from melodify_core.models import Meter, Mode
from melodify_core.styles.instruments import BASS, CHORDS, LEAD, Role, instruments
from melodify_core.styles.patterns import DRUMS, Beats, patterns
from melodify_core.styles.rooms import rooms

Moves = Literal["sung", "danced"]  # how the melody moves: intervals.py has a table of each
ALL: frozenset[Role] = frozenset(get_args(Role))
# What the embedded captioner can see: the eyes' kinds, and night.
Scene = Literal[
    "animal", "bird", "building", "city", "flower", "food", "forest", "furniture", "instrument", "machine", "mountain",
    "people", "plane", "sea", "ship", "sky", "snow", "stage", "train", "vehicle", "water", "night",
]  # fmt: skip
_PHRASE_BARS = 4
_CHORD = re.compile(r"b?(?:VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)(?:7sus|maj7|add9|sus2|sus|dim|h7|7|6)?")


def _one_of(what: str, names: Callable[[], Collection[str]]) -> AfterValidator:
    return AfterValidator(partial(_known, what, names))


def _known(what: str, names: Callable[[], Collection[str]], name: str) -> str:
    if name not in names():
        raise ValueError(f'"{name}" is not a known {what}; allowed are {", ".join(names())}')
    return name


def _expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f'"{text}" is not a regular expression: {error}') from error
    return text


def _rising(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError("the lower bound must come first")
    return bounds


def _some_chance(meters: dict[Meter, int]) -> dict[Meter, int]:
    if not any(meters.values()):
        raise ValueError("one metre must have a chance above 0")
    return meters


def _chords(phrase: str) -> str:
    for chord in phrase.replace("-", " ").split():
        if not _CHORD.fullmatch(chord):
            raise ValueError(f'"{chord}" is not a chord; write Roman numerals such as I, ii7, bVII and V7sus')
    return phrase


def _phrase(phrase: str) -> str:
    if len(phrase.split()) != _PHRASE_BARS:
        raise ValueError(f'"{phrase}" must have {_PHRASE_BARS} bars')
    return _chords(phrase)


def _bar(beats: Beats) -> Beats:
    for drum, steps in beats:
        signs = "Xx.#" if drum == DRUMS["crash"] else "Xx."
        if len(steps) not in (16, 32, 64) or set(steps) - set(signs):
            raise ValueError(
                f'"{steps}" must be 16 steps of X, x and ".", or 32 or 64 for two or four bars; # is for crashes'
            )
    return beats


def _families() -> Collection[str]:
    return dict.fromkeys(instrument.family for instrument in instruments().values())


_SOME = Field(min_length=1)
Text = Annotated[str, StringConstraints(min_length=1)]
Level = Annotated[float, Field(ge=-1.5, le=1.5)]
Controller = Annotated[int, Field(ge=0, le=127)]
_Beats = Annotated[int, Field(ge=20, le=300)]
Bpm = Annotated[tuple[_Beats, _Beats], AfterValidator(_rising)]
_Notes = Annotated[float, Field(ge=0.1, le=20, allow_inf_nan=False)]
Expressions = Annotated[tuple[Annotated[Text, AfterValidator(_expression)], ...], _SOME]
Players = tuple[Annotated[str, _one_of("instrument", instruments)], ...]
SomePlayers = Annotated[Players, _SOME]
Phrases = Annotated[tuple[Annotated[str, AfterValidator(_phrase)], ...], _SOME]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(_Table):
    """By which the style is found, in hints and in a brief."""

    english: Expressions
    korean: Expressions
    hint_priority: int = 1
    genres: tuple[Text, ...]
    instruments: tuple[Text, ...] = ()
    instrument_priority: int = 1


class Mood(_Table):
    """Where the style is at home, for a genre that nobody knows."""

    valence: Level
    arousal: Level
    priority: int = 1


class Picture(_Table):
    """The pictures that the style suits, for the embedded captioner."""

    valence: Level
    arousal: Level
    warmth: Level
    brightness: Level
    saturation: Level
    emptiness: Level
    still: bool = False
    scenes: frozenset[Scene] = frozenset()
    scene_instruments: Literal["all", "seen", "none"] = "seen"

    @property
    def home(self) -> tuple[float, ...]:
        """Return the six axes in their order."""
        return self.valence, self.arousal, self.warmth, self.brightness, self.saturation, self.emptiness


class Description(_Table):
    """What the embedded captioner writes into a brief, for whatever composer reads it."""

    genre: Text
    bpm: Bpm
    leads: tuple[Text, Text, Text]
    beds: tuple[Text, Text]
    basses: tuple[str, ...] = ()
    drums: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    shape: Text
    sound: Text


class Tempo(_Table):
    """How fast, and how the beat is divided."""

    bpm: Bpm
    slows_down: bool = True
    swing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    swung: Literal["eighths", "sixteenths"] = "eighths"


class Band(_Table):
    """Who plays: names of instruments by role."""

    lead: SomePlayers
    chords: SomePlayers
    pad: Players = ()
    bass: SomePlayers
    counter: Players = ()
    families: frozenset[Annotated[str, _one_of("family of instruments", _families)]]

    @property
    def solo(self) -> bool:
        """Return whether one instrument plays all."""
        return self.lead == self.chords

    @model_validator(mode="after")
    def _can_play(self) -> "Band":
        roles = {LEAD: (*self.lead, *self.counter), CHORDS: self.chords, BASS: () if self.solo else self.bass}
        wrong = [f'"{name}" plays no {role}' for role, names in roles.items() for name in names
                 if role not in instruments()[name].roles]  # fmt: skip
        if wrong:
            raise ValueError(", ".join(wrong))
        return self


class Form(_Table):
    """How a piece opens, and who plays in its break."""

    intros: Annotated[tuple[Annotated[str, _one_of("intro", lambda: patterns().intros)], ...], _SOME]
    break_roles: frozenset[Role] = ALL - {"drums", "counter"}
    lifts: bool = True  # the last chorus of a long piece is in a higher key
    # How often each metre is taken where the brief leaves it open.
    meters: Annotated[dict[Meter, Annotated[int, Field(ge=0)]], _SOME, AfterValidator(_some_chance)] = Field(
        default={"4/4": 1}
    )


class Accompaniment(_Table):
    """How chords are struck and how the bass goes."""

    comping: Annotated[tuple[Annotated[str, _one_of("comping", lambda: patterns().comping)], ...], _SOME]
    bass: Annotated[tuple[Annotated[str, _one_of("bass line", lambda: patterns().bass_lines)], ...], _SOME]
    voices: Annotated[int, Field(ge=3, le=4)] = 4
    riffs: bool = False  # one bass figure through the whole piece
    # What the pad's player strikes instead of holding the chords, calm to busy: a rhythm guitar.
    rhythm: tuple[Annotated[str, _one_of("comping", lambda: patterns().comping)], ...] = ()
    power: bool = False  # the rhythm guitar plays roots and fifths, low
    # How often chords are led to from outside of the scale, and the bass walks to them over thirds: 1 is the usual.
    colour: Annotated[float, Field(ge=0, le=1)] = 1.0
    # How far bass and chords are detached in a glad picture and bound in a sad one: 1 is the usual.
    articulated: Annotated[float, Field(ge=0, le=1)] = 1.0


class Tune(_Table):
    """How the melody goes."""

    notes_a_second: Annotated[tuple[_Notes, _Notes], AfterValidator(_rising)] = (0.8, 3.0)
    syncopated: bool = False
    moves: Moves = "sung"
    pentatonic: bool = False
    strict: bool = True
    vibrato: Controller = 0


Stem = Role
Room = Annotated[str, _one_of("room", rooms)]
Share = Annotated[float, Field(ge=0, le=1)]
# A style that says nothing about a stem gets these. LU against the whole: a tune that leads without being alone.
LEVELS: Mapping[Stem, float] = MappingProxyType({
    "lead": -4.8, "counter": -12.0, "chords": -7.0, "pad": -12.0, "bass": -5.7, "drums": -6.5,
})  # fmt: skip
PANS: Mapping[Stem, float] = MappingProxyType({"lead": 0.1, "counter": 0.5, "chords": -0.35})
WIDE: Mapping[Stem, float] = MappingProxyType({
    "lead": 0.25, "counter": 0.6, "chords": 0.9, "pad": 1.0,
})  # fmt: skip
NEAR: Mapping[Stem, float] = MappingProxyType({
    "lead": 0.25, "counter": 0.3, "chords": 0.3, "pad": 0.2, "bass": 0.05, "drums": 0.5,
})  # fmt: skip
FAR: Mapping[Stem, float] = MappingProxyType({
    "lead": 0.3, "counter": 0.4, "chords": 0.25, "pad": 0.4, "drums": 0.3,
})  # fmt: skip
# What a mood does to the mix. A listener's model hears a glad piece by its dry sound and its drums, and an excited one
# by its overtones: `make quality ARGS=tagger`. Powers of ten of what is sent to the rooms, and of the saturation.
DRIER, DRIVEN, DRUMS_LU = 1.0, 0.9, 3.0


class Mix(_Table):
    """How it sounds in the room: how loud each stem is against the whole, where it stands, and in which rooms."""

    brightness: Annotated[float, Field(ge=-1, le=1)] = 0.0
    reverb: Controller = 50
    rooms: tuple[Room, Room] = ("studio", "hall")
    saturation: Share = 0.3
    pump: Share = 0.0
    hiss: Annotated[float, Field(ge=-96, le=-40)] = -62.0  # dB of full scale
    levels: dict[Stem, Annotated[float, Field(ge=-40, le=0)]] = Field(default_factory=dict)
    pans: dict[Stem, Annotated[float, Field(ge=-1, le=1)]] = Field(default_factory=dict)
    wide: dict[Stem, Share] = Field(default_factory=dict)
    near: dict[Stem, Share] = Field(default_factory=dict)
    far: dict[Stem, Share] = Field(default_factory=dict)

    def channel(self, stem: Stem) -> "Channel":
        """Return how a stem is mixed: as the style says, else as usual."""
        return Channel(
            self.levels.get(stem, LEVELS[stem]),
            self.pans.get(stem, PANS.get(stem, 0.0)),
            self.wide.get(stem, WIDE.get(stem, 0.0)),
            self.near.get(stem, NEAR.get(stem, 0.0)),
            self.far.get(stem, FAR.get(stem, 0.0)),
        )

    def in_mood(self, valence: float, arousal: float) -> "Mix":
        """Return the mix of a piece that is so much gladder and more excited than the style's home, whose mix it is."""
        valence, arousal = (max(-1.0, min(1.0, more)) for more in (valence, arousal))
        # Drums stay in their rooms: between their strokes there would be silence.
        channels: dict[Stem, Channel] = {stem: self.channel(stem) for stem in get_args(Stem) if stem != "drums"}
        sent = 10 ** (-DRIER * valence)
        changed = {
            "near": self.near | {stem: min(1.0, sent * one.near) for stem, one in channels.items()},
            "far": self.far | {stem: min(1.0, sent * one.far) for stem, one in channels.items()},
            "levels": self.levels | {"drums": self.channel("drums").level + DRUMS_LU * valence},
            "saturation": min(1.0, self.saturation * 10 ** (DRIVEN * arousal)),
        }
        return self.model_copy(update=changed)


@dataclass(frozen=True, slots=True)
class Channel:
    """How one stem is mixed; shares are of its amplitude."""

    level: float  # LU against the whole
    pan: float  # -1 left .. 1 right
    wide: float  # share that comes from both sides at once
    near: float  # share that is sent to the near room
    far: float


class Drums(_Table):
    """The kit and what it beats; no grooves: no drums."""

    kit: Controller = 0
    name: str = ""
    fills: Annotated[str, _one_of("set of fills", lambda: patterns().fills)] = "kit"
    always: bool = False  # also for the calmest pictures
    grooves: dict[str, Annotated[Beats, AfterValidator(_bar)]] = Field(default_factory=dict)


class Progressions(_Table):
    """Chords in one mode."""

    home: Annotated[Phrases, Field(min_length=2)]
    away: Phrases
    cadences: Annotated[tuple[Annotated[str, AfterValidator(_chords)], ...], _SOME]
    last: Annotated[str, AfterValidator(_chords)]


class Harmony(_Table):
    """Chords in both modes."""

    major: Progressions
    minor: Progressions

    def of(self, mode: Mode) -> Progressions:
        """Return the chords of a mode."""
        return self.major if mode == "major" else self.minor


class Style(_Table):
    """How a style is found, described and played."""

    menu: int = 1000
    prompt: Text
    words: Words
    mood: Mood
    picture: Picture
    brief: Description
    tempo: Tempo
    instruments: Band
    form: Form
    accompaniment: Accompaniment
    tune: Tune = Tune()
    mix: Mix = Mix()
    drums: Drums = Drums()
    harmony: Harmony

    def is_named_by(self, name: str, genre: str) -> bool:
        """Return whether a genre names the style, by its own name or by its words."""
        return any(re.search(rf"\b{re.escape(word)}", genre.casefold()) for word in (name, *self.words.genres))
