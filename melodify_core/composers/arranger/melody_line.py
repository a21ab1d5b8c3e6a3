"""Finds the pitches of a phrase: draws a path through the pitches of the scale, as often as human tunes go that way.

The probability of a move comes from a table of human tunes. Contour, theme, chord and bass weigh on top of it. A pass
from the end to the beginning sums what may follow each pitch, so that the draw never runs into a dead end.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from random import Random

import numpy as np
import numpy.typing as npt

from melodify_core.composers.arranger.score import Key
from melodify_core.styles.intervals import CLASSES, LASTS, class_of, intervals, last_of
from melodify_core.styles.style import Moves

WIDEST = 12  # semitones
Weights = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
# Costs are natural logarithms of probabilities. A forbidden move stays possible, or there might be none.
_FORBIDDEN = 1e-7
# A tune over chords of its own repeats more and leaps less than the counts say: this makes up for it.
_TASTE = np.array((1.3, 1.3, 1.4, 1.4, 1.34, 1.28, 0.57, 1.28, 1.34, 1.4, 1.4, 1.3, 1.3, 1.0))
# Some tunes leap and turn back, others run on in steps. By how much a tune that leaps more than most has more of each
# interval, by its steps of the scale, and fewer in the direction of the last one, as natural logarithms.
_LEAPING = np.array((0.0, -0.15, 0.175, 0.35, 0.35, 0.35, 0.35))
_TURNING, _ONWARD = 0.3, 0.15
_START = last_of(class_of(-2))  # as if the tune had come down a step
# How often each last interval is, for the pass that does not know it yet.
_USUAL = np.array((0.1, 0.24, 0.28, 0.1, 0.13, 0.07, 0.08))
_KINDS = np.array([class_of(size) for size in range(-60, 61)], np.intp)


@dataclass(frozen=True, slots=True)
class Slot:
    """A note without a pitch yet, in beats; its wishes for a pitch, and what sounds under it."""

    start: float
    length: float
    strong: bool  # on a strong beat
    target: float  # MIDI pitch of the contour
    move: int | None  # scale steps from the note before, as in the motif
    memory: int | None  # pitch at this place when the theme was last heard
    stable: bool  # ends a phrase
    tonic: bool  # ends the piece
    hook: bool = False  # the move is what the theme is known by
    chord: tuple[int, ...] = ()
    later_chord: tuple[int, ...] = ()  # that sounds when the note ends
    bass: int = 0

    def over(self, chord: tuple[int, ...], later: tuple[int, ...], bass: int) -> "Slot":
        """Return the slot over these chords (pitch classes) and this bass (MIDI pitch)."""
        return replace(self, chord=chord, later_chord=later, bass=bass)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of the whole tune."""

    random: Random
    key: Key
    low: int
    high: int
    strict: bool  # no parallel fifths and octaves with the bass
    moves: Moves = "sung"
    left_out: frozenset[int] = frozenset()  # pitch classes that are allowed only over chords that contain them


def scale_over(key: Key, chord: tuple[int, ...]) -> frozenset[int]:
    """Return the pitch classes that fit a chord: the scale, bent where the chord leaves it (harmonic minor)."""
    classes = set(key.classes)
    for one in set(chord) - key.classes:
        neighbours = [step for step in ((one - 1) % 12, (one + 1) % 12) if step in classes and step not in chord]
        classes -= set(neighbours[:1])
        classes.add(one)
    return frozenset(classes)


@dataclass(frozen=True, slots=True)
class _Chords:
    """What a chord and the next one say about each pitch."""

    fits: Flags
    tones: Flags
    firm: Flags  # belongs to the chord's triad
    rubs: Flags  # a semitone above a note of the chord
    later: Flags  # belongs to the chord that sounds when the note ends


@dataclass(frozen=True, slots=True)
class _Layer:
    """What weighs on one slot: on each pitch, and on each way to it from another."""

    own: Weights
    ways: Weights | float
    strong: int
    tones: Places


def _character(random: Random) -> Weights:
    """Return by how much a tune has more or less of each move than most, by last interval and class."""
    leaps = random.gauss(0, 1)
    kinds = np.arange(CLASSES)
    lasts = np.array([0, *(1, -1) * (LASTS // 2)])
    onward = lasts[:, None] * np.sign(kinds - CLASSES // 2)
    tilts = leaps * _LEAPING[np.abs(kinds - CLASSES // 2)] + (_ONWARD - _TURNING * leaps) * onward
    return np.pad(np.exp(tilts), ((0, 0), (0, 1)), constant_values=1.0)[:, None, None, :]


class Line:
    """Draws the pitches of one tune, phrase by phrase."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._pitches = np.arange(rules.low, rules.high + 1)
        self._steps = self._pitches[None, :] - self._pitches[:, None]
        self._kinds = _KINDS[self._steps + _KINDS.size // 2]
        self._table = np.maximum(intervals(rules.moves) * _TASTE * _character(rules.random), _FORBIDDEN)
        self._usual = np.tensordot(_USUAL, self._table, axes=1)[..., self._kinds]
        self._chords: dict[tuple[tuple[int, ...], tuple[int, ...]], _Chords] = {}
        self._wished: dict[tuple[int, bool], Weights] = {}
        self._last = _START

    def draw(self, slots: list[Slot], previous: tuple[int, int] | None, high: int) -> list[int]:
        """Return a pitch up to `high` for each slot. `previous` is the last pitch before them and the bass under it."""
        basses = [previous[1] if previous else slots[0].bass, *(slot.bass for slot in slots)]
        layers = [self._layer(slot, bass, high) for slot, bass in zip(slots, basses, strict=False)]
        place = previous[0] - self._rules.low if previous else None
        places = []
        for layer, hope in zip(layers, self._ahead(layers), strict=True):
            weights = layer.own * hope
            if place is not None:
                moves = self._table[self._last, layer.strong, layer.tones, self._kinds[place]]
                weights *= moves * (layer.ways if isinstance(layer.ways, float) else layer.ways[place])
            sums = weights.cumsum()
            drawn = int(sums.searchsorted(self._rules.random.random() * sums[-1], side="right"))
            if place is not None:
                self._last = last_of(int(self._kinds[place, drawn]))
            place = drawn
            places.append(drawn)
        return [self._rules.low + place for place in places]

    def _ahead(self, layers: list[_Layer]) -> list[Weights]:
        """Return for each slot and pitch how likely it is that the rest goes well from there."""
        hope = np.ones(len(self._pitches))
        found = [hope]
        for layer in reversed(layers[1:]):
            weak, firm = self._usual[layer.strong]
            ways = np.where(layer.tones, firm, weak) * layer.ways
            hope = (ways * (layer.own * hope)).sum(axis=1)
            hope /= hope.max()
            found.append(hope)
        return found[::-1]

    def _layer(self, slot: Slot, bass_before: int, high: int) -> _Layer:
        over = self._over(slot)
        ways: Weights | float = 1.0
        if slot.move is not None:
            ways = self._ways(slot.move, slot.hook)
        if self._rules.strict and slot.bass != bass_before:
            ways = np.where(self._parallel(bass_before, slot.bass), _FORBIDDEN, ways)
        allowed = over.fits & (self._pitches <= high)
        if slot.tonic:
            allowed = allowed & (self._pitches % 12 == self._rules.key.tonic)
        return _Layer(np.exp(-self._costs(slot, over)) * allowed, ways, int(slot.strong), over.tones.astype(np.intp))

    def _ways(self, move: int, hook: bool) -> Weights:
        """Return how well each way is the wished move, in steps of the scale."""
        if (move, hook) not in self._wished:
            pull, most = (2.0, 8.0) if hook else (0.45, 2.4)
            self._wished[move, hook] = np.exp(-np.minimum(most, pull * np.abs(self._steps - 1.75 * move)))
        return self._wished[move, hook]

    def _parallel(self, old_bass: int, new_bass: int) -> Flags:
        """Return which ways are parallel fifths or octaves with the bass."""
        old, new = (self._pitches - old_bass) % 12, (self._pitches - new_bass) % 12
        flags: Flags = (old[:, None] == new) & ((new == 0) | (new == 7)) & (self._steps != 0)
        return flags

    def _over(self, slot: Slot) -> _Chords:
        asked = slot.chord, slot.later_chord
        if asked not in self._chords:
            fitting = scale_over(self._rules.key, slot.chord) - (self._rules.left_out - set(slot.chord))
            self._chords[asked] = _Chords(
                fits=self._among(fitting),
                tones=self._among(slot.chord),
                firm=self._among(slot.chord[:3]),
                rubs=self._among((one + 1) % 12 for one in slot.chord),
                later=self._among(slot.later_chord),
            )
        return self._chords[asked]

    def _among(self, classes: Iterable[int]) -> Flags:
        """Return which pitches belong to these classes."""
        flags = np.zeros(12, np.bool_)
        flags[list(classes)] = True
        return np.asarray(flags[self._pitches % 12], np.bool_)

    def _costs(self, slot: Slot, over: _Chords) -> Weights:
        costs = 0.27 * np.maximum(0.0, np.abs(self._pitches - slot.target) - 2.0)
        if slot.memory is not None:
            costs += np.minimum(6.0, 2.0 * np.abs(self._pitches - slot.memory))
        # Appoggiaturas make a tune interesting: short ones may be on strong beats.
        other = 4.0 if slot.length >= 1.5 else 2.5 if slot.strong else 0.3
        # What rubs against the chord is dissonant as long as it sounds.
        costs += ~over.tones * (other + 1.2 * slot.length * over.rubs)
        costs += ~over.later * 1.0
        if slot.stable:
            costs += ~over.firm * 8.0
        return np.asarray(costs, np.float64)
