"""Measures sound as it passes: loudness (ITU-R BS.1770, FFmpeg's meter) and true peaks. Changes nothing."""

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import av
import av.logging
import numpy as np
import numpy.typing as npt

from melodify_core.errors import Unavailable
from melodify_core.media.audio.codec import RATE, Block
from melodify_core.media.audio.filters import Filters

Samples = npt.NDArray[np.float32]
Curve = npt.NDArray[np.float64]  # one value per CELL samples, or one per edge of a cell

CELL = 16  # a third of a millisecond; divides RATE
OVERSAMPLING = 4  # ITU-R BS.1770-5, annex 2
TAPS = 16  # of each phase, where the annex has 12
PART = RATE // 8  # samples that are looked at together
WAVEFORM_PARTS = 100


@dataclass(frozen=True, slots=True)
class Measured:
    """What a sound is like."""

    lufs: float  # integrated, to a tenth; -70 when all of it is below the meter's gate
    peaks: Curve  # the larger true peak of the two channels per cell, 1 is full scale
    samples: int

    @property
    def true_peak_dbtp(self) -> float:
        """The highest peak between the samples, in dB of full scale."""
        return 20 * float(np.log10(max(float(self.peaks.max()), 1e-9)))

    @property
    def waveform(self) -> tuple[int, ...]:
        """The peak of each of 100 equal parts; 100 is full scale."""
        parts = np.array_split(self.peaks, WAVEFORM_PARTS)
        return tuple(min(100, round(100 * float(part.max()))) for part in parts)


def measure(blocks: Iterable[Block]) -> Measured:
    """Measure loudness and true peaks in one pass that keeps no block. Raises Unavailable for no sound."""
    meter, peaks = _Ebur128(), _TruePeaks()
    length = 0
    with ThreadPoolExecutor(1) as other:
        for block in blocks:
            heard = other.submit(meter.push, block)
            peaks.push(block)
            length += block.shape[1]
            heard.result()
    if not length:
        raise Unavailable("provider.unavailable")
    return Measured(meter.close(), peaks.close()[: -(-length // CELL)], length)


def loudness(blocks: Iterable[Block]) -> float:
    """Measure the integrated loudness alone, in LUFS to a tenth; three times as fast as `measure`."""
    meter = _Ebur128()
    for block in blocks:
        meter.push(block)
    return meter.close()


class _TruePeaks:
    """The peaks between the samples: those of the sound at four times its rate."""

    def __init__(self) -> None:
        self._filter = Filters(RATE, ("aresample", f"{RATE * OVERSAMPLING}:filter_size={TAPS}"))
        self._cells: list[Samples] = [np.zeros(0, np.float32)]  # a sound may be shorter than the filter
        self._rest: Samples = np.zeros(0, np.float32)

    def push(self, block: Block | None) -> None:
        """Look at a block; None ends the sound."""
        size = CELL * OVERSAMPLING
        for fine in self._finer(block):
            left, right = (np.abs(np.frombuffer(memoryview(plane), np.float32, fine.samples)) for plane in fine.planes)
            peaks = np.concatenate((self._rest, np.maximum(left, right)))
            whole = len(peaks) // size * size
            self._cells.append(peaks[:whole].reshape(-1, size).max(axis=1))
            self._rest = peaks[whole:]

    def _finer(self, block: Block | None) -> Iterator[av.AudioFrame]:
        """Yield the sound at four times its rate, a part of the block at a time: that takes less memory."""
        parts = [None] if block is None else [block[:, at : at + PART] for at in range(0, block.shape[1], PART)]
        for part in parts:
            yield from self._filter.push(None if part is None else np.ascontiguousarray(part))

    def close(self) -> Curve:
        """Return the highest peak of each cell."""
        self.push(None)
        return np.append(np.concatenate(self._cells), self._rest.max(initial=0)).astype(np.float64)


class _Ebur128:
    """FFmpeg's loudness meter. PyAV cannot read a filter's results, so they are read from what it logs at its end."""

    def __init__(self) -> None:
        self._filter: Filters | None = Filters(RATE, ("ebur128", "framelog=quiet"))

    def push(self, block: Block | None) -> None:
        """Listen to a block; None ends the sound."""
        for _ in self._filter.push(block) if self._filter else ():
            pass

    def close(self) -> float:
        """Return the integrated loudness in LUFS."""
        self.push(None)
        level = av.logging.get_level()
        av.logging.set_level(av.logging.INFO)
        try:
            with av.logging.Capture(local=True) as lines:
                self._filter = None  # freed: this is when it logs
        finally:
            av.logging.set_level(level)
        found = re.search(r"I:\s+(-?[\d.]+) LUFS", "".join(text for _, name, text in lines if name == "ebur128"))
        return float(found[1]) if found else -70.0
