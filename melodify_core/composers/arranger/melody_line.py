"""Finds the pitches of a phrase: the cheapest path through the pitches of the scale, by dynamic programming."""

import math
from dataclasses import dataclass, replace
from random import Random

from melodify_core.composers.arranger.score import Key

LARGEST_LEAP = 9
# The cost of a move by semitones. Steps are free; the tritone, sevenths and larger leaps are almost excluded.
_LEAP_COSTS = (1.9, 0.0, 0.0, 1.3, 1.5, 2.1, 9.0, 2.6, 4.4, 4.8)
_NEVER = 1e6
_PARALLEL = 40.0


@dataclass(frozen=True, slots=True)
class Slot:
    """A note without a pitch yet, in beats; its wishes for a pitch, and what sounds under it."""

    start: float
    length: float
    strong: bool  # on the first or third beat
    target: float  # MIDI pitch of the contour
    move: int | None  # scale steps from the note before, as in the motif
    memory: int | None  # pitch at this place when the theme was last heard
    stable: bool  # ends a phrase
    tonic: bool  # ends the piece
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
    left_out: frozenset[int] = frozenset()  # pitch classes that are allowed only over chords that contain them


def scale_over(key: Key, chord: tuple[int, ...]) -> frozenset[int]:
    """Return the pitch classes that fit a chord: the scale, bent where the chord leaves it (harmonic minor)."""
    classes = set(key.classes)
    for one in set(chord) - key.classes:
        neighbours = [step for step in ((one - 1) % 12, (one + 1) % 12) if step in classes and step not in chord]
        classes -= set(neighbours[:1])
        classes.add(one)
    return frozenset(classes)


def line(rules: Rules, slots: list[Slot], previous: tuple[int, int] | None) -> list[int]:
    """Return a pitch for each slot. `previous` is the last pitch before them and the bass under it."""
    layers: list[dict[int, tuple[float, int]]] = []
    before = {previous[0]: (0.0, 0)} if previous else {}
    bass_before = previous[1] if previous else 0
    for slot in slots:
        layer: dict[int, tuple[float, int]] = {}
        for pitch in _choices(rules, slot):
            own = _own_cost(rules, slot, pitch)
            best, origin = _cheapest(rules, slot, before, pitch, bass_before) if before else (0.0, pitch)
            layer[pitch] = (best + own, origin)
        layers.append(layer)
        before, bass_before = layer, slot.bass
    return _walk_back(layers)


def _walk_back(layers: list[dict[int, tuple[float, int]]]) -> list[int]:
    pitch = min(layers[-1], key=lambda one: (layers[-1][one][0], one))
    pitches = [pitch]
    for layer in reversed(layers[1:]):
        pitch = layer[pitch][1]
        pitches.append(pitch)
    # The origin of the first layer is before the phrase.
    return pitches[::-1]


def _choices(rules: Rules, slot: Slot) -> list[int]:
    fitting = scale_over(rules.key, slot.chord) - (rules.left_out - set(slot.chord))
    if slot.tonic:
        fitting = frozenset({rules.key.tonic})
    return [pitch for pitch in range(rules.low, rules.high + 1) if pitch % 12 in fitting]


def _own_cost(rules: Rules, slot: Slot, pitch: int) -> float:
    one = pitch % 12
    cost = rules.random.random() * 0.7 + 0.32 * max(0.0, abs(pitch - slot.target) - 1.5)
    if slot.memory is not None:
        cost += min(4.0, 1.2 * abs(pitch - slot.memory))
    if one not in slot.chord:
        # Appoggiaturas make a tune interesting: short ones may be on strong beats.
        cost += 4.0 if slot.length >= 1.5 else 2.5 if slot.strong else 0.35
        # A semitone above a note of the chord is dissonant as long as it sounds.
        cost += 1.2 * slot.length * any((one - 1) % 12 == other for other in slot.chord)
    if one not in slot.later_chord:
        cost += 1.0
    if slot.stable:
        cost += 0.0 if one in slot.chord[:3] else 8.0
        cost += 0.4 if one == slot.chord[0] != rules.key.tonic else 0.0
    return cost


def _cheapest(
    rules: Rules, slot: Slot, before: dict[int, tuple[float, int]], pitch: int, bass_before: int
) -> tuple[float, int]:
    """Return the cost of the cheapest way to the pitch, and its previous pitch; the lowest of several."""
    belongs = pitch % 12 in slot.chord
    wished = None if slot.move is None else 1.75 * slot.move
    interval = (pitch - slot.bass) % 12
    may_be_parallel = rules.strict and slot.bass != bass_before and interval in (0, 7)
    best, origin = math.inf, 0
    # This is the innermost loop of the composer: a function call for each way would take half of its time.
    for old, (cost, _) in before.items():
        step = pitch - old
        size = abs(step)
        if size > LARGEST_LEAP:
            move = _NEVER + 100 * size
        else:
            move = _LEAP_COSTS[size]
            if size > 2 and not belongs:
                move += 2.5  # a note outside the chord is reached by step
            if wished is not None:
                move += min(3.6, 0.7 * abs(step - wished))
            if may_be_parallel and size and interval == (old - bass_before) % 12:
                move += _PARALLEL
        if cost + move < best or (cost + move == best and old < origin):
            best, origin = cost + move, old
    return best, origin
