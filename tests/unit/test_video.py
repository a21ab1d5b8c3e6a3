"""The video of a song: decoded, measured, and looked into."""

import io

import av
import numpy as np
import pytest
from PIL import Image

from melodify_core.errors import Rejected, Unavailable
from melodify_core.media.audio.mastering import master
from melodify_core.media.video import LONGEST_SIDE, PLAYED, STRIP, make_video
from melodify_core.models import Mastered
from tests.pictures import sunset
from tests.sounds import chords, wav


@pytest.fixture(scope="module")
def song() -> Mastered:
    return master(wav(chords(4)), title="x", cover_jpeg=sunset(), max_bytes=1 << 20)


def a_jpeg(width: int, height: int) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (width, height), (200, 60, 40)).save(data, "JPEG")
    return data.getvalue()


def frames_of(data: bytes) -> list[np.ndarray]:
    with av.open(io.BytesIO(data), "r") as movie:
        return [frame.to_ndarray(format="rgb24") for frame in movie.decode(video=0)]


@pytest.mark.parametrize("size", [(768, 512), (512, 768), (333, 111), (4, 700), (700, 4), (1, 1)])
def test_any_picture_fits_and_the_lengths_agree(size: tuple[int, int], song: Mastered) -> None:
    video = make_video(song.audio, a_jpeg(*size), song.waveform, 10 << 20)
    with av.open(io.BytesIO(video.data), "r") as movie:
        lengths = {stream.type: float((stream.duration or 0) * (stream.time_base or 0)) for stream in movie.streams}
        track = movie.streams.video[0]
        assert (track.width, track.height) == (video.width, video.height)
        assert track.pix_fmt == "yuv420p"
    assert lengths["video"] == pytest.approx(song.duration_s, abs=0.1)
    assert lengths["audio"] == pytest.approx(song.duration_s, abs=0.1)
    assert max(video.width, video.height) <= LONGEST_SIDE
    assert video.width % 2 == video.height % 2 == 0


def test_the_played_part_grows_from_left_to_right(song: Mastered) -> None:
    frames = frames_of(make_video(song.audio, a_jpeg(640, 400), song.waveform, 10 << 20).data)

    def played(frame: np.ndarray) -> float:
        strip = frame[-STRIP:].astype(int)
        return float((np.abs(strip - np.array(PLAYED)).sum(axis=2) < 90).mean())

    shares = [played(frames[round(part * (len(frames) - 1))]) for part in (0, 0.25, 0.5, 0.75, 1)]
    assert shares == sorted(shares)
    assert shares[0] < 0.01
    assert shares[4] > 3 * shares[1] > 0.03


def test_it_starts_to_play_before_it_is_loaded(song: Mastered) -> None:
    data = make_video(song.audio, a_jpeg(640, 400), song.waveform, 10 << 20).data
    assert data.index(b"moov") < data.index(b"mdat")


def test_a_small_limit_costs_quality_and_a_tiny_one_is_refused(song: Mastered) -> None:
    noise = np.random.default_rng(7).integers(0, 255, (500, 640, 3), dtype=np.uint8)
    picture = io.BytesIO()
    Image.fromarray(noise).save(picture, "JPEG", quality=95)
    full = make_video(song.audio, picture.getvalue(), song.waveform, 10 << 20)
    small = make_video(song.audio, picture.getvalue(), song.waveform, len(full.data) - 1)
    assert len(small.data) < len(full.data)
    with pytest.raises(Rejected, match=r"song\.too_large"):
        make_video(song.audio, picture.getvalue(), song.waveform, 1000)


def test_what_cannot_be_read_is_told(song: Mastered) -> None:
    with pytest.raises(Unavailable):
        make_video(b"no song", a_jpeg(10, 10), (50,), 1 << 20)
    with pytest.raises(Unavailable):
        make_video(song.audio, b"no picture", (50,), 1 << 20)
