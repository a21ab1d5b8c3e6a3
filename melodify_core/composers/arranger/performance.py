"""Makes written notes sound played: swing, loose timing, uneven touch, swells. All of it depends on the seed."""

from collections.abc import Iterable
from random import Random

from melodify_core.composers.arranger.form import Bar
from melodify_core.composers.arranger.score import BEND, EXPRESSION, MODULATION, Note
from melodify_core.styles.style import Tempo

SHORTEST = 0.05
# How far notes deviate in time, in seconds, and in velocity.
LOOSE_S = {"lead": 0.012, "counter": 0.012, "chords": 0.008, "pad": 0.02, "bass": 0.007, "drums": 0.004}
UNEVEN = 4.0
# By how many dB the last chord of held instruments fades until its end, and in how many points per beat.
RING_DB, POINTS_A_BEAT = 24.0, 4
# The least length of tones with vibrato, and the time before it begins.
LONG_S, STEADY_S = 0.7, 0.25
# The least length of tones that are slid into, how long that takes, and in how many steps.
SLID_S, SLIDE_S, STEPS = 0.3, 0.12, 6
# By how many cents the strokes of drums differ: no two are the same.
STROKE_CENTS = 9.0


def humanise(random: Random, tempo: Tempo, role: str, notes: Iterable[Note], bpm: float) -> tuple[Note, ...]:
    """Return the notes as a player plays them: never before the first beat, no pitch struck while it sounds."""
    loose = LOOSE_S[role] * bpm / 60
    played = []
    for note in notes:
        start = _swung(note.start, tempo)
        end = _swung(note.start + note.length, tempo)
        late = min(loose * 2, abs(random.gauss(0, loose))) if note.start else 0.0
        velocity = min(122, max(18, round(random.gauss(note.velocity, UNEVEN))))
        played.append(Note(start + late, max(SHORTEST, end - start - late), note.pitch, velocity))
    return _untangled(played)


def _swung(beat: float, tempo: Tempo) -> float:
    """Return the beat with its second half squeezed: swing 0.33 makes triplets of pairs."""
    if not tempo.swing:
        return beat
    unit = 1.0 if tempo.swung == "eighths" else 0.5
    whole, inside = divmod(beat, unit)
    middle = 0.5 * (1 + tempo.swing)
    place = inside / unit
    place = place * 2 * middle if place < 0.5 else middle + (place - 0.5) * 2 * (1 - middle)
    return (whole + place) * unit


def _untangled(notes: list[Note]) -> tuple[Note, ...]:
    """Return the notes in order. Each ends before the same pitch begins again, because an end would silence both."""
    following: dict[int, float] = {}
    result = []
    for note in sorted(notes, key=lambda one: (one.start, one.length), reverse=True):
        room = following.get(note.pitch, float("inf")) - note.start - 0.02
        if room < SHORTEST / 2:
            continue  # a doubled stroke
        result.append(note if note.length <= room else Note(note.start, room, note.pitch, note.velocity))
        following[note.pitch] = note.start
    return tuple(reversed(result))


def swells(bars: Iterable[Bar]) -> tuple[tuple[float, int, int], ...]:
    """Return expression values for held tones: each section grows into the next. See `ringing` for the last chord."""
    points: list[tuple[float, int, int]] = []
    for bar in bars:
        if bar.final:
            continue
        done = (bar.index - bar.section.first_bar) / bar.section.bars
        for beat in range(0, max(1, int(bar.beats)), 2):
            growth = 0.88 + 0.12 * (done + beat / bar.beats / bar.section.bars)
            level = growth * (0.84 + 0.16 * bar.section.energy)
            points.append((bar.start + beat, EXPRESSION, round(127 * level)))
    return tuple(points)


def ringing(bars: Iterable[Bar]) -> tuple[tuple[float, int, int], ...]:
    """Return expression values that fade the last bar out: held instruments do not fade by themselves.

    Amplitude grows with the square of controller 11: 40 dB for a factor of ten.
    """
    [final] = [bar for bar in bars if bar.final]
    points = int(final.beats * POINTS_A_BEAT)
    return tuple(
        (final.start + number / POINTS_A_BEAT, EXPRESSION, round(127 * 10 ** (-RING_DB * number / points / 40)))
        for number in range(points)
    )


def slides(notes: Iterable[Note], cents: int, bpm: float) -> tuple[tuple[float, int, int], ...]:
    """Return pitches that rise from up to `cents` below into long tones that are higher than their neighbours."""
    tune = sorted(notes, key=lambda note: note.start)
    points: list[tuple[float, int, int]] = []
    for before, note, after in zip([None, *tune], tune, [*tune[1:], None], strict=False):
        low = before.pitch if before else note.pitch - 2
        peak = note.pitch > low and (after is None or note.pitch >= after.pitch)
        if not cents or not peak or note.length * 60 / bpm < SLID_S:
            continue
        depth = min(cents, 100 * (note.pitch - low))
        for step in range(STEPS + 1):
            at = note.start + step / STEPS * SLIDE_S * bpm / 60
            points.append((at, BEND, -round(depth * (1 - step / STEPS) ** 1.5)))
    return tuple(points)


def strokes(notes: tuple[Note, ...]) -> tuple[tuple[float, int, int], ...]:
    """Return a pitch for each moment in which drums are struck, a little off. The notes are the seed."""
    random = Random(sum(note.velocity for note in notes))
    moments = sorted({note.start for note in notes})
    return tuple((at, BEND, max(-30, min(30, round(random.gauss(0, STROKE_CENTS))))) for at in moments)


def vibrato(notes: Iterable[Note], depth: int, bpm: float) -> tuple[tuple[float, int, int], ...]:
    """Return modulation values that set in late on long tones and stop at their end."""
    points: list[tuple[float, int, int]] = []
    for note in notes:
        if depth and note.length * 60 / bpm >= LONG_S:
            begin = note.start + STEADY_S * bpm / 60
            points += [(begin, MODULATION, depth // 2), ((begin + note.start + note.length) / 2, MODULATION, depth)]
            points.append((note.start + note.length, MODULATION, 0))
    return tuple(points)
