"""The MP3 that two encoders write together is the one that one alone would have written."""

from collections.abc import Iterable

import numpy as np
import pytest

from melodify_core.audio.codec import LADDER, RATE, Block, Rung, Tags, encode

TAGS = Tags("Two Halves", "Melodify", "", b"")


def music(seconds: float) -> list[Block]:
    """Chords with attacks and some noise: what an encoder has to think about."""
    at = np.arange(round(seconds * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * hertz * at) for hertz in (220, 277.2, 329.6, 1760))
    beat = np.exp(-8 * (at % 0.5))
    noise = np.random.default_rng(5).standard_normal((2, len(at))) * beat * 0.05
    whole = (0.1 * tone * beat + noise).astype(np.float32)
    return [whole[:, first : first + RATE] for first in range(0, whole.shape[1], RATE)]


@pytest.mark.parametrize("rung", LADDER, ids=lambda rung: str(rung.kbps))
@pytest.mark.parametrize("seconds", [5.0, 6.0, 12.37, 25.0])
def test_two_halves_are_one_piece(rung: Rung, seconds: float) -> None:
    blocks = music(seconds)

    def sound(start: int, stop: int | None) -> Iterable[Block]:
        return blocks[start:stop]

    assert encode(sound, len(blocks), TAGS, rung) == encode(sound, 0, TAGS, rung)


def test_halves_that_do_not_meet_are_not_put_together() -> None:
    blocks, starts = music(20.0), []

    def sound(start: int, stop: int | None) -> Iterable[Block]:
        starts.append(start)
        # Whoever begins in the middle hears something else.
        return blocks[start:stop] if stop is not None or start in (0, 11) else [block * 0.5 for block in blocks[start:]]

    together = encode(sound, len(blocks), TAGS, LADDER[0])
    assert sorted(starts) == [0, 9, 11]
    assert together == encode(lambda start, stop: blocks[start:stop], 0, TAGS, LADDER[0])
