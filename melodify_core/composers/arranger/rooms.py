"""Rooms as frequency responses, for the mix to multiply with. Which rooms there are stands in the styles."""

from functools import cache

import numpy as np
import numpy.typing as npt

from melodify_core.styles.rooms import RoomSize, rooms

Response = npt.NDArray[np.complex64]
Samples = npt.NDArray[np.float32]

DRY_HZ = 180.0  # below it a room only blurs
# Edges of the bands that fall at different speeds.
LOW_HZ, HIGH_HZ = 800.0, 4000.0
REFLECTIONS, EARLY_S = 9, 0.045
EARLY = 0.35  # share of the energy


@cache
def room(name: str, size: int, most: int, rate: int) -> tuple[Response, Response]:
    """Return the responses for left and right of `size` samples, the room itself not longer than `most`."""
    random = np.random.default_rng([len(name), *name.encode()])
    sides = [_impulse(rooms()[name], most, rate, random) for _ in range(2)]
    energy = np.sqrt(sum(float((side**2).sum()) for side in sides) / 2)
    left, right = (np.fft.rfft(side / energy, size).astype(np.complex64) for side in sides)
    return left, right


def _impulse(kind: RoomSize, most: int, rate: int, random: np.random.Generator) -> Samples:
    """Return noise that dies away, high frequencies first, and some early reflections."""
    time = np.arange(most) / rate
    noise = np.fft.rfft(random.standard_normal(most))
    hertz = np.fft.rfftfreq(most, 1 / rate)
    lows, highs = 1 / (1 + (hertz / LOW_HZ) ** 4), 1 / (1 + (HIGH_HZ / np.maximum(hertz, 1)) ** 4)
    wet = 1 / (1 + (DRY_HZ / np.maximum(hertz, 1)) ** 6)
    speeds = ((lows, 1.0), (1 - lows - highs, 1.0 + (kind.damping - 1) / 3), (highs, kind.damping))
    tail = sum(
        np.fft.irfft(noise * band * wet, most) * np.exp(-6.9 * speed * time / kind.seconds) for band, speed in speeds
    )
    delay = round(kind.delay_s * rate)
    tail = np.concatenate((np.zeros(delay), np.asarray(tail)[: most - delay])) * np.minimum(
        1, (1 - time / time[-1]) * 5
    )
    early = np.zeros(most)
    places = delay + (random.uniform(0.1, 1, REFLECTIONS) * EARLY_S * min(1.0, kind.seconds) * rate).astype(int)
    early[places] = random.uniform(0.3, 1, REFLECTIONS) * random.choice([-1, 1], REFLECTIONS)
    early = np.fft.irfft(np.fft.rfft(early) * wet, most)
    share = np.sqrt(EARLY / (1 - EARLY) * (tail**2).sum() / (early**2).sum())
    return np.asarray(tail + share * early, np.float32)
