"""Analyses a finished MP3 with other people's tools: essentia's key, tempo and onsets, pyloudnorm's loudness."""

from dataclasses import dataclass

import essentia
import essentia.standard as es
import numpy as np
import numpy.typing as npt
import pyloudnorm
from scipy.signal import resample_poly

from melodify_core.media.audio.codec import RATE, decode
from melodify_core.models import Mode

RATE_OF_ANALYSIS = 44_100  # essentia's algorithms are tuned to this rate
SILENT_DB = -50.0
_PITCHES = {"C": 0, "C#": 1, "Db": 1, "D": 2, "D#": 3, "Eb": 3, "E": 4, "F": 5, "F#": 6, "Gb": 6, "G": 7, "G#": 8,
            "Ab": 8, "A": 9, "A#": 10, "Bb": 10, "B": 11}  # fmt: skip
Sound = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Heard:
    """The measured sound of a song."""

    tonic: int
    mode: Mode
    bpm: float
    onset_rate: float  # a second
    centroid: float  # Hz, mean over the frames that sound
    lufs: float
    true_peak_db: float
    silence: float  # share of 50 ms windows under SILENT_DB
    seconds: float
    dc: float  # share of full scale
    clicks: int
    width: float  # energy of the sides over that of the middle


def hear(mp3: bytes) -> Heard:
    """Return the analysis of a song."""
    essentia.log.infoActive = essentia.log.warningActive = False
    stereo = np.concatenate(list(decode(mp3)), axis=1).astype(np.float32)
    mono = np.ascontiguousarray(resample_poly(stereo.mean(axis=0), 147, 160).astype(np.float32))
    tonic, mode, _ = es.KeyExtractor(sampleRate=RATE_OF_ANALYSIS)(mono)
    bpm = float(es.RhythmExtractor2013(method="multifeature")(mono)[0])
    middle, sides = stereo.mean(axis=0), (stereo[0] - stereo[1]) / 2
    return Heard(
        tonic=_PITCHES[tonic],
        mode="minor" if mode == "minor" else "major",
        bpm=bpm,
        onset_rate=float(es.OnsetRate()(mono)[1]),
        centroid=_centroid(mono),
        lufs=float(pyloudnorm.Meter(RATE).integrated_loudness(stereo.T.astype(np.float64))),
        true_peak_db=_true_peak_db(stereo),
        silence=_silence(stereo),
        seconds=stereo.shape[1] / RATE,
        dc=float(np.abs(stereo.mean(axis=1)).max()),
        clicks=_clicks(mono),
        width=float((sides**2).sum() / (middle**2).sum()),
    )


def _centroid(mono: Sound) -> float:
    window, spectrum, centroid = es.Windowing(type="hann"), es.Spectrum(), es.Centroid(range=RATE_OF_ANALYSIS / 2)
    frames = [frame for frame in es.FrameGenerator(mono, frameSize=2048, hopSize=4096) if np.abs(frame).max() > 0.003]
    return float(np.mean([centroid(spectrum(window(frame))) for frame in frames]))


def _true_peak_db(stereo: Sound) -> float:
    peak = max(float(np.abs(resample_poly(channel, 4, 1)).max()) for channel in stereo)
    return 20 * float(np.log10(peak))


def _silence(stereo: Sound) -> float:
    length = RATE // 20
    windows = stereo[:, : stereo.shape[1] // length * length].reshape(2, -1, length)
    level = 10 * np.log10((windows**2).mean(axis=(0, 2)) + 1e-12)
    return float((level < SILENT_DB).mean())


def _clicks(mono: Sound) -> int:
    """Return how many discontinuities essentia finds: samples that cannot be predicted from their neighbours."""
    finder = es.DiscontinuityDetector(frameSize=512, hopSize=256, detectionThreshold=20)
    return sum(len(finder(frame)[0]) for frame in es.FrameGenerator(mono, frameSize=512, hopSize=256))
