"""FFmpeg's filters, fed with blocks of sound. What they are used for is their callers' business."""

from collections.abc import Iterator
from fractions import Fraction
from typing import cast

import av
import av.error
import av.filter
import numpy as np
import numpy.typing as npt


class Filters:
    """A chain of FFmpeg's filters for stereo sound, each with its options in FFmpeg's own form."""

    def __init__(self, rate: int, *chain: tuple[str, str]) -> None:
        graph = av.filter.Graph()
        source = graph.add_abuffer(sample_rate=rate, format="fltp", layout="stereo", time_base=Fraction(1, rate))
        nodes = [graph.add(name, options) for name, options in chain]
        graph.link_nodes(source, *nodes, graph.add("abuffersink")).configure()
        self._graph = graph
        self._rate = rate
        self._length = 0

    def push(self, block: npt.NDArray[np.float32] | None) -> Iterator[av.AudioFrame]:
        """Yield what comes out for a block, channels first; None ends the sound."""
        self._graph.push(None if block is None else self._frame(block))
        while True:
            try:
                yield cast("av.AudioFrame", self._graph.pull())
            except (av.error.BlockingIOError, av.error.EOFError):
                return

    def _frame(self, block: npt.NDArray[np.float32]) -> av.AudioFrame:
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = self._rate, self._length, Fraction(1, self._rate)
        self._length += block.shape[1]
        return frame
