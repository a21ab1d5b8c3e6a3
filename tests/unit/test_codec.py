"""The MP3 that is written: what is heard while it is written is what a player hears of the file, sample for sample."""

from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from melodify_core.media.audio.codec import (
    LADDER,
    RATE,
    Block,
    Rung,
    Tags,
    ahead,
    decode,
    decode_frames,
    encode,
    tagged,
)

TAGS = Tags("Sea of Glass", "Melodify", "", b"")
every_rung = pytest.mark.parametrize("rung", LADDER, ids=lambda rung: str(rung.kbps))


def music(seconds: float) -> list[Block]:
    """Chords with attacks and some noise: what an encoder has to think about."""
    at = np.arange(round(seconds * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * hertz * at) for hertz in (220, 277.2, 329.6, 1760))
    beat = np.exp(-8 * (at % 0.5))
    noise = np.random.default_rng(5).standard_normal((2, len(at))) * beat * 0.05
    whole = (0.1 * tone * beat + noise).astype(np.float32)
    return [whole[:, first : first + RATE] for first in range(0, whole.shape[1], RATE)]


def joined(blocks: Iterable[Block]) -> Block:
    return np.concatenate(list(blocks), axis=1)


@every_rung
@pytest.mark.parametrize("seconds", [1.1, 5.0, 12.37])
def test_what_is_heard_of_the_frames_is_what_is_heard_of_the_file(rung: Rung, seconds: float) -> None:
    sound = joined(music(seconds))
    frames = list(encode(music(seconds), rung))
    heard = joined(decode_frames(frames, sound.shape[1]))
    played = joined(decode(tagged(b"".join(frames), sound.shape[1], TAGS, rung)))
    if rung.rate == RATE:
        assert played.shape == heard.shape == sound.shape
        assert (played == heard).all()
    else:  # the two are resampled from other places, and may end a sample apart
        least = min(played.shape[1], heard.shape[1])
        assert sound.shape[1] - 2 <= least
        assert np.abs(played - heard[:, : played.shape[1]])[:, :least].max() < 0.03


@every_rung
def test_a_song_begins_where_it_began_and_is_as_loud_as_the_rung_says(rung: Rung) -> None:
    sound = joined(music(6.0))
    played = joined(decode(tagged(b"".join(encode(music(6.0), rung)), sound.shape[1], TAGS, rung)))
    middle = slice(RATE, 5 * RATE)
    low = [np.convolve(one[0, middle], np.ones(32) / 32, "same") for one in (sound, played)]
    alike = [float(np.dot(low[0][100:-100], np.roll(low[1], shift)[100:-100])) for shift in range(-40, 41)]
    assert abs(int(np.argmax(alike)) - 40) <= 1
    # The tones alone: at few bits the noise goes first.
    assert 20 * np.log10(low[1].std() / low[0].std()) == pytest.approx(-rung.loss_db, abs=0.15)


def test_the_same_sound_gives_the_same_frames_however_it_is_cut() -> None:
    blocks = music(4.3)
    parts = [part for block in blocks for part in np.array_split(block, 7, axis=1)]
    rung = LADDER[0]
    assert b"".join(encode(blocks, rung)) == b"".join(encode(parts, rung)) == b"".join(encode(ahead(blocks), rung))


def test_what_goes_wrong_ahead_is_told_where_it_is_used() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    items = ahead(failing())
    assert next(items) == 1
    with pytest.raises(ValueError, match="no more"):
        next(items)
