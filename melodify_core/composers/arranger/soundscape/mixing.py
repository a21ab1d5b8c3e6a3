"""Sounds by name -> one quiet stereo stem that comes in and fades with the piece, at a set distance from the music."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from melodify_core.composers.arranger.soundscape.noise import Samples
from melodify_core.composers.arranger.soundscape.sounds import SOUNDS

LEVEL_DB = -26.0  # against the music
IN_S, OUT_S = 1.5, 3.0
# Longer pieces hear the same quarter of a minute again, with a soft seam: it costs less time and memory.
LOOP_S, SEAM_S = 16.0, 2.0
PEAK = 24_000
_SIZE, _LISTENS = 4096, 32
# Silence between a bird's calls does not count: only blocks within so many dB of the loudest do.
_GATE_DB = -20.0

Stem = npt.NDArray[np.int16]


def soundscape(names: Sequence[str], seconds: float, seed: int, rate: int) -> Stem:
    """Return the sounds together, frames by two, equally loud, of any level. The same arguments give the same samples.

    Unknown names are left out.
    """
    frames = round(seconds * rate)
    loop = _together(names, min(seconds, LOOP_S), seed, rate)
    if seconds > LOOP_S:
        seam = round(SEAM_S * rate)
        grows = np.linspace(0, 1, seam, dtype=np.float32)[:, None]
        loop[:seam] = loop[:seam] * np.sqrt(grows) + loop[-seam:] * np.sqrt(1 - grows)
        loop = loop[:-seam]
    peak = max(1e-9, float(np.abs(loop).max()))
    stem = np.resize(np.rint(loop * np.float32(PEAK / peak)).astype(np.int16), (frames, 2))
    rise, fall = min(frames // 3, round(IN_S * rate)), min(frames // 3, round(OUT_S * rate))
    stem[:rise] = stem[:rise] * np.linspace(0, 1, rise, dtype=np.float32)[:, None] ** 2
    stem[frames - fall :] = stem[frames - fall :] * np.linspace(1, 0, fall, dtype=np.float32)[:, None] ** 2
    return stem


def _together(names: Sequence[str], seconds: float, seed: int, rate: int) -> Samples:
    frames = round(seconds * rate)
    sounds = np.zeros((frames, 2), np.float32)
    for name in names:
        if name in SOUNDS:
            sound = SOUNDS[name](np.random.default_rng([seed & 0xFFFF_FFFF, *name.encode()]), frames, rate)
            sound *= np.float32(10 ** (-loudness_db(sound, rate) / 20))
            sounds += sound
    return sounds


def loudness_db(samples: Samples | Stem, rate: int) -> float:
    """Return about the loudness of stereo samples, in dB: K-weighted (ITU-R BS.1770), of blocks here and there."""
    starts = range(0, max(1, len(samples) - _SIZE), max(_SIZE, len(samples) // _LISTENS))
    parts = [samples[start : start + _SIZE].T for start in starts if start + _SIZE <= len(samples)]
    blocks = np.array(parts, np.float32)
    if not blocks.size:
        return 0.0
    spectra = np.abs(np.fft.rfft(blocks * np.hanning(_SIZE).astype(np.float32))) ** 2
    hertz = np.fft.rfftfreq(_SIZE, 1 / rate)
    powers = (spectra * _k_weight(hertz)).sum(axis=(1, 2)) / _SIZE**2
    loud = powers[powers >= powers.max() * 10 ** (_GATE_DB / 10)]
    return float(10 * np.log10(max(1e-20, loud.mean() if len(loud) else 0.0)))


def _k_weight(hertz: npt.NDArray[np.floating]) -> Samples:
    """Return the weights of power: a high pass at 38 Hz, and 4 dB more above 1.7 kHz."""
    low = hertz**2 / (hertz**2 + 38.0**2)
    high = 1 + (10**0.4 - 1) * hertz**2 / (hertz**2 + 1700.0**2)
    return np.asarray(low**2 * high, np.float32)
