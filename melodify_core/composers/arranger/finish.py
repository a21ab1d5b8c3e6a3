"""The last touch on the played sound: no drift about zero, as bright as the mood wants, below the ceiling, faded."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Played = npt.NDArray[np.int16]  # frames by channels
Samples = npt.NDArray[np.float32]

FADE_S = 0.3
CEILING = 0.89  # -1 dBFS
# Brightness is heard as the spectral centroid (Eerola, Friberg & Bresin 2013: "timbre"). A shelf moves it: all above
# its middle is louder or softer. The synthesisers have no such control.
MIDDLE_HZ, FACTOR = 1350.0, 2.2  # the centroid wished for brightness 0, and how often that for 1
SHELF_HZ, MOST_DB = 1500.0, 11.0
TAPS, BLOCK = 511, 1 << 14
# What is slower than this is no sound: sampled basses wander about zero.
CELL_S, CELLS = 0.01, 10
LISTENS = 40  # blocks that the centroid is measured on, at most
SILENT = 100  # peak of a block that has no say in it


def finished(played: Played, frames: int, rate: int, brightness: float) -> Iterator[Played]:
    """Yield the whole in blocks, `frames` long."""
    played = played[:frames]
    drift = _drift(played, rate)
    taps = _shelf(_needed_db(played, rate, brightness), rate)
    # No sample of a filtered sound can exceed its peak times the sum of the filter's taps.
    peak = max(1, int(played.max(initial=0)), -int(played.min(initial=0))) + float(np.abs(drift).max(initial=0))
    gain = CEILING * 32767 / (peak * float(np.abs(taps).sum()))
    spectrum = np.fft.rfft(taps, BLOCK) * np.float32(gain)
    half, step = TAPS // 2, BLOCK - TAPS + 1
    fade = min(frames, round(FADE_S * rate))
    for start in range(0, frames, step):
        length = min(step, frames - start)
        part = _centred(played, drift, start - half, start + length + half, rate)
        block = np.fft.irfft(np.fft.rfft(part, BLOCK) * spectrum)[:, TAPS - 1 : TAPS - 1 + length].T
        left = frames - start - np.arange(length)
        yield np.round(block * np.clip(left / fade, 0, 1)[:, None] ** 2).astype("<i2")


def _drift(played: Played, rate: int) -> Samples:
    """Return the mean of each hundredth of a second, smoothed over a tenth."""
    cell = round(CELL_S * rate)
    cells = played[: len(played) // cell * cell].reshape(-1, cell, played.shape[1]).mean(axis=1, dtype=np.float32)
    kernel = np.full(CELLS, 1 / CELLS, np.float32)
    smooth = [np.convolve(channel, kernel, mode="same") for channel in cells.T] if len(cells) >= CELLS else [0 * cells]
    return np.stack(smooth, axis=-1).reshape(-1, played.shape[1])


def _centred(played: Played, drift: Samples, first: int, last: int, rate: int) -> Samples:
    """Return the frames from `first` to `last` without their drift, channels first; zero outside of the sound."""
    part = np.zeros((played.shape[1], last - first), np.float32)
    begin, end = max(0, first), max(0, min(last, len(played)))
    if begin >= end:
        return part
    cell = round(CELL_S * rate)
    places = (np.arange(begin, end) + 0.5) / cell - 0.5
    for channel, line in enumerate(part):
        slow = np.interp(places, np.arange(len(drift)), drift[:, channel])
        line[begin - first : end - first] = played[begin:end, channel] - slow
    return part


def _needed_db(played: Played, rate: int, brightness: float) -> float:
    """Return the shelf's gain that moves the mean centroid to where the brightness -1..1 wishes it."""
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
    """Return middle frequencies and the magnitudes in bands, a row for each block that was listened to."""
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
