"""The quiet noise of a tape or an amplifier, without which a mix is dead silent above 6 kHz between two strokes."""

from functools import cache

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

LOOP = 1 << 17  # samples until the noise comes again, which nobody hears
LOW_HZ, HIGH_HZ = 1000.0, 15_000.0


def hiss(level: float, start: int, frames: int, rate: int) -> Samples:
    """Return left and right of the noise from the sample `start` on, `level` in dB of full scale."""
    places = np.arange(start, start + frames) % LOOP
    return np.asarray(_loop(rate)[:, places] * np.float32(10 ** (level / 20)))


@cache
def _loop(rate: int) -> Samples:
    """Return noise of RMS 1 that can be repeated."""
    hertz = np.fft.rfftfreq(LOOP, 1 / rate)
    band = 1 / np.sqrt((1 + (LOW_HZ / np.maximum(hertz, 1)) ** 2) * (1 + (hertz / HIGH_HZ) ** 8))
    noise = np.fft.rfft(np.random.default_rng(LOOP).standard_normal((2, LOOP))) * band
    sound = np.fft.irfft(noise, LOOP)
    return np.asarray(sound / sound.std(), np.float32)
