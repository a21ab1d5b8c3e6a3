"""Mastering: loudness and true peak by a second opinion on the delivered file, size, tags, fades, what is refused.

The meters here are not the product's: pyloudnorm for the loudness, scipy's polyphase filter for the true peak.
"""

import io
from collections.abc import Callable
from functools import cache, partial

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from melodify_core.errors import Rejected, Unavailable
from melodify_core.media.audio.codec import LADDER
from melodify_core.media.audio.cover import without_cover
from melodify_core.media.audio.mastering import master
from melodify_core.media.audio.shape import apply, held, limit
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Mastered
from tests import sounds
from tests.sounds import Sound

MIB = 1024 * 1024


@cache
def cover(width: int = 640, height: int = 480) -> bytes:
    """A picture with much detail: a tenth of a megabyte at the default size."""
    noise = np.random.default_rng(1).integers(0, 255, (height, width, 3), dtype=np.uint8)
    jpeg = io.BytesIO()
    Image.fromarray(noise).save(jpeg, "JPEG", quality=50)
    return jpeg.getvalue()


def mastered(take: bytes, *, max_bytes: int = 10 * MIB, cover_jpeg: bytes = b"") -> Mastered:
    return master(take, title="Sea of glass", cover_jpeg=cover_jpeg, max_bytes=max_bytes)


def loudness_of(sound: Sound, rate: int) -> float:
    import pyloudnorm  # brings scipy: a second of work that only these meters need

    return float(pyloudnorm.Meter(rate).integrated_loudness(sound))


def true_peak_of(sound: Sound) -> float:
    from scipy.signal import resample_poly

    return float(20 * np.log10(np.abs(resample_poly(sound, 4, 1, axis=0)).max()))


def peak_of(sound: Sound) -> float:
    return float(np.abs(sound).max())


TAKES: dict[str, Callable[[], bytes]] = {
    "chords": lambda: sounds.wav(sounds.chords()),
    "24 bits": lambda: sounds.wav(sounds.chords(), depth="s24"),
    "very quiet": lambda: sounds.wav(sounds.quiet(), depth="s24"),
    "below the meter's gate": lambda: sounds.wav(sounds.chords(level=2e-4), depth="f32"),
    "above full scale": lambda: sounds.wav(sounds.chords(level=4.0), depth="f32"),
    "clipped": lambda: sounds.wav(sounds.clipped()),
    "clicks over quiet music": lambda: sounds.wav(sounds.clicks()),
    "mono at 44.1 kHz": lambda: sounds.wav(sounds.chords(rate=44_100)[:, :1], rate=44_100),
    "float at 96 kHz": lambda: sounds.wav(sounds.chords(rate=96_000), rate=96_000, depth="f32"),
    "8 kHz": lambda: sounds.wav(sounds.chords(rate=8_000), rate=8_000),
    "MP3": lambda: sounds.encoded(sounds.chords(), "mp3", "libmp3lame"),
    "Ogg": lambda: sounds.encoded(sounds.chords(), "ogg", "libvorbis"),
    "just over a second": lambda: sounds.wav(sounds.chords(1.1)),
}


@pytest.mark.parametrize("max_bytes", [10 * MIB, 24_000], ids=["192 kbps", "few bits"])
@pytest.mark.parametrize("take", TAKES)
def test_any_take_comes_out_at_its_loudness_with_room_above_its_peaks(take: str, max_bytes: int) -> None:
    result = mastered(TAKES[take](), max_bytes=max_bytes)
    sound, rate = sounds.decoded(result.audio)
    loudness, true_peak = loudness_of(sound, rate), true_peak_of(sound)
    assert loudness == pytest.approx(-14, abs=0.5)
    assert true_peak <= -1
    assert result.lufs == pytest.approx(loudness, abs=0.15)
    assert result.true_peak_dbtp == pytest.approx(true_peak, abs=0.1)
    assert len(result.audio) <= max_bytes
    assert len(sound) / rate == pytest.approx(1.1 if take == "just over a second" else 5, abs=0.1)


def test_lone_clicks_stay_below_the_loudness_but_never_pass_the_peak() -> None:
    sound = sounds.silence()
    sound[[48_000, 150_000]] = 0.9
    result = mastered(sounds.wav(sound))
    delivered, _ = sounds.decoded(result.audio)
    assert true_peak_of(delivered) <= -1
    assert result.lufs < -14.5


@given(
    peaks=st.lists(st.floats(0, 4), min_size=1, max_size=400),
    gain_db=st.floats(-20, 40),
    ceiling_db=st.floats(-6, 0),
)
@settings(max_examples=150, deadline=None)
def test_the_limiter_lets_no_peak_through_and_never_amplifies(
    peaks: list[float], gain_db: float, ceiling_db: float
) -> None:
    gains = limit(np.array(peaks), gain_db, ceiling_db)
    assert len(gains) == len(peaks) + 1
    highest = np.maximum(gains[:-1], gains[1:])  # in between it moves in a straight line
    assert (highest * peaks <= 10 ** (ceiling_db / 20) * 1.0001).all()
    assert (gains <= 10 ** (gain_db / 20) * 1.0001).all()


def test_sound_of_16_bits_is_held_in_16_bits_and_comes_out_the_same() -> None:
    random = np.random.default_rng(1)
    short = (random.integers(-32768, 32767, (2, 48_000)) / 32768).astype(np.float32)
    fine, loud = random.uniform(-1, 1, (2, 48_000)).astype(np.float32), np.float32(1.5) * short
    gains = random.uniform(0.1, 3, 9001)
    kept = [held(block) for block in (short, fine, loud)]
    assert [block.dtype for block in kept] == [np.int16, np.float32, np.float32]
    for ours, usual in zip(apply(kept, gains), apply([short, fine, loud], gains), strict=True):
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, usual, rtol=1e-6)


def test_music_that_needs_no_limiting_keeps_its_dynamics() -> None:
    take = sounds.tone()
    take[: 2 * 48_000] *= 0.5
    sound, rate = sounds.decoded(mastered(sounds.wav(take)).audio)
    step = 20 * np.log10(sound[3 * rate : 4 * rate].std() / sound[rate : 2 * rate].std())
    assert step == pytest.approx(6.02, abs=0.1)


# --- size -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("max_bytes", "kbps"), [(10 * MIB, 192), (600_000, 128), (300_000, 64), (100 * 1024, 24), (96_000, 24)]
)
def test_half_a_minute_fits_the_limit_at_the_best_bit_rate(max_bytes: int, kbps: int) -> None:
    result = mastered(sounds.wav(sounds.chords(30)), max_bytes=max_bytes, cover_jpeg=cover())
    sound, rate = sounds.decoded(result.audio)
    assert (result.bitrate_kbps, len(result.audio) <= max_bytes) == (kbps, True)
    assert len(sound) / rate == pytest.approx(30, abs=0.1)
    assert result.duration_s == pytest.approx(30, abs=0.1)


@pytest.mark.parametrize("rung", LADDER, ids=lambda rung: str(rung.kbps))
def test_every_bit_rate_is_used_before_it_is_too_small(rung: object) -> None:
    kbps = rung.kbps  # type: ignore[attr-defined]
    max_bytes = int(5.2 * kbps * 125) + 2200  # a second and the tags are all that is between the rungs at most
    result = mastered(sounds.wav(sounds.chords()), max_bytes=max_bytes)
    assert result.bitrate_kbps == kbps
    assert len(result.audio) <= max_bytes


def test_a_limit_that_no_bit_rate_meets_is_the_users_to_know() -> None:
    with pytest.raises(Rejected, match=r"song\.too_large") as caught:
        mastered(sounds.wav(sounds.chords()), max_bytes=10_000)
    assert caught.value.values == {"limit_mb": 0.0}


# --- tags and cover -------------------------------------------------------------------------------------------------


def pictures_in(mp3: bytes) -> list[bytes]:
    with av.open(io.BytesIO(mp3), "r") as source:
        return [bytes(packet) for packet in source.demux(video=0) if packet.size] if source.streams.video else []


def test_korean_tags_and_the_cover_come_back() -> None:
    take = sounds.wav(sounds.chords(2))
    result = master(
        take, title="유리 바다 🌊", artist="멜로디파이", comment="그림에서", cover_jpeg=cover(), max_bytes=10 * MIB
    )
    with av.open(io.BytesIO(result.audio), "r") as source:
        tags = {name.lower(): text for name, text in source.metadata.items()}
        front = source.streams.video[0].metadata["comment"]
    assert (tags["title"], tags["artist"], tags["comment"]) == ("유리 바다 🌊", "멜로디파이", "그림에서")
    assert front == "Cover (front)"
    assert pictures_in(result.audio) == [cover()]
    assert result.audio[:4] == b"ID3\x03"  # version 2.3: the one that every player reads


def test_a_cover_can_be_taken_out_again() -> None:
    take = sounds.wav(sounds.chords(2))
    with_cover, without = (
        master(take, title="유리 바다 🌊", artist="멜로디파이", cover_jpeg=jpeg, max_bytes=10 * MIB).audio
        for jpeg in (cover(), b"")
    )
    bare = without_cover(with_cover)
    assert cover() not in bare
    assert pictures_in(bare) == []
    for mp3 in (with_cover, bare):
        with av.open(io.BytesIO(mp3), "r") as source:
            assert {source.metadata["title"], source.metadata["artist"]} == {"유리 바다 🌊", "멜로디파이"}
    assert bare[-1000:] == with_cover[-1000:]
    assert (without_cover(without), without_cover(bare), without_cover(b"")) == (without, bare, b"")


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (333, 77)])
def test_a_cover_of_any_form_is_kept(size: tuple[int, int]) -> None:
    jpeg = cover(*size)
    assert pictures_in(mastered(sounds.wav(sounds.chords(2)), cover_jpeg=jpeg).audio) == [jpeg]


def test_a_cover_that_is_too_big_is_made_smaller() -> None:
    result = mastered(sounds.wav(sounds.chords()), max_bytes=300_000, cover_jpeg=cover(1600, 1200))
    (jpeg,) = pictures_in(result.audio)
    with Image.open(io.BytesIO(jpeg)) as picture:
        assert picture.size == (320, 240)
    assert result.bitrate_kbps == 192


@pytest.mark.parametrize("broken", [b"", b"no picture", cover()[:200], b"\x89PNG\r\n\x1a\n"])
def test_a_song_without_a_cover_is_better_than_none(broken: bytes) -> None:
    result = mastered(sounds.wav(sounds.chords(2)), cover_jpeg=broken)
    assert result.bitrate_kbps == 192
    assert result.lufs == pytest.approx(-14, abs=0.5)


# --- ends -----------------------------------------------------------------------------------------------------------


def test_a_take_that_is_cut_off_fades_out_and_does_not_click() -> None:
    sound, rate = sounds.decoded(mastered(sounds.wav(sounds.tone())).audio)
    assert peak_of(sound[:24]) < 0.01  # half a millisecond: the take begins at its highest
    assert peak_of(sound[-24:]) < 0.01
    tenths = [peak_of(sound[len(sound) - round(part * rate / 10) :][: rate // 10]) for part in (5, 4, 3, 2, 1)]
    assert tenths == sorted(tenths, reverse=True)
    assert tenths[-1] < 0.25 * tenths[0]
    assert np.abs(np.diff(sound, axis=0)).max() < 1.1 * np.abs(np.diff(sound[rate : 2 * rate], axis=0)).max()


def test_a_take_that_ends_in_silence_keeps_its_ending() -> None:
    take = sounds.tone()
    take[-4800:] = 0
    sound, rate = sounds.decoded(mastered(sounds.wav(take)).audio)
    end = len(sound) - rate // 10
    assert peak_of(sound[end - rate // 20 : end - 480]) == pytest.approx(peak_of(sound[rate : 2 * rate]), rel=0.03)
    assert peak_of(sound[-24:]) < 0.01


def test_the_waveform_follows_the_music() -> None:
    take = sounds.tone()
    take[: len(take) // 2] *= 0.25
    waveform = mastered(sounds.wav(take)).waveform
    assert len(waveform) == 100
    assert all(0 <= value <= 100 for value in waveform)
    assert waveform[75] == pytest.approx(4 * waveform[25], abs=3)


def test_the_same_take_gives_the_same_bytes() -> None:
    take = sounds.wav(sounds.chords())
    assert mastered(take, cover_jpeg=cover()) == mastered(take, cover_jpeg=cover())


# --- what is not a take ---------------------------------------------------------------------------------------------


def damaged() -> bytes:
    take = bytearray(sounds.encoded(sounds.chords(), "mp3", "libmp3lame"))
    take[20_000:20_400] = b"\xff" * 400
    return bytes(take)


def not_a_number() -> bytes:
    take = sounds.chords(2)
    take[1000] = np.nan
    return sounds.wav(take, depth="f32")


def stretched(rate: int) -> bytes:
    take = bytearray(sounds.wav(sounds.chords(2)))
    take[24:28] = rate.to_bytes(4, "little")
    return bytes(take)


def of_an_unknown_codec() -> bytes:
    take = bytearray(sounds.wav(sounds.chords(2)))
    take[20:22] = b"\x84\x00"  # the format tag: a number that nobody decodes
    return bytes(take)


BAD: dict[str, Callable[[], bytes]] = {
    "empty": bytes,
    "garbage": lambda: np.random.default_rng(3).bytes(200_000),
    "text": lambda: b"Internal server error " * 1000,
    "a picture": cover,
    "a header alone": lambda: sounds.wav(sounds.chords())[:44],
    "cut in the header": lambda: sounds.wav(sounds.chords())[:30],
    "silence": lambda: sounds.wav(sounds.silence()),
    "nothing but the last bit": lambda: sounds.wav(sounds.tone(level=1 / 32767)),
    "under a second": lambda: sounds.wav(sounds.chords(0.95)),
    "an unknown codec": of_an_unknown_codec,
    "a header that stretches it": lambda: stretched(1),
    "a header that hangs the resampler": lambda: stretched(2**30),
    "endless": lambda: sounds.wav(sounds.tone(301, rate=4000), rate=4000),
    "ten samples": lambda: sounds.wav(sounds.chords(2)[:10]),
    "not a number": not_a_number,
    "infinity": lambda: sounds.wav(sounds.chords(2) * np.array([np.inf, 1]), depth="f32"),
    "a playlist": lambda: b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
}


@pytest.mark.parametrize("take", BAD)
def test_what_is_no_music_is_the_composers_fault(take: str) -> None:
    with pytest.raises(Unavailable, match=r"provider\.unavailable"):
        mastered(BAD[take]())


@pytest.mark.parametrize("take", [lambda: sounds.wav(sounds.chords())[:600_001], damaged], ids=["cut off", "damaged"])
def test_what_can_be_heard_of_a_broken_take_is_mastered(take: Callable[[], bytes]) -> None:
    result = mastered(take())
    assert result.lufs == pytest.approx(-14, abs=0.5)
    assert result.duration_s > 3


@given(junk=st.binary(max_size=20), place=st.one_of(st.integers(0, 60), st.integers(0, 200_000)))
@settings(max_examples=15, deadline=None)
def test_damage_anywhere_gives_a_song_or_our_error(junk: bytes, place: int) -> None:
    take = bytearray(sounds.wav(sounds.chords(1.2)))
    take[place : place + len(junk)] = junk
    try:
        result = mastered(bytes(take), max_bytes=100_000)
    except (Unavailable, Rejected):
        return
    assert result.true_peak_dbtp <= -1


async def test_it_runs_in_a_worker_process_and_its_errors_come_back(pool: WorkerPool) -> None:
    work = partial(master, title="Sea", cover_jpeg=cover(), max_bytes=MIB)
    result = await pool.run(60, work, sounds.wav(sounds.chords()))
    assert result.lufs == pytest.approx(-14, abs=0.5)
    with pytest.raises(Unavailable, match=r"provider\.unavailable"):
        await pool.run(60, work, b"no take")
