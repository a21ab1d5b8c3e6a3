"""Listens to a stem before it is mixed: how loud it is (ITU-R BS.1770) and where its sound lies."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Played = npt.NDArray[np.int16]

FULL_SCALE = 32768
SIZE = 4096
EVERY = 2  # of so many windows one is listened to
GATED = 5  # windows make one block of the gate
ABSOLUTE_LU, RELATIVE_LU = -70.0, -10.0
OFFSET_LU = -0.691  # BS.1770's
BANDS = 120
LISTENS = 40  # windows that the bands are kept of, at most


@dataclass(frozen=True, slots=True)
class Heard:
    """What a stem is like."""

    lufs: float  # of the stem on one channel in the middle: both sides play it
    bands: Samples  # power, a row for each window


def listen(stem: Played, rate: int) -> Heard:
    """Return the loudness of a stem, and the power in its bands. Silence is at -70 LUFS."""
    count = len(stem) // (SIZE * EVERY)
    windows = stem[: count * SIZE * EVERY].reshape(count, -1)[:, :SIZE].astype(np.float32) / FULL_SCALE
    power = np.abs(np.fft.rfft(windows, axis=1)) ** 2
    kept = power[:: max(1, count // LISTENS)]
    return Heard(_loudness(power @ _weights(rate)), np.add.reduceat(kept, _edges(), axis=1).astype(np.float32))


def middles(rate: int) -> Samples:
    """Return the middle frequencies of the bands."""
    edges = _edges()
    return np.asarray((edges + np.append(edges[1:], SIZE // 2)) / 2 * rate / SIZE, np.float32)


@cache
def weights(rate: int) -> Samples:
    """Return how much the power of each band counts for the loudness."""
    edges = _edges()
    widths = np.diff(np.append(edges, SIZE // 2 + 1))
    return np.asarray(np.add.reduceat(_weights(rate), edges) / widths, np.float32)


def _loudness(powers: Samples) -> float:
    """Return the loudness of weighted powers, by the absolute and the relative gate."""
    blocks = np.convolve(powers, np.ones(GATED) / GATED, mode="valid") if len(powers) >= GATED else powers
    levels = OFFSET_LU + 10 * np.log10(2 * blocks + 1e-12)
    loud = blocks[levels > ABSOLUTE_LU]
    if not len(loud):
        return ABSOLUTE_LU
    gate = OFFSET_LU + 10 * np.log10(2 * loud.mean()) + RELATIVE_LU
    return float(OFFSET_LU + 10 * np.log10(2 * blocks[levels > gate].mean()))


@cache
def _edges() -> npt.NDArray[np.int64]:
    return np.unique(np.geomspace(1, SIZE // 2, BANDS).astype(int))


@cache
def _weights(rate: int) -> Samples:
    """Return what turns a window's spectrum into its weighted mean square: the meter's two filters, for 48 kHz."""
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(SIZE, 1 / rate) / rate)
    shelf = (1.53512485958697 - 2.69169618940638 * turn + 1.19839281085285 * turn**2) / (
        1 - 1.69065929318241 * turn + 0.73248077421585 * turn**2
    )
    high = (1 - 2 * turn + turn**2) / (1 - 1.99004745483398 * turn + 0.99007225036621 * turn**2)
    weights = 2 * np.abs(shelf * high) ** 2 / SIZE**2
    return np.asarray(weights, np.float32)
