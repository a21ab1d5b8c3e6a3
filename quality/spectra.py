"""What a finished mix is like, in figures that need no analyser of songs: bands, width, how percussive it is."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.ndimage import median_filter

Sound = npt.NDArray[np.float32]  # channels by frames

# Octaves from the lowest note of a bass to the shine of cymbals.
EDGES = (60, 120, 250, 500, 1000, 2000, 4000, 8000, 16000)
BANDS = tuple(f"{low}-{high} Hz" for low, high in pairwise(EDGES))
SIZE, HOP = 4096, 1024
STRETCH = 17  # frames and bins over which a tone or a stroke extends (Fitzgerald 2010)
SILENT = 1e-9


@dataclass(frozen=True, slots=True)
class Spectra:
    """The figures of one mix."""

    bands: tuple[float, ...]  # dB of the whole power, one for each of BANDS
    width: float  # side to mid, dB
    percussive: float  # share of the energy
    peaks: float  # onset strength: the mean of the peaks over the median

    @property
    def row(self) -> tuple[float, ...]:
        """Return all figures, in the order of NAMES."""
        return *self.bands, self.width, self.percussive, self.peaks


NAMES = (*BANDS, "side to mid, dB", "percussive share", "onset peaks over the median")


def spectra_of(stereo: Sound, rate: int) -> Spectra:
    """Return the figures of a stereo sound."""
    middle, side = stereo.mean(axis=0), (stereo[0] - stereo[1]) / 2
    magnitudes = _spectrogram(middle)
    width = 10 * np.log10((side**2).mean() / max(SILENT, float((middle**2).mean())) + SILENT)
    return Spectra(_bands(stereo, rate), float(width), _percussive(magnitudes), _peaks(magnitudes))


def peaks_of(stereo: Sound) -> float:
    """Return how far onsets stand out, the last figure alone: the median filters of another one take their time."""
    return _peaks(_spectrogram(stereo.mean(axis=0)))


def _spectrogram(mono: Sound) -> Sound:
    frames = np.lib.stride_tricks.sliding_window_view(mono, SIZE)[::HOP]
    return np.abs(np.fft.rfft(frames * np.hanning(SIZE).astype(np.float32), axis=1)).astype(np.float32)


def _bands(stereo: Sound, rate: int) -> tuple[float, ...]:
    power = np.mean([(_spectrogram(channel) ** 2).mean(axis=0) for channel in stereo], axis=0)
    hertz = np.fft.rfftfreq(SIZE, 1 / rate)
    limits = np.searchsorted(hertz, EDGES)
    parts = [power[low:high].sum() for low, high in pairwise(limits)]
    return tuple(float(10 * np.log10(part / power.sum() + SILENT)) for part in parts)


def _percussive(magnitudes: Sound) -> float:
    """Return the share of the energy that median filters leave to strokes."""
    tones = median_filter(magnitudes, (STRETCH, 1))
    strokes = median_filter(magnitudes, (1, STRETCH))
    mask = strokes**2 / (strokes**2 + tones**2 + SILENT)
    return float((magnitudes**2 * mask**2).sum() / (magnitudes**2).sum())


def _peaks(magnitudes: Sound) -> float:
    logs = 20 * np.log10(np.maximum(magnitudes, magnitudes.max() * 1e-4))
    strength = np.maximum(0, np.diff(logs, axis=0)).mean(axis=1)
    inner = strength[1:-1]
    peaks = inner[(inner > strength[:-2]) & (inner >= strength[2:])]
    high = np.sort(peaks)[-max(1, len(peaks) // 4) :]
    return float(high.mean() / max(SILENT, float(np.median(strength))))
