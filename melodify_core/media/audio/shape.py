"""The curve of gains that a take is multiplied by: its level, the limiter, the fades. Measuring lives in meter.py."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from melodify_core.media.audio.codec import RATE, Block
from melodify_core.media.audio.meter import CELL, Curve, Measured

Held = Block | npt.NDArray[np.int16]

LOOK_AHEAD_CELLS = 8
RELEASE_S = 0.06  # time constant
FADE_IN_S = 0.01
FADE_OUT_S = 0.4
SILENT_ENDING = 10 ** (-50 / 20)  # of the highest peak, over the last ENDING_S
ENDING_S = 0.05
SCALE = np.float32(32768)  # of 16 bits


def limit(peaks: Curve, gain_db: float, ceiling_db: float) -> Curve:
    """Return linear gains at the edges of the cells: `gain_db`, less where a peak would pass the ceiling.

    A look-ahead limiter: down at once, exponentially up again; then widened and smoothed by equal lengths (5 ms
    each), so that the gain is down already when the peak comes, and moves without a click. A mean of gains that
    are all low enough is low enough: no peak of `peaks` gets through.
    """
    excess = np.maximum(0.0, gain_db + 20 * np.log10(np.maximum(peaks, 1e-9)) - ceiling_db)
    # max over j <= i of excess[j] * exp(-(i - j) / release), as a running maximum of logarithms
    decay = np.arange(len(peaks)) * CELL / RATE / RELEASE_S
    held = np.exp(np.maximum.accumulate(np.log(np.maximum(excess, 1e-9)) + decay) - decay)
    reach = 2 * LOOK_AHEAD_CELLS + 1
    widened = np.lib.stride_tricks.sliding_window_view(np.pad(held, reach, mode="edge"), reach + 1).max(axis=1)
    bell = np.hanning(reach + 2)[1:-1]
    smooth = np.convolve(widened, bell / bell.sum(), mode="valid")
    return np.asarray(10 ** ((gain_db - smooth) / 20), np.float64)


def fades(sound: Measured) -> Curve:
    """Return gains at the edges of the cells, 0 at both ends. A take that ends in silence keeps its ending."""
    start = np.arange(len(sound.peaks) + 1) * CELL / RATE
    left = np.maximum(0.0, sound.samples / RATE - start)
    ending = sound.peaks[-int(ENDING_S * RATE / CELL) :].max()
    fade_out_s = FADE_OUT_S if ending > SILENT_ENDING * sound.peaks.max() else FADE_IN_S
    inside = np.minimum(start / FADE_IN_S, 1) * np.minimum(left / fade_out_s, 1)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * inside), np.float64)


def held(block: Block) -> Held:
    """Return the block in 16 bits if it has no more: they take half the memory."""
    if not np.abs(block).max() <= 1:  # NaN comes here too
        return block
    short = np.minimum(block * SCALE, 32767).astype(np.int16)
    return short if np.array_equal(short / SCALE, block) else block


def apply(blocks: Sequence[Held], gains: Curve) -> Iterator[Block]:
    """Yield the blocks times the gains, which move in a straight line from edge to edge of the cells."""
    first = 0
    for block in blocks:
        cells = -(-block.shape[1] // CELL)
        edges = gains[first : first + cells + 1]
        factors = np.interp(np.arange(block.shape[1]) / CELL, np.arange(cells + 1), edges).astype(np.float32)
        yield np.multiply(block, factors / SCALE if block.dtype == np.int16 else factors, dtype=np.float32)
        first += cells
