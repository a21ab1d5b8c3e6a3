"""What the sounds are made of: coloured noise without a seam, slow random curves, and short tones at given times."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Generator = np.random.Generator

LOOP = 1 << 17  # samples of noise, three seconds; slow curves hide that it repeats
_STEP = 64  # samples for which a slow curve stands still


def noise(random: Generator, rate: int, curve: Callable[[Samples], Samples]) -> Samples:
    """Return LOOP samples of noise with this spectrum over hertz, of RMS 1. Its end goes on in its beginning."""
    hertz = np.fft.rfftfreq(LOOP, 1 / rate).astype(np.float32)
    phases = random.random(len(hertz), np.float32) * np.float32(2 * np.pi)
    loop = np.fft.irfft(curve(np.maximum(hertz, 1)) * np.exp(1j * phases)).astype(np.float32)
    return np.asarray(loop / loop.std(), np.float32)


def band(low: float, high: float, slope: float = 0.0) -> Callable[[Samples], Samples]:
    """Return a spectrum that lies between two frequencies; `slope` is dB per octave inside."""

    def curve(hertz: Samples) -> Samples:
        edges = 1 / (1 + (low / hertz) ** 4) / (1 + (hertz / high) ** 4)
        return np.asarray(edges * (hertz / 1000) ** (slope / 6.02), np.float32)

    return curve


def laid(loop: Samples, frames: int) -> Samples:
    """Return the loop as stereo, frames by two: what comes from one side comes later from the other."""
    left, right = np.resize(loop, frames), np.resize(np.roll(loop, LOOP // 2), frames)
    return np.stack((left, right), axis=1)


def slow(random: Generator, frames: int, rate: int, period_s: float, low: float, high: float) -> Samples:
    """Return a curve that wanders between two levels, with a new aim about every `period_s`."""
    count = max(2, round(frames / rate / period_s) + 2)
    return drawn(random.uniform(low, high, count).tolist(), frames)


def drawn(levels: Sequence[float], frames: int) -> Samples:
    """Return a curve through levels at equal distances, as long as the sound."""
    steps = -(-frames // _STEP)
    line = np.interp(np.linspace(0, len(levels) - 1, steps), np.arange(len(levels)), levels)
    return np.repeat(line.astype(np.float32), _STEP)[:frames]


def times(random: Generator, seconds: float, a_second: float) -> list[float]:
    """Return moments that come as they like, so many a second."""
    return sorted(map(float, random.uniform(0, seconds, max(1, random.poisson(seconds * a_second)))))


def tone(rate: int, seconds: float, start_hz: float, end_hz: float, decay: float = 5.0) -> Samples:
    """Return a sine that glides from one frequency to the other and dies away."""
    place = np.linspace(0, 1, max(8, int(rate * seconds)), dtype=np.float32)
    phase = 2 * np.pi * np.cumsum(start_hz + (end_hz - start_hz) * place) / rate
    return np.asarray(np.sin(phase) * np.exp(-decay * place) * np.minimum(1, 40 * place), np.float32)


def put(target: Samples, grain: Samples, at_s: float, rate: int, pan: float, gain: float = 1.0) -> None:
    """Add a grain to stereo samples at a moment; `pan` 0 left .. 1 right."""
    start = int(at_s * rate)
    part = grain[: max(0, len(target) - start)]
    if len(part):
        target[start : start + len(part), 0] += part * np.float32(gain * np.cos(pan * np.pi / 2))
        target[start : start + len(part), 1] += part * np.float32(gain * np.sin(pan * np.pi / 2))
