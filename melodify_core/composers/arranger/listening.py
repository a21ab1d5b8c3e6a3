"""Listens to a stem before it is mixed: how loud it is (ITU-R BS.1770) and where its sound lies."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Played = npt.NDArray[np.int16]

FULL_SCALE = 32768
WINDOWS_A_SECOND = 10
GATED = 4  # windows make one block of the gate: 0.4 s, of which three quarters are in the next one too
ABSOLUTE_LU, RELATIVE_LU = -70.0, -10.0
OFFSET_LU, FILTERS_RATE = -0.691, 48_000  # BS.1770's
BANDS = 120
AT_ONCE = 32  # windows: little memory
LISTENS = 40  # windows whose bands are kept apart, about so many


@dataclass(frozen=True, slots=True)
class Heard:
    """What a stem is like."""

    lufs: float  # of the stem on one channel in the middle: both sides play it
    bands: Samples  # power, a row for each of some windows
    whole: Samples  # power in the bands over all windows


def listen(stem: Played, rate: int, frames: int) -> Heard:
    """Return the loudness of a stem, and the power in its bands. Silence is at -70 LUFS.

    A stem that is shorter than `frames`, the piece's length, has the windows of the piece nevertheless.
    """
    size = rate // WINDOWS_A_SECOND
    count, played = frames // size, min(frames, len(stem)) // size
    windows = stem[: played * size].reshape(played, size)
    loud, bands = np.zeros(count, np.float32), np.zeros((count, len(_edges(rate))), np.float32)
    for start in range(0, played, AT_ONCE):
        # Some stems play a few notes only: all of these count, and silence costs nothing.
        sounding = start + np.flatnonzero(windows[start : start + AT_ONCE].any(axis=1))
        power = np.abs(np.fft.rfft(windows[sounding].astype(np.float32) / FULL_SCALE, axis=1)) ** 2
        loud[sounding] = np.einsum("ij,j", power, _weights(rate))  # "@" would wake all cores for this little
        bands[sounding] = np.add.reduceat(power, _edges(rate), axis=1)
    return Heard(_loudness(loud), bands[:: max(1, count // LISTENS)], bands.sum(axis=0))


def middles(rate: int) -> Samples:
    """Return the middle frequencies of the bands."""
    edges = _edges(rate)
    middle = (edges + np.append(edges[1:], _most(rate))) / 2
    return np.asarray(middle * WINDOWS_A_SECOND, np.float32)


@cache
def weights(rate: int) -> Samples:
    """Return how much the power of each band counts for the loudness."""
    edges = _edges(rate)
    widths = np.diff(np.append(edges, _most(rate) + 1))
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


def _most(rate: int) -> int:
    return rate // WINDOWS_A_SECOND // 2


@cache
def _edges(rate: int) -> npt.NDArray[np.int64]:
    return np.unique(np.geomspace(1, _most(rate), BANDS).astype(int))


@cache
def _weights(rate: int) -> Samples:
    """Return what turns a window's spectrum into its weighted mean square: the meter's two filters."""
    size = rate // WINDOWS_A_SECOND
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(size, 1 / rate) / FILTERS_RATE)
    shelf = (1.53512485958697 - 2.69169618940638 * turn + 1.19839281085285 * turn**2) / (
        1 - 1.69065929318241 * turn + 0.73248077421585 * turn**2
    )
    high = (1 - 2 * turn + turn**2) / (1 - 1.99004745483398 * turn + 0.99007225036621 * turn**2)
    weights = 2 * np.abs(shelf * high) ** 2 / size**2
    return np.asarray(weights, np.float32)
