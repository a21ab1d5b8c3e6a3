"""Makes audio for tests with numpy, and reads it back: chords, clicks, silence, any rate, depth and container."""

import io
import struct
from fractions import Fraction
from functools import cache
from typing import Literal, cast

import av
import numpy as np
import numpy.typing as npt

Sound = npt.NDArray[np.float64]  # (samples, channels), full scale is 1
Depth = Literal["s16", "s24", "f32"]
RATE = 48_000
# Chords of four notes, two seconds each: C, A minor, F, G.
_CHORDS = ((48, 60, 64, 67), (45, 57, 60, 64), (41, 57, 60, 65), (43, 55, 59, 62))


def chords(seconds: float = 5.0, *, rate: int = RATE, level: float = 0.3) -> Sound:
    """Chords plucked twice a second with a soft noise, in stereo; about 14 dB of crest. `level` is the peak."""
    bars = np.concatenate([np.tile(_pluck(chord, rate), (4, 1)) for chord in _CHORDS])
    length = round(seconds * rate)
    sound = np.tile(bars, (-(-length // len(bars)), 1))[:length]
    since_pluck = np.arange(length) % (rate // 2) / rate
    noise = np.random.default_rng(1).normal(0, 0.5, sound.shape)
    sound += noise * np.exp(-40 * since_pluck)[:, None]
    return np.asarray(sound * (level / np.abs(sound).max()), np.float64)


@cache
def _pluck(chord: tuple[int, ...], rate: int) -> Sound:
    time = np.arange(rate // 2) / rate
    sound = np.zeros((len(time), 2))
    for voice, note in enumerate(chord):
        pan = 0.3 + 0.13 * voice
        for harmonic in range(1, 7):
            tone = np.sin(2 * np.pi * 440 * 2 ** ((note - 69) / 12) * harmonic * time)
            tone *= np.exp(-1.5 * harmonic * time) / harmonic
            sound += tone[:, None] * (pan, 1 - pan)
    return sound


def quiet(seconds: float = 5.0) -> Sound:
    """Chords that peak at -60 dBFS."""
    return chords(seconds, level=0.001)


def clipped(seconds: float = 5.0) -> Sound:
    """Chords driven until they are nearly a square wave, at full scale."""
    return np.clip(chords(seconds, level=30.0), -1, 1)


def clicks(seconds: float = 5.0) -> Sound:
    """Chords that peak at -34 dBFS with a click of full scale twice a second."""
    sound = chords(seconds, level=0.02)
    sound[RATE // 4 :: RATE // 2] = 0.99
    return sound


def silence(seconds: float = 5.0) -> Sound:
    """Digital silence."""
    return np.zeros((round(seconds * RATE), 2))


def tone(seconds: float = 5.0, *, hertz: float = 440.0, level: float = 0.5, rate: int = RATE) -> Sound:
    """A steady sine: it neither starts nor ends in silence."""
    wave = level * np.cos(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return np.stack([wave, wave], axis=1)


def wav(sound: Sound, *, rate: int = RATE, depth: Depth = "s16") -> bytes:
    """Return a RIFF WAVE file; the number of channels is the sound's."""
    match depth:
        case "s16":
            data, kind, width = np.round(np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes(), 1, 2
        case "s24":
            whole = np.round(np.clip(sound, -1, 1) * 8388607).astype("<i4")
            data, kind, width = whole.view(np.uint8).reshape(-1, 4)[:, :3].tobytes(), 1, 3
        case "f32":
            data, kind, width = sound.astype("<f4").tobytes(), 3, 4
    channels = sound.shape[1]
    form = struct.pack("<HHIIHH", kind, channels, rate, rate * channels * width, channels * width, width * 8)
    chunks = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


def encoded(sound: Sound, container: str, codec: str, *, rate: int = RATE) -> bytes:
    """Return stereo sound in a compressed container, such as ("mp3", "libmp3lame") or ("ogg", "libvorbis")."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as target:
        stream = cast("av.AudioStream", target.add_stream(codec, rate=rate, layout="stereo"))
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound.T, np.float32), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return out.getvalue()


def decoded(audio: bytes) -> tuple[Sound, int]:
    """Return the sound of any file and its sampling rate."""
    with av.open(io.BytesIO(audio), "r") as source:
        resampler = av.AudioResampler(format="fltp")
        frames = [part.to_ndarray() for frame in source.decode(audio=0) for part in resampler.resample(frame)]
        return np.concatenate(frames, axis=1).T.astype(np.float64), source.streams.audio[0].rate
