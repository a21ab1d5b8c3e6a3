"""Reading -> Feeling: valence and arousal, the mood that they make, the energy. Numbers from the literature."""

import math
from dataclasses import dataclass
from typing import Literal

from melodify_core.captioners.palette.reading import Reading
from melodify_core.models import Energy, Mode

Mood = Literal[
    "content", "joyful", "excited", "tense", "sombre", "melancholic", "still", "serene", "balanced"
]  # fmt: skip

# Counter-clockwise around Russell's circumplex, from pleasant (0 degrees) by excited (90) to unpleasant (180).
_CIRCLE: tuple[Mood, ...] = ("content", "joyful", "excited", "tense", "sombre", "melancholic", "still", "serene")
_BALANCED_RADIUS = 0.16
_ENERGIES: tuple[tuple[float, Energy], ...] = ((-0.5, "calm"), (-0.15, "gentle"), (0.2, "moderate"), (0.55, "lively"))
# Of songs: what may be said of each mode and pace, the usual first.
EASY_BPM, QUICK_BPM = 84, 112
_MOODS_OF_SONGS: dict[tuple[Mode, str], tuple[Mood, ...]] = {
    ("major", "slow"): ("serene", "still"),
    ("major", "easy"): ("content", "balanced"),
    ("major", "quick"): ("joyful", "excited"),
    ("minor", "slow"): ("melancholic", "sombre", "still"),
    ("minor", "easy"): ("melancholic", "balanced"),
    ("minor", "quick"): ("tense", "excited"),
}
# Sums of standard scores reach 3; this maps them smoothly into -1..1.
_SLOPE = 0.55
_FARTHEST_SCORE = 2.0


@dataclass(frozen=True, slots=True)
class Feeling:
    """Valence (unpleasant to pleasant) and arousal (still to excited) of a picture; both -1..1."""

    valence: float
    arousal: float


def feeling_of(reading: Reading) -> Feeling:
    """Return the feeling that light and colour suggest.

    P. Valdez, A. Mehrabian: Effects of color on emotions. J. Exp. Psychology: General 123 (1994): pleasure = .69
    brightness + .22 saturation, arousal = -.31 brightness + .60 saturation, on standardised values; and green to
    blue-green please most. Added by ear, with less weight: warmth pleases; edges, contrast and colourfulness excite.
    Means and spreads are those of everyday photos in Oklab, rounded.
    """
    brightness = _score(reading.brightness, 0.55, 0.17)
    saturation = _score(reading.saturation, 0.06, 0.04)
    warmth = _score(reading.warmth, 0.1, 0.4)
    contrast = _score(reading.contrast, 0.17, 0.08)
    valence = 0.69 * brightness + 0.22 * saturation + 0.30 * warmth + 0.25 * max(0.0, 2 * reading.greenness)
    arousal = -0.31 * brightness + 0.60 * saturation + 0.30 * contrast + 1.5 * (reading.edges - 0.2)
    arousal += 0.25 * texture_score(reading) + 0.1 * _score(reading.colourfulness, 42, 28)
    return Feeling(math.tanh(_SLOPE * valence), math.tanh(_SLOPE * arousal))


def texture_score(reading: Reading) -> float:
    """Return the standard score of texture, which spreads over powers of ten: -2 smooth .. 2 rough."""
    return _score(math.log(reading.texture + 0.002), math.log(0.037), 0.9)


def mood_of(feeling: Feeling) -> Mood:
    """Return the mood on the circle of valence and arousal (J. Russell: A circumplex model of affect, 1980)."""
    if math.hypot(feeling.valence, feeling.arousal) < _BALANCED_RADIUS:
        return "balanced"
    angle = math.degrees(math.atan2(feeling.arousal, feeling.valence))
    return _CIRCLE[round(angle / 45) % len(_CIRCLE)]


def mood_of_song(mood: Mood, mode: Mode, bpm: int) -> Mood:
    """Return the mood to name: the picture's, unless tempo or mode of the song would contradict it."""
    pace = "slow" if bpm < EASY_BPM else "easy" if bpm < QUICK_BPM else "quick"
    fitting = _MOODS_OF_SONGS[mode, pace]
    return mood if mood in fitting else fitting[0]


def energy_of(feeling: Feeling) -> Energy:
    """Return the step of arousal."""
    return next((name for end, name in _ENERGIES if feeling.arousal < end), "intense")


def _score(value: float, mean: float, spread: float) -> float:
    return max(-_FARTHEST_SCORE, min(_FARTHEST_SCORE, (value - mean) / spread))
