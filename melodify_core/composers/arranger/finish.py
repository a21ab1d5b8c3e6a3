"""Finishes the played sound: removes its drift about zero, sets brightness and peak, fades the end."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

Played = npt.NDArray[np.int16]  # frames by channels
Samples = npt.NDArray[np.float32]

FADE_S = 0.3
CEILING = 0.89  # -1 dBFS
# Listeners perceive the spectral centroid as brightness (Eerola, Friberg & Bresin 2013: "timbre"). A shelf filter moves
# it by making all above its middle louder or softer. The synthesisers have no such control.
MIDDLE_HZ, FACTOR = 1350.0, 2.2  # the centroid wished for brightness 0, and how often that for 1
SHELF_HZ, MOST_DB = 1500.0, 11.0
# Movement slower than a tenth of a second is not audible: sampled basses drift about zero.
CELLS_A_SECOND, SMOOTHED = 100, 10
# A block is filtered in whole cells; the filter's own length fits between them and the next power of two.
TAPS, FFT_SIZE = 511, 1 << 14
LISTENS = 40  # blocks that the centroid is measured on, at most
SILENT = 100  # peak of a block that does not count for the centroid
THREADS = 2


def finished(played: Played, frames: int, rate: int, brightness: float) -> Iterator[Played]:
    """Yield the finished sound in blocks; it is `frames` long in all."""
    played = played[:frames]
    cell = rate // CELLS_A_SECOND
    sound = _padded(played, cell, -(-frames // cell))
    drift = _drift(sound, cell)
    taps = _shelf(_needed_db(played, rate, brightness), rate)
    # No sample of a filtered sound can exceed its peak times the sum of the filter's taps.
    peak = max(1, int(played.max(initial=0)), -int(played.min(initial=0))) + float(np.abs(drift).max())
    gain = CEILING * 32767 / (peak * float(np.abs(taps).sum()))
    spectrum = np.fft.rfft(taps, FFT_SIZE) * np.float32(gain)
    step = FFT_SIZE // cell - 2
    fade = min(frames, round(FADE_S * rate))

    def filtered(first: int) -> Played:
        part = _centred(sound, drift, slice(first, first + step + 2), cell)
        start, place = first * cell, cell + TAPS // 2
        length = min(step * cell, frames - start)
        block = np.fft.irfft(np.fft.rfft(part, FFT_SIZE) * spectrum)[:, place : place + length]
        left = np.arange(frames - start, frames - start - length, -1, dtype=np.float32)
        block *= np.minimum(left / fade, 1) ** 2
        return np.rint(block, out=block).T.astype("<i2", order="C")

    with ThreadPoolExecutor(THREADS) as pool:
        yield from pool.map(filtered, range(0, -(-frames // cell), step))


def _padded(played: Played, cell: int, cells: int) -> Samples:
    """Return the sound, channels first, with a silent cell before and behind its `cells`."""
    sound = np.zeros((played.shape[1], (cells + 2) * cell), np.float32)
    sound[:, cell : cell + len(played)] = played.T
    return sound


def _drift(sound: Samples, cell: int) -> Samples:
    """Return the drift at the edges of the cells: the mean of each cell, smoothed."""
    means = sound.reshape(len(sound), -1, cell).mean(axis=2)
    kernel = np.full(SMOOTHED, 1 / SMOOTHED, np.float32)
    # An even number of cells has its middle on an edge.
    return np.stack([np.convolve(channel, kernel)[SMOOTHED // 2 - 1 :][: len(channel) + 1] for channel in means])


def _centred(sound: Samples, drift: Samples, cells: slice, cell: int) -> Samples:
    """Return some cells without their drift, interpolated linearly between the edges."""
    whole = sound.reshape(len(sound), -1, cell)[:, cells]
    before = drift[:, cells, None][:, : whole.shape[1]]
    after = drift[:, cells.start + 1 : cells.stop + 1, None][:, : whole.shape[1]]
    way = ((np.arange(cell) + 0.5) / cell).astype(np.float32)
    return (whole - (before + (after - before) * way)).reshape(len(sound), -1)


def _needed_db(played: Played, rate: int, brightness: float) -> float:
    """Return the shelf's gain that moves the mean centroid to the one of the brightness -1..1."""
    hertz, bands = _bands(played, rate)
    if not len(bands):
        return 0.0
    wished = MIDDLE_HZ * FACTOR**brightness
    low, high = -MOST_DB, MOST_DB
    for _ in range(8):
        middle = (low + high) / 2
        weighted = bands * 10 ** (middle / 20 * _share(hertz))
        centroid = float(((weighted * hertz).sum(axis=1) / weighted.sum(axis=1)).mean())
        low, high = (middle, high) if centroid < wished else (low, middle)
    return (low + high) / 2


def _bands(played: Played, rate: int) -> tuple[Samples, Samples]:
    """Return middle frequencies and the magnitudes in bands, a row for each measured block."""
    size = 4096
    starts = range(0, len(played) - size, max(size, len(played) // LISTENS))
    blocks = [played[start : start + size].mean(axis=1, dtype=np.float32) for start in starts]
    heard = [block * np.hanning(size) for block in blocks if np.abs(block).max() > SILENT]
    edges = np.unique(np.geomspace(1, size // 2, 120).astype(int))
    spectra = np.abs(np.fft.rfft(np.array(heard).reshape(-1, size)))[:, : size // 2 + 1]
    middles = (edges + np.append(edges[1:], size // 2)) / 2 * rate / size
    return middles.astype(np.float32), np.add.reduceat(spectra, edges, axis=1).astype(np.float32)


def _share(hertz: Samples) -> Samples:
    return np.asarray(hertz**2 / (hertz**2 + SHELF_HZ**2), np.float32)


def _shelf(gain_db: float, rate: int) -> Samples:
    """Return the taps of a shelf with linear phase, unity at low frequencies."""
    hertz = np.fft.rfftfreq(4096, 1 / rate).astype(np.float32)
    response = 10 ** (gain_db / 20 * _share(hertz))
    taps = np.roll(np.fft.irfft(response), TAPS // 2)[:TAPS] * np.hanning(TAPS)
    return taps.astype(np.float32)
