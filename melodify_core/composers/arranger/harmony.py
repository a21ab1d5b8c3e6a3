"""Harmony: the key, progressions in Roman numerals with cadences, and voicings that move as little as possible."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise, product
from random import Random

import numpy as np

from melodify_core.composers.arranger.form import PHRASE_BARS, Bar
from melodify_core.composers.arranger.leading import led, looped
from melodify_core.composers.arranger.score import Chord, Key, Time
from melodify_core.models import Mode
from melodify_core.styles import Style

Voicing = tuple[int, ...]
# Tonics by mood, bright to dark, that are easy to play: sharps sound open on strings and guitars, flats covered.
_BRIGHT, _DARK = (7, 2, 9, 4, 0), (5, 10, 3, 0, 8)
# How well each degree fits a key: Krumhansl & Kessler 1982, probe tones over C.
PROFILES: dict[Mode, tuple[float, ...]] = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
CLEAR, DRAWS = 0.93, 8
_NUMERALS = {"I": 0, "II": 2, "III": 4, "IV": 5, "V": 7, "VI": 9, "VII": 11}
_SYMBOL = re.compile(r"(b?)(VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)(.*)")
_QUALITIES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    # suffix: intervals under a large numeral, under a small one
    "": ((0, 4, 7), (0, 3, 7)),
    "7": ((0, 4, 7, 10), (0, 3, 7, 10)),
    "maj7": ((0, 4, 7, 11), (0, 3, 7, 11)),
    "6": ((0, 4, 7, 9), (0, 3, 7, 9)),
    "add9": ((0, 4, 7, 14), (0, 3, 7, 14)),
    "sus": ((0, 5, 7), (0, 5, 7)),
    "sus2": ((0, 2, 7), (0, 2, 7)),
    "7sus": ((0, 5, 7, 10), (0, 5, 7, 10)),
    "dim": ((0, 3, 6), (0, 3, 6)),
    "h7": ((0, 3, 6, 10), (0, 3, 6, 10)),
}


def key_for(random: Random, mode: Mode, valence: float, wished: int | None = None) -> Key:
    """Return the key with the wished tonic; else the seed chooses one, among brighter ones for a pleasant mood."""
    share = (valence + 1) / 2
    drawn = random.choice(_BRIGHT if random.random() < share else _DARK)
    return Key(drawn if wished is None else wished, mode)


def classes_of(key: Key, symbol: str) -> tuple[int, ...]:
    """Return the pitch classes of a Roman numeral such as "bVII" or "ii7", root first; degrees count in major.

    "V7/ii" is the dominant of the second degree.
    """
    symbol, _, over = symbol.partition("/")
    if over:
        key = Key(classes_of(key, over)[0], key.mode)
    match = _SYMBOL.fullmatch(symbol)
    if match is None:
        raise ValueError(symbol)
    flat, numeral, suffix = match.groups()
    root = key.tonic + _NUMERALS[numeral.upper()] - len(flat)
    return tuple((root + step) % 12 for step in _QUALITIES[suffix][numeral.islower()])


def progression(random: Random, key: Key, bars: tuple[Bar, ...], style: Style, time: Time) -> tuple[Chord, ...]:
    """Return the chords. Sections of one name share theirs; the ending is a cadence onto the tonic.

    Phrases that are good alone may together suggest another key: they are drawn again until the key is clear.
    """
    drawn: list[tuple[float, tuple[Chord, ...]]] = []
    while len(drawn) < DRAWS and (not drawn or drawn[-1][0] < CLEAR):
        chords = _drawn(random, key, bars, style, time)
        drawn.append((_chord_clarity(key, chords), chords))
    return max(drawn, key=lambda one: min(CLEAR, one[0]))[1]


def _chord_clarity(key: Key, chords: tuple[Chord, ...]) -> float:
    """Return how clear the key is from the chords alone; roots count twice."""
    return clarity(key, ((one, chord.length) for chord in chords for one in (chord.classes[0], *chord.classes)))


def clarity(key: Key, sounds: Iterable[tuple[int, float]]) -> float:
    """Return how well pitches, each with its length, follow the key's profile: a correlation, -1..1."""
    weights = np.zeros(12)
    for pitch, length in sounds:
        weights[(pitch - key.tonic) % 12] += length
    return float(np.corrcoef(weights, PROFILES[key.mode])[0, 1])


def _drawn(random: Random, key: Key, bars: tuple[Bar, ...], style: Style, time: Time) -> tuple[Chord, ...]:
    written, playing = style.harmony.of(key.mode), style.accompaniment
    chosen = [*random.sample(written.home, 2), random.choice(written.away)]
    if playing.riffs:
        chosen = [looped(random, phrase) for phrase in chosen]
    home, other, away = (led(random, key, phrase, playing.colour) for phrase in chosen)
    phrases = {"A": home, "B": away, "break": other, "intro": home}
    cadence = random.choice(written.cadences)
    chords: list[Chord] = []
    for bar in bars:
        if bar.final:
            symbols: Sequence[str] = [written.last]
        elif bar.section.name == "ending":
            symbols = _ending(cadence, bar)
        else:
            symbols = _phrase_bar(phrases[bar.section.name], bar)
        starts = [0.0, time.half] if len(symbols) == 2 else [n * bar.beats / len(symbols) for n in range(len(symbols))]
        chords += [
            Chord(bar.start + start, end - start, symbol, classes_of(key, symbol))
            for start, end, symbol in zip(starts, [*starts[1:], bar.beats], symbols, strict=True)
        ]
    return tuple(chords)


def _phrase_bar(phrase: Sequence[Sequence[str]], bar: Bar) -> Sequence[str]:
    place = bar.index - bar.section.first_bar
    if bar.section.name == "intro":
        # A short intro is the end of the phrase, so that it leads into the first section, but opens on the tonic.
        place = 0 if bar.first else place + PHRASE_BARS - bar.section.bars
    elif place >= bar.section.bars - bar.section.bars % PHRASE_BARS:
        # What is beyond whole phrases is their end again.
        place -= bar.section.bars % PHRASE_BARS
    return phrase[place % PHRASE_BARS]


def _ending(cadence: str, bar: Bar) -> list[str]:
    written = cadence.split()
    left = bar.section.first_bar + bar.section.bars - 1 - bar.index
    return written[len(written) - left].split("-")


def voice(chords: tuple[Chord, ...], centre: float, voices: int) -> list[Voicing]:
    """Return a voicing per chord, lowest note first, about `centre`, each with the least motion from the last."""
    voicings: list[Voicing] = []
    for chord in chords:
        before = voicings[-1] if voicings else None
        options = _voicings(chord.classes, round(centre) - 10, voices)
        voicings.append(min(options, key=lambda option: (_cost(option, before, centre), option)))
    return voicings


def powers(chords: tuple[Chord, ...], lowest: int) -> list[Voicing]:
    """Return root, fifth and octave of each chord, the root in the octave from `lowest` on."""
    roots = [lowest + (chord.classes[0] - lowest) % 12 for chord in chords]
    fifths = [(chord.classes[2] - chord.classes[0]) % 12 for chord in chords]
    return [(root, root + fifth, root + 12) for root, fifth in zip(roots, fifths, strict=True)]


@lru_cache(1024)
def _voicings(chord: tuple[int, ...], low: int, voices: int) -> list[Voicing]:
    classes = list(chord)
    if len(classes) > voices:
        del classes[2]  # a missing fifth is noticed least
    if len(classes) < voices:
        classes.append(chord[0])  # the root is doubled
    places = [[low + (one - low) % 12, low + (one - low) % 12 + 12] for one in classes]
    options = {tuple(sorted(option)) for option in product(*places)}
    return sorted(option for option in options if len(set(option)) == len(option) and option[-1] - option[0] <= 17)


def _cost(option: Voicing, before: Voicing | None, centre: float) -> float:
    drift = abs(sum(option) / len(option) - centre) * 1.2
    crowd = sum(3.0 for low, high in pairwise(option) if high - low < 2)
    # Close notes sound muddy in the low register.
    mud = sum(2.0 for low, high in pairwise(option) if low < 48 and high - low < 5)
    if before is None:
        return drift + crowd + mud
    motion = [abs(new - old) for new, old in zip(option, before, strict=False)]
    return sum(motion) + 0.5 * max(motion) + drift * 0.5 + crowd + mud
