"""Listeners made by others: musicnn hears tags, VibeNet valence and energy. Their weights are read from their wheels.

Neither package is installed: one wants TensorFlow, the other is GPL. `make quality` downloads both wheels.
"""

import struct
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.signal import resample_poly

from quality.photos import ARCHIVES

Array = npt.NDArray[np.float32]
RATE = 16_000
# The tags of musicnn's model "MSD", of songs by their listeners, in the order of musicnn/configuration.py.
TAGS = (
    "rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s", "alternative rock", "jazz",
    "beautiful", "metal", "chillout", "male vocalists", "classic rock", "soul", "indie rock", "Mellow", "electronica",
    "80s", "folk", "90s", "chill", "instrumental", "punk", "oldies", "blues", "hard rock", "ambient", "acoustic",
    "experimental", "female vocalist", "guitar", "Hip-Hop", "70s", "party", "country", "easy listening", "sexy",
    "catchy", "funk", "electro", "heavy metal", "Progressive rock", "60s", "rnb", "indie pop", "sad", "House", "happy",
)  # fmt: skip
# Those of its model "MTT", of excerpts by paid listeners.
PLAIN_TAGS = (
    "guitar", "classical", "slow", "techno", "strings", "drums", "electronic", "rock", "fast", "piano", "ambient",
    "beat", "violin", "vocal", "synth", "female", "indian", "opera", "male", "singing", "vocals", "no vocals",
    "harpsichord", "loud", "quiet", "flute", "woman", "male vocal", "no vocal", "pop", "soft", "sitar", "solo", "man",
    "classic", "choir", "voice", "new age", "dance", "male voice", "female vocal", "beats", "harp", "cello",
    "no voice", "weird", "country", "metal", "female voice", "choral",
)  # fmt: skip
PATCH = 187  # frames of three seconds
_SLACK = 1e-3  # TensorFlow's, in batch normalisation
# VibeNet's outputs.
MOODS = ("acousticness", "danceability", "energy", "instrumentalness", "liveness", "speechiness", "valence")


@dataclass(frozen=True, slots=True)
class Impression:
    """How a listener's model hears the mood, 0..1 each."""

    valence: float
    energy: float


def at_16_khz(stereo: npt.NDArray[Any], rate: int = 48_000) -> Array:
    """Return one channel for the models, of samples as (frames, channels)."""
    return np.asarray(resample_poly(stereo.mean(axis=1), RATE, rate), np.float32)


def tags_of(sound: Array, model: str = "MSD") -> dict[str, float]:
    """Return how likely each tag is, 0..1: the mean over all patches of three seconds."""
    power = _power(np.pad(sound, 256, mode="constant"), 512, 512, 256)
    mels = np.log10(10_000 * (power @ mel_bands(96, 512).T) + 1).astype(np.float32)
    patches = [mels[at : at + PATCH] for at in range(0, len(mels) - PATCH + 1, PATCH)]
    found = np.mean([_tagged(_weights(model), patch) for patch in patches], axis=0)
    return dict(zip(TAGS if model == "MSD" else PLAIN_TAGS, map(float, found), strict=True))


def impression_of(sound: Array) -> Impression:
    """Return the mood as VibeNet hears it."""
    mels = mel_bands(128, 1024) @ _power(sound, 640, 1024, 320).T
    decibels = 10 * np.log10(np.maximum(1e-10, mels))
    decibels = np.maximum(decibels, decibels.max() - 80).astype(np.float32)
    heard = dict(zip(MOODS, _vibenet().run(None, {"x": decibels[np.newaxis]})[0][0], strict=True))
    return Impression(*(float(np.clip(heard[name], 0, 1)) for name in ("valence", "energy")))


def _power(sound: Array, window: int, size: int, hop: int) -> Array:
    frames = np.lib.stride_tricks.sliding_window_view(sound, window)[::hop]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    return np.asarray(np.abs(np.fft.rfft(frames * hann, size, axis=1)) ** 2, np.float32)


@cache
def mel_bands(count: int, size: int) -> Array:
    """Return triangles of equal area on Slaney's mel scale up to 8 kHz, as librosa makes them."""
    top = 15 + 27 * np.log(8.0) / np.log(6.4)
    mels = np.linspace(0, top, count + 2)
    hertz = np.where(mels < 15, mels * 200 / 3, 1000 * np.exp((mels - 15) * np.log(6.4) / 27))
    bins = np.fft.rfftfreq(size, 1 / RATE)
    up = (bins - hertz[:-2, None]) / np.diff(hertz)[:-1, None]
    down = (hertz[2:, None] - bins) / np.diff(hertz)[1:, None]
    triangles = np.maximum(0, np.minimum(up, down)) * (2 / (hertz[2:] - hertz[:-2]))[:, None]
    return np.asarray(triangles, np.float32)


def _tagged(weights: dict[str, Array], patch: Array) -> Array:
    """Return the tags of a patch: musicnn/models.py without TensorFlow."""
    normal = _normalised(weights, 0, patch[:, :, None])[:, :, 0]
    wide = np.pad(normal, ((3, 3), (0, 0)))
    features = [_timbres(weights, number, wide) for number in (0, 1)]
    features += [_tempos(weights, number, normal) for number in (2, 3, 4)]
    front = np.concatenate(features, axis=1)
    layers = [front]
    rest: Array | float = 0.0
    for number in (5, 6, 7):
        frames = np.lib.stride_tricks.sliding_window_view(np.pad(layers[-1], ((3, 3), (0, 0))), 7, axis=0)
        kernel = weights[_name("conv2d", number) + "/kernel"][:, :, 0]
        found = np.tensordot(frames, kernel, axes=((1, 2), (1, 0))) + weights[_name("conv2d", number) + "/bias"]
        rest = rest + _normalised(weights, number + 1, np.maximum(found, 0))
        layers.append(np.asarray(rest, np.float32))
    every = np.concatenate(layers, axis=1)
    # Flattened as TensorFlow does: of each feature the highest, then the mean.
    pooled = np.stack([every.max(axis=0), every.mean(axis=0)], axis=1).ravel()
    hidden = np.maximum(_normalised(weights, 9, pooled) @ weights["dense/kernel"] + weights["dense/bias"], 0)
    logits = _normalised(weights, 10, hidden) @ weights["dense_1/kernel"] + weights["dense_1/bias"]
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


def _timbres(weights: dict[str, Array], number: int, wide: Array) -> Array:
    """Return the strongest answer over the bands to shapes of seven frames."""
    kernel = weights[_name("conv2d", number) + "/kernel"][:, :, 0]
    shapes = np.lib.stride_tricks.sliding_window_view(wide, kernel.shape[:2])
    flat = shapes.reshape(-1, kernel.shape[0] * kernel.shape[1])
    found = flat @ kernel.reshape(-1, kernel.shape[2]) + weights[_name("conv2d", number) + "/bias"]
    answers = _normalised(weights, number + 1, np.maximum(found, 0)).reshape(*shapes.shape[:2], -1)
    return np.asarray(answers.max(axis=1))


def _tempos(weights: dict[str, Array], number: int, normal: Array) -> Array:
    """Return the strongest answer over the bands to courses of 32 to 128 frames."""
    kernel = weights[_name("conv2d", number) + "/kernel"][:, 0, 0]
    size = len(kernel)
    frames = np.lib.stride_tricks.sliding_window_view(
        np.pad(normal, (((size - 1) // 2, size // 2), (0, 0))), size, axis=0
    )
    found = frames @ kernel + weights[_name("conv2d", number) + "/bias"]
    return np.asarray(_normalised(weights, number + 1, np.maximum(found, 0)).max(axis=1))


def _normalised(weights: dict[str, Array], number: int, values: Array) -> Array:
    name = _name("batch_normalization", number)
    mean, variance, gamma, beta = (
        weights[f"{name}/{key}"] for key in ("moving_mean", "moving_variance", "gamma", "beta")
    )
    return np.asarray((values - mean) / np.sqrt(variance + _SLACK) * gamma + beta, np.float32)


def _name(kind: str, number: int) -> str:
    return f"{kind}_{number}" if number else kind


def _wheel(package: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(next(iter(ARCHIVES.glob(f"{package}-*.whl"))))


@cache
def _vibenet() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(_wheel("vibenet").read("vibenet/artifacts/efficientnet_model.onnx"), options)


@cache
def _weights(model: str) -> dict[str, Array]:
    """Return the arrays of a TensorFlow checkpoint: an index in LevelDB's table format, and the raw data."""
    wheel = _wheel("musicnn")
    index, data = (wheel.read(f"musicnn/{model}_musicnn/{end}") for end in (".index", ".data-00000-of-00001"))
    footer = index[-48:]
    place = 0
    for _ in range(2):  # the meta index, which is empty
        _, place = _varint(footer, place)
    start, place = _varint(footer, place)
    size, _ = _varint(footer, place)
    found: dict[str, Array] = {}
    for _, handle in _entries(index[start : start + size]):
        first, place = _varint(handle, 0)
        length, _ = _varint(handle, place)
        for key, entry in _entries(index[first : first + length]):
            fields = dict(_fields(entry))
            if key and fields.get(1) == 1:  # single precision
                shape = [dict(_fields(one)).get(1, 0) for number, one in _fields(fields.get(2, b"")) if number == 2]
                begin = fields.get(4, 0)
                found[key.decode()] = np.frombuffer(data[begin : begin + fields[5]], "<f4").reshape(shape)
    return found


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and values; a key is given by what it shares with the one before."""
    end = len(block) - 4 - 4 * struct.unpack("<I", block[-4:])[0]
    place, key = 0, b""
    while place < end:
        shared, place = _varint(block, place)
        own, place = _varint(block, place)
        size, place = _varint(block, place)
        key = key[:shared] + block[place : place + own]
        place += own
        yield key, block[place : place + size]
        place += size


def _fields(message: bytes) -> Sequence[tuple[int, Any]]:
    """Return numbers and values of a protocol buffer message: whole numbers, or bytes."""
    found: list[tuple[int, Any]] = []
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        match tag & 7:
            case 0:
                value, place = _varint(message, place)
                found.append((tag >> 3, value))
            case 2:
                size, place = _varint(message, place)
                found.append((tag >> 3, message[place : place + size]))
                place += size
            case kind:
                place += 4 if kind == 5 else 8
    return found


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, place
