"""Stems -> the mixed sound: levels, places, rooms, saturation, brightness. What a style wants stands in its file.

Everything linear is done on spectra of long blocks, whose tails are added up.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from melodify_core.composers.arranger.hiss import hiss
from melodify_core.composers.arranger.listening import Heard, listen, middles, weights
from melodify_core.composers.arranger.rooms import Response, room
from melodify_core.styles.style import Channel, Mix, Stem

Played = npt.NDArray[np.int16]
Samples = npt.NDArray[np.float32]

MIXED_RATE = 48_000
# Of the mix, in samples. All are multiples of 16: tracks of a lower rate have as many whole ones.
BLOCK, TAIL = 1 << 18, 3 << 14
HOP = BLOCK - TAIL
EARLY = 1024  # that filters without a phase reach back
WHOLE_LUFS = -19.0
TURNS = 2
CEILING = 0.89  # -1 dBFS
THREADS = 2  # of the transforms, which do not hold the interpreter's lock
FADE_S = 0.8
# Bass and drums keep their low end, all else is cut.
LOW: frozenset[Stem] = frozenset({"bass", "drums"})
CUT_HZ, LOWEST_HZ = 110.0, 18.0
LAST = 0.03  # share of all frequencies that fade out before the highest, so that they do not ring
# Brightness is heard as the spectral centroid (Eerola, Friberg & Bresin 2013: "timbre"). A shelf moves it: all above
# its middle is louder or softer.
MIDDLE_HZ, FACTOR = 700.0, 2.2  # the centroid wished for brightness 0, as in human mixes, and how often that for 1
SHELF_HZ, MOST_DB = 1500.0, 11.0
# The kick presses the stems down, by a share of `pump`, and lets them go.
PRESSED: Mapping[Stem, float] = {"bass": 0.6, "chords": 1.0, "pad": 1.0}
PRESS_S, RELEASE_S = 0.005, 0.11
# What comes from both sides: taps in seconds, and their strength on the left and on the right.
TAPS = ((0.0, 1.0, 1.0), (0.0031, -0.5, 0.5), (0.0077, 0.55, -0.55), (0.0113, -0.45, 0.45), (0.0171, 0.4, -0.4))


@dataclass(frozen=True, slots=True)
class Track:
    """A stem on its way into the mix: one channel of 16 bits."""

    stem: Stem
    sound: Played


def mixed(
    tracks: Sequence[Track],
    mix: Mix,
    brightness: float,
    kicks: Sequence[float],
    frames: int,
    rate: int,
    alone: Stem | None = None,
) -> Iterator[Played]:
    """Yield the mix in stereo blocks, `frames` in all. `kicks` are the seconds at which the kick is struck.

    `rate` is that of the tracks, at most MIXED_RATE, which the mix has.
    `alone` is the only stem that is heard, as it is in the mix: for measuring.
    """
    strips, needed_db = _balanced(tracks, mix, brightness, frames * rate // MIXED_RATE, rate)
    audible = [strip for strip in strips if alone in (None, strip.stem)]
    filters = _Filters.of(mix, needed_db, rate)
    noise_db = mix.hiss if alone is None and any(strip.gain for strip in strips) else -np.inf
    done = 0
    for block in _added(_spectra(audible, mix, filters, kicks, frames, rate), frames):
        fade = np.clip((frames - done - np.arange(block.shape[1])) / (FADE_S * MIXED_RATE), 0, 1).astype(np.float32)
        noise = hiss(noise_db, done, block.shape[1], MIXED_RATE)
        sound = _saturated(block + noise, mix.saturation) * fade**2
        yield np.rint(sound.T * 32767).astype("<i2", order="C")
        done += block.shape[1]


@dataclass(frozen=True, slots=True)
class _Strip:
    """A channel of the desk."""

    sound: Played
    stem: Stem
    channel: Channel
    gain: float


def _balanced(
    tracks: Sequence[Track], mix: Mix, brightness: float, frames: int, rate: int
) -> tuple[list[_Strip], float]:
    """Return the channels at their levels, and the gain of the shelf. They move each other, and settle in two turns."""
    heard = [listen(track.sound, rate, frames) for track in tracks]
    changes, strips, needed_db = [1.0] * len(tracks), list[_Strip](), 0.0
    for _ in range(TURNS):
        strips = [
            _Strip(track.sound[:frames], track.stem, channel, _gain(channel, one) / np.sqrt(change))
            for track, one, change in zip(tracks, heard, changes, strict=True)
            for channel in [mix.channel(track.stem)]
        ]
        powers = [one.bands * _cut(strip.stem, rate) for strip, one in zip(strips, heard, strict=True)]
        scaled = [(strip.gain * 32768) ** 2 * power for strip, power in zip(strips, powers, strict=True)]
        needed_db = _needed_db(np.asarray(sum(scaled, np.zeros((1, 1), np.float32))), rate, brightness)
        heard_as = 10 ** (needed_db / 10 * _share(middles(rate))) * weights(rate)
        changes = [_change(track.stem, one, heard_as, rate) for track, one in zip(tracks, heard, strict=True)]
    return strips, needed_db


def _change(stem: Stem, heard: Heard, heard_as: Samples, rate: int) -> float:
    """Return by how much the low cut and the shelf change the power that is heard of a stem."""
    power = float(heard.whole @ weights(rate))
    return float(heard.whole @ (_cut(stem, rate) * heard_as)) / power if power else 1.0


def _cut(stem: Stem, rate: int) -> Samples:
    """Return what is left of the power in the bands of a stem after the low cut."""
    hertz = middles(rate)
    return np.ones_like(hertz) if stem in LOW else np.asarray(1 / (1 + (CUT_HZ / hertz) ** 4), np.float32)


def _gain(channel: Channel, heard: Heard) -> float:
    """Return what brings 16-bit samples of a stem to its level, with what the rooms and the sides add to it."""
    sides = channel.wide**2 * sum((left**2 + right**2) / 2 for _, left, right in TAPS[1:])
    added = 10 * np.log10(1 + sides + channel.near**2 + channel.far**2)
    return float(10 ** ((WHOLE_LUFS + channel.level - heard.lufs - added) / 20)) / 32768 if heard.lufs > -70 else 0.0


def _needed_db(power: Samples, rate: int, brightness: float) -> float:
    """Return the shelf's gain that moves the mean centroid to where the brightness -1..1 wishes it."""
    hertz = middles(rate)
    bands = np.sqrt(power[power.sum(axis=1) > 0])
    if not len(bands):
        return 0.0
    wished = MIDDLE_HZ * FACTOR**brightness
    low, high = -MOST_DB, MOST_DB
    for _ in range(8):
        middle = (low + high) / 2
        weighted = bands * 10 ** (middle / 20 * _share(hertz))
        centroid = float(((weighted * hertz).sum(axis=1) / weighted.sum(axis=1)).mean())
        low, high = (middle, high) if centroid < wished else (low, middle)
    return (low + high) / 2


def _share(hertz: npt.NDArray[np.floating]) -> Samples:
    return np.asarray(hertz**2 / (hertz**2 + SHELF_HZ**2), np.float32)


@dataclass(frozen=True, slots=True)
class _Filters:
    """What the spectra of the buses are multiplied by."""

    shelf: Response  # with the delay of EARLY samples
    cut: Response
    near: tuple[Response, Response]
    far: tuple[Response, Response]

    @classmethod
    def of(cls, mix: Mix, needed_db: float, rate: int) -> "_Filters":
        shelf = 10 ** (np.float32(needed_db / 20) * _share(_hertz(rate))) * _late(rate)
        rooms = (room(name, BLOCK, TAIL - 4 * EARLY, MIXED_RATE) for name in mix.rooms)
        near, far = ((left[: len(shelf)], right[: len(shelf)]) for left, right in rooms)
        return cls(shelf, _high_pass(CUT_HZ, rate), near, far)


def _hertz(rate: int) -> Samples:
    """Return the frequencies of a block. Their distance is the same at every rate."""
    return np.fft.rfftfreq(_of_tracks(BLOCK, rate), 1 / rate).astype(np.float32)


def _of_tracks(samples: int, rate: int) -> int:
    """Return how many samples of the tracks take as long as some of the mix."""
    return samples * rate // MIXED_RATE


@cache
def _late(rate: int) -> Response:
    """Return the delay of EARLY samples, without what is too slow for a sound or too quick for the tracks' rate."""
    hertz = _hertz(rate)
    turn = np.exp(-2j * np.pi * (EARLY / MIXED_RATE) * hertz.astype(float))
    below = np.clip((rate / 2 - hertz) / (LAST * rate / 2), 0, 1)
    # The inverse transform divides by its own length, which is that of the mix.
    return np.asarray(turn * _high_pass(LOWEST_HZ, rate) * below * (MIXED_RATE / rate), np.complex64)


@cache
def _high_pass(edge: float, rate: int) -> Response:
    """Return Butterworth's of the second order."""
    s = 1j * _hertz(rate) / edge
    return np.asarray(s**2 / (s**2 + np.sqrt(2) * s + 1), np.complex64)


def _spectra(
    strips: Sequence[_Strip], mix: Mix, filters: _Filters, kicks: Sequence[float], frames: int, rate: int
) -> Iterator[tuple[Samples, Samples]]:
    """Yield the sound of each stretch with its tail, left and right."""

    def stretch(start: int) -> tuple[Samples, Samples]:
        press = _pressed(kicks, start, rate) if mix.pump else None
        buses = np.zeros((5, _of_tracks(BLOCK, rate)), np.float32)
        for strip in strips:
            _send(strip, start, press, mix, buses, rate)
        return _room_mix(buses, filters)

    coming = deque[Future[tuple[Samples, Samples]]]()
    with ThreadPoolExecutor(THREADS) as threads:
        for start in range(0, _of_tracks(frames + EARLY, rate), _of_tracks(HOP, rate)):
            coming.append(threads.submit(stretch, start))
            if len(coming) > THREADS:
                yield coming.popleft().result()
        for one in coming:
            yield one.result()


def _send(strip: _Strip, start: int, press: Samples | None, mix: Mix, buses: Samples, rate: int) -> None:
    """Add a stretch of a strip to the buses: low, left, right, near and far."""
    channel, reach = strip.channel, round(TAPS[-1][0] * rate) if strip.channel.wide else 0
    # With what was before: the taps need it.
    begin = max(0, start - reach)
    whole = strip.sound[begin : start + _of_tracks(HOP, rate)] * np.float32(strip.gain)
    if press is not None and strip.stem in PRESSED:
        whole[start - begin :] *= 1 - np.float32(mix.pump * PRESSED[strip.stem]) * press[: len(whole) - start + begin]
    sound = whole[start - begin :]
    low, left, right, near, far = buses[:, : len(sound)]
    near += sound * np.float32(channel.near)
    far += sound * np.float32(channel.far)
    if strip.stem in LOW:
        low += _driven(sound, mix.saturation)
        return
    angle = (channel.pan + 1) * np.pi / 4
    sides = np.sqrt(2) * np.cos(angle), np.sqrt(2) * np.sin(angle)
    for tap, on_left, on_right in TAPS if channel.wide else TAPS[:1]:
        late = round(tap * rate)
        first = max(0, late - (start - begin))
        earlier = whole[start - begin + first - late : len(whole) - late]
        share = channel.wide if late else 1.0
        left[first:] += earlier * np.float32(share * on_left * sides[0])
        right[first:] += earlier * np.float32(share * on_right * sides[1])


def _driven(sound: Samples, amount: float) -> Samples:
    """Return bass or drums with round peaks: it adds overtones to the one, and takes spikes from the other."""
    drive = np.float32(1 + 3 * amount)
    return np.asarray(np.tanh(sound * drive) / drive) if amount else sound


def _room_mix(buses: Samples, filters: _Filters) -> tuple[Samples, Samples]:
    low, near, far = (_spectrum(bus) for bus in (buses[0], buses[3], buses[4]))
    sides = []
    for own, near_room, far_room in zip(buses[1:3], filters.near, filters.far, strict=True):
        whole = _spectrum(own)
        whole *= filters.cut
        whole += low
        whole += near_room * near
        whole += far_room * far
        whole *= filters.shelf
        sides.append(np.asarray(np.fft.irfft(whole, BLOCK), np.float32))
    return sides[0], sides[1]


def _spectrum(bus: Samples) -> Response:
    return np.asarray(np.fft.rfft(bus), np.complex64)


def _pressed(kicks: Sequence[float], start: int, rate: int) -> Samples:
    """Return how much the last kick still presses, 0..1, for a stretch."""
    length = _of_tracks(HOP, rate)
    points = np.arange(0, length + 64, 64)
    times = (start + points) / rate
    struck = np.asarray([-60.0, *kicks])
    passed = times - struck[np.searchsorted(struck, times, side="right") - 1]
    curve = np.minimum(1, passed / PRESS_S) * np.exp(-passed / RELEASE_S)
    return np.asarray(np.interp(np.arange(length), points, curve), np.float32)


def _added(stretches: Iterator[tuple[Samples, Samples]], frames: int) -> Iterator[Samples]:
    """Yield the stretches with the tails of earlier ones, without the filters' delay."""
    tail = np.zeros((2, TAIL), np.float32)
    skipped, left = EARLY, frames
    for sides in stretches:
        whole = np.stack(sides)
        whole[:, :TAIL] += tail
        tail = whole[:, HOP:].copy()
        block = whole[:, skipped : min(HOP, skipped + left)]
        skipped = 0
        left -= block.shape[1]
        yield block


def _saturated(sound: Samples, amount: float) -> Samples:
    """Return the sound with round peaks, below the ceiling whatever it was."""
    drive = np.float32(1 + 2 * amount)
    return np.asarray(np.tanh(sound * (drive / CEILING)) * np.float32(CEILING), np.float32)
