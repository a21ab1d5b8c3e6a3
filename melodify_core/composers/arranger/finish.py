"""The last touch on the played sound: no drift about zero, as bright as the mood wants, below the ceiling, faded."""

from collections.abc import Iterator
from itertools import chain

import numpy as np
import numpy.typing as npt

from melodify_core.composers.arranger.soundscape import LEVEL_DB, loudness_db
from melodify_core.media.audio.filters import Filters

Played = npt.NDArray[np.int16]  # frames by channels
Samples = npt.NDArray[np.float32]

FADE_S = 0.3
CEILING = 0.89  # -1 dBFS
# Brightness is heard as the spectral centroid (Eerola, Friberg & Bresin 2013: "timbre"). A shelf moves it: all above
# its middle is louder or softer. The synthesisers have no such control.
MIDDLE_HZ, FACTOR = 1350.0, 2.2  # the centroid wished for brightness 0, and how often that for 1
SHELF_HZ, MOST_DB = 1500.0, 11.0
# What is slower is no sound: sampled basses wander about zero.
LOWEST_HZ = 5
# A filter of 23 ms; its delay is taken out again.
SHELF = "delay=0.0053:accuracy=12:zero_phase=on"
LISTENS = 40  # blocks that the centroid is measured on, at most
SILENT = 100  # peak of a block that has no say in it


def finished(
    played: Played, frames: int, rate: int, brightness: float, around: Played | None = None
) -> Iterator[Played]:
    """Yield the whole in blocks, `frames` long. `around` is a soundscape of as many frames, put quietly under it."""
    played = played[:frames]
    gain_db = _needed_db(played, rate, brightness)
    fade = min(frames, round(FADE_S * rate))
    filters = Filters(
        rate,
        ("highpass", f"frequency={LOWEST_HZ}"),
        ("apad", f"whole_len={frames}"),
        ("firequalizer", f"gain='{gain_db:.3f}*f*f/(f*f+{SHELF_HZ**2})':{SHELF}"),
        ("atrim", f"start_pts=0:end_pts={frames}"),
        ("afade", f"type=out:start_sample={frames - fade}:nb_samples={fade}:curve=qua"),
    )
    parts = (played[start : start + rate].T.astype(np.float32, order="C") for start in range(0, len(played), rate))
    blocks = [
        np.asarray(frame.to_ndarray(), np.float32) for part in chain(parts, [None]) for frame in filters.push(part)
    ]
    if around is not None:
        _put_under(blocks, around, loudness_db(played, rate) + LEVEL_DB - loudness_db(around, rate))
    gain = CEILING * 32767 / max(1.0, *(float(np.abs(block).max()) for block in blocks))
    for block in blocks:
        yield np.rint(block.T * gain).astype("<i2", order="C")


def _put_under(blocks: list[Samples], around: Played, gain_db: float) -> None:
    start, gain = 0, np.float32(10 ** (gain_db / 20))
    for block in blocks:
        end = start + block.shape[1]
        np.add(block, around[start:end].T * gain, out=block)
        start = end


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
