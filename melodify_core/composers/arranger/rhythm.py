"""The accompaniment: chords in the patterns of a style, bass lines, drums with fills. The patterns are data."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from melodify_core.composers.arranger.density import Arrangement, PatternSet
from melodify_core.composers.arranger.form import Bar, bar_at
from melodify_core.composers.arranger.harmony import Voicing
from melodify_core.composers.arranger.score import Chord, Key, Note
from melodify_core.composers.arranger.walking import LOWEST_BASS
from melodify_core.styles.patterns import DRUMS, TIMPANI, Beats, Hit, patterns

HAT, CRASH = DRUMS["hat"], DRUMS["crash"]
BUSY = 4  # so many strokes a bar are too many for a break
# The last chord is rolled upwards, with so many beats between its tones.
ROLLS = (0.0, 0.04, 0.08, 0.25)
STEPS_A_BEAT = 4
# How long a stroke is held, in beats, and a crash, in bars, before a hand is on it.
STROKE, STOPPED, RUNG = 0.2, 0.4, 2


def comping(random: Random, bars: tuple[Bar, ...], chords: tuple[Chord, ...], voicings: list[Voicing],
            chosen: Arrangement, velocity: int) -> list[Note]:  # fmt: skip
    """Return the chords, struck by the patterns; the last one is rolled upwards and held."""
    notes: list[Note] = []
    roll = random.choice(ROLLS)
    for bar in bars:
        if bar.final:
            notes += _rolled(bar, voicings[-1], velocity, roll)
        elif "chords" in bar.section.roles:
            pattern = chosen.book.strikes(_thinned(chosen.of(bar.section), bar), bar.number)
            notes += _struck(bar, chords, voicings, pattern, _touch(velocity, bar))
    return notes


def strummed(bars: tuple[Bar, ...], chords: tuple[Chord, ...], voicings: list[Voicing],
             chosen: Arrangement, names: tuple[str, ...], velocity: int) -> list[Note]:  # fmt: skip
    """Return a rhythm guitar: patterns of its own, as busy as the chords', wherever chords or pad play."""
    notes: list[Note] = []
    for bar in bars:
        if bar.final:
            notes += _rolled(bar, voicings[-1], velocity, 0.0)
        elif bar.section.roles & {"chords", "pad"}:
            name = names[0] if bar.section.name == "break" else chosen.as_busy(bar.section, names)
            pattern = chosen.book.strikes(name, bar.number)
            notes += _struck(bar, chords, voicings, pattern, _touch(velocity, bar), changes=False)
    return notes


def _thinned(patterns: PatternSet, bar: Bar) -> str:
    """Return the pattern of an intro or a break instead of the usual one."""
    if bar.section.comping:
        return bar.section.comping
    return "halves" if bar.section.name == "break" and patterns.strokes >= BUSY else patterns.comping


def _struck(
    bar: Bar,
    chords: tuple[Chord, ...],
    voicings: list[Voicing],
    pattern: tuple[Hit, ...],
    velocity: int,
    changes: bool = True,
) -> Iterator[Note]:
    """Yield the notes of a bar. `changes`: a second chord is struck where it begins, also off the pattern."""
    here = [(chord, voicings[n]) for n, chord in enumerate(chords) if bar.start <= chord.start < bar.start + bar.beats]
    for chord, voicing in here:
        later = changes and here[0][0] is not chord
        hits = _within(pattern, chord.start - bar.start, chord.length, later)
        for at, length, who in hits:
            accent = 4 if at % 2 == 0 else 0
            for pitch in _chosen(voicing, who):
                yield Note(bar.start + at, length, pitch, velocity + accent)


def _within(pattern: tuple[Hit, ...], start: float, length: float, later: bool) -> list[tuple[float, float, str]]:
    """Return the hits inside a chord that begins at beat `start` of the bar; a later chord is struck on its start."""
    end = start + length
    hits = [
        (hit.at, min(hit.length, end - hit.at) if hit.length else end - hit.at, hit.who)
        for hit in pattern
        if start <= hit.at < end
    ]
    if later and not any(at <= start + 0.5 for at, _, _ in hits):
        hits.insert(0, (start, min(length, 1.0), "a"))
    return hits


def _chosen(voicing: Voicing, who: str) -> Voicing:
    match who:
        case "a":
            return voicing
        case "u":
            return voicing[1:]
        case "t":
            return voicing[-1:]
        case _:
            return tuple(dict.fromkeys(voicing[min(int(figure), len(voicing) - 1)] for figure in who))


def _rolled(bar: Bar, voicing: Voicing, velocity: int, roll: float) -> Iterator[Note]:
    for number, pitch in enumerate(voicing):
        late = roll * number
        yield Note(bar.start + late, bar.beats - late, pitch, velocity)


def _touch(velocity: int, bar: Bar) -> int:
    return round(velocity + 18 * (bar.section.energy - 0.75))


def pads(bars: tuple[Bar, ...], chords: tuple[Chord, ...], voicings: list[Voicing], velocity: int) -> list[Note]:
    """Return the held chords: their two highest notes."""
    playing = {bar.index: bar for bar in bars if "pad" in bar.section.roles or bar.final}
    return [
        Note(chord.start, chord.length, pitch, _touch(velocity, playing[bar_at(bars, chord.start)]))
        for chord, voicing in zip(chords, voicings, strict=True)
        if bar_at(bars, chord.start) in playing
        for pitch in voicing[-2:]
    ]


def bass(
    key: Key, bars: tuple[Bar, ...], chords: tuple[Chord, ...], lows: list[int], chosen: Arrangement, velocity: int
) -> list[Note]:
    """Return the bass line of all bars over the lowest note of each chord: the tune is written against it.

    Sections without bass drop it later.
    """
    notes: list[Note] = []
    for bar in bars:
        pattern = chosen.book.line("held" if bar.final else chosen.of(bar.section).bass, bar.number)
        for number, chord in enumerate(chords):
            if not bar.start <= chord.start < bar.start + bar.beats:
                continue
            following = lows[min(number + 1, len(lows) - 1)]
            hits = _within(pattern, chord.start - bar.start, chord.length, later=False)
            for at, length, who in _rooted(hits, chord, bar):
                figure = "5" if who == "L" and chosen.riff else who
                pitch = _bass_pitch(figure, chord, lows[number], following, key)
                notes.append(Note(bar.start + at, length, pitch, _touch(velocity, bar)))
    return notes


def _rooted(hits: list[tuple[float, float, str]], chord: Chord, bar: Bar) -> list[tuple[float, float, str]]:
    """Return the hits with the chord's lowest note first: without it, a chord becomes another chord."""
    if not hits:
        return [(chord.start - bar.start, min(chord.length, 1.7), "R")]
    at, length, _ = hits[0]
    return [(at, length, "R"), *hits[1:]]


def _bass_pitch(who: str, chord: Chord, low: int, following: int, key: Key) -> int:
    """Return a pitch over the chord's lowest note. Over its third, the fifth counts as third and the root as fifth."""
    third, fifth = ((one - low) % 12 for one in chord.classes[1:3])
    if not third:
        third, fifth = fifth, (chord.classes[0] - low) % 12
    match who:
        case "3":
            return low + third
        case "5":
            return low + fifth if low + fifth < LOWEST_BASS + 21 else low + fifth - 12
        case "8":
            return low + 12
        case "L":
            return _leading(low, following, fifth, key)
        case _:
            return low


def _leading(root: int, following: int, fifth: int, key: Key) -> int:
    """Return the scale's step next to the following root, on the side that the line comes from."""
    if following == root:
        return root + fifth
    side = 1 if root > following else -1
    return next(following + side * step for step in (1, 2, 3) if (following + side * step) % 12 in key.classes)


def drums(random: Random, bars: tuple[Bar, ...], chosen: Arrangement, fills: str, velocity: int) -> list[Note]:
    """Return the drums: only the highest instrument in an intro, a crash on a new full section, fills before it."""
    notes: list[Note] = []
    for bar in bars:
        groove = chosen.of(bar.section).groove
        if groove is None:
            continue
        if bar.final:
            notes += [Note(bar.start, bar.beats, pitch, velocity - 12) for pitch in (CRASH, groove[0][0])]
        elif "drums" in bar.section.roles:
            notes += _drum_bar(random, bar, groove, fills, _touch(velocity, bar))
    return notes


def _drum_bar(random: Random, bar: Bar, lines: Beats, fills: str, velocity: int) -> list[Note]:
    if bar.section.name == "intro" and len(lines) > 1:
        lines = tuple(line for line in lines if line[0] >= HAT) or lines[:1]
    filled = (
        bar.last
        and bar.section.name in ("intro", "A", "B", "ending")
        and (len(lines) > 1 or bar.section.name != "intro")
    )
    size = round(bar.beats * STEPS_A_BEAT)
    lines = tuple((pitch, steps[bar.number * size % len(steps) :][:size]) for pitch, steps in lines)
    notes = [note for pitch, steps in lines for note in _beaten(bar.start, pitch, steps, velocity)]
    if filled:
        start = bar.start + bar.beats - 2
        fill = random.choice(patterns().fills[fills])
        first = min(len(steps) - len(steps.lstrip(".")) for _, steps in fill) / STEPS_A_BEAT
        notes = [note for note in notes if note.start < start + first]
        notes += [note for pitch, steps in fill for note in _beaten(start, pitch, steps, velocity - 6)]
    if bar.first and (bar.section.name == "B" or bar.section.energy == 1) and len(lines) > 2:
        notes.append(Note(bar.start, RUNG * bar.beats, CRASH, velocity - 8))
    return notes


def _beaten(start: float, pitch: int, steps: str, velocity: int) -> Iterator[Note]:
    for step, sign in enumerate(steps):
        if sign != ".":
            length = STOPPED if sign == "#" else STROKE
            yield Note(start + step / STEPS_A_BEAT, length, pitch, velocity - (18 if sign == "x" else 0))


def tuned(notes: list[Note], chords: tuple[Chord, ...]) -> list[Note]:
    """Return the drums with timpani on tones of the chords. Where none has one, the bass drum plays."""
    starts = [chord.start for chord in chords]
    return [
        replace(note, pitch=_timpani(chords[bisect_right(starts, note.start) - 1]))
        if note.pitch == DRUMS["timpani"]
        else note
        for note in notes
    ]


def _timpani(chord: Chord) -> int:
    root, third, fifth, *others = chord.classes
    fitting = (pitch for one in (root, fifth, third, *others) for pitch in TIMPANI if pitch % 12 == one)
    return next(fitting, DRUMS["kick"])
