"""The sounds by name: each a function from a random generator, a number of frames and a rate to stereo samples."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from melodify_core.composers.arranger.soundscape.noise import (
    Generator,
    Samples,
    band,
    drawn,
    laid,
    noise,
    put,
    slow,
    times,
    tone,
)

# Of a church bell: multiples of the strike note, their strength and how fast they die (Hibberts, Benade).
_PARTIALS = ((0.5, 0.6, 1.2), (1.0, 1.0, 2.0), (1.2, 0.7, 2.4), (1.5, 0.4, 3.0), (2.0, 0.8, 3.6), (2.67, 0.3, 5.0))
_BELL_HZ = (262.0, 294.0, 330.0, 392.0, 440.0)


def rain(random: Generator, frames: int, rate: int) -> Samples:
    """Return steady rain with single drops."""
    sound = laid(noise(random, rate, band(700, 9000, -2)), frames)
    sound *= slow(random, frames, rate, 4, 0.7, 1.0)[:, None]
    drop = tone(rate, 0.012, 3200, 2400)
    for at in times(random, frames / rate, 14):
        put(sound, drop, at, rate, random.random(), random.uniform(1, 4))
    return sound


def thunder(random: Generator, frames: int, rate: int) -> Samples:
    """Return far thunder that rolls about every ten seconds."""
    loop = noise(random, rate, band(30, 160, -4))
    levels = np.zeros(max(8, 4 * frames // rate), np.float32)
    for at in range(int(random.integers(2, 10)), len(levels), 36):
        roll = np.exp(-np.arange(min(20, len(levels) - at)) / 6) * random.uniform(0.5, 1)
        levels[at : at + len(roll)] += roll
    return laid(loop, frames) * drawn(levels.tolist(), frames)[:, None]


def waves(random: Generator, frames: int, rate: int) -> Samples:
    """Return waves that roll in and run back."""
    near, far = noise(random, rate, band(300, 5000, -3)), noise(random, rate, band(60, 500, -3))
    levels: list[float] = []
    while len(levels) < 5 * frames / rate + 40:
        rise, fall = int(random.integers(9, 16)), int(random.integers(16, 28))
        top = random.uniform(0.6, 1.0)
        levels += [top * (step / rise) ** 2 for step in range(rise)]
        levels += [top * (1 - step / fall) ** 1.5 for step in range(fall)]
    swell = drawn(levels[: max(2, 5 * frames // rate)], frames)
    return laid(near, frames) * (0.05 + swell)[:, None] + laid(far, frames) * (0.2 + 0.5 * swell)[:, None]


def wind(random: Generator, frames: int, rate: int) -> Samples:
    """Return gusts, which are brighter the stronger they are."""
    low, high = noise(random, rate, band(120, 450, -3)), noise(random, rate, band(500, 1400, -3))
    gusts = slow(random, frames, rate, 2.5, 0.1, 1.0)
    return laid(low, frames) * gusts[:, None] + laid(high, frames) * (0.6 * gusts**3)[:, None]


def stream(random: Generator, frames: int, rate: int) -> Samples:
    """Return running water: a soft rush and bubbles that rise."""
    sound = laid(noise(random, rate, band(400, 3500, -3)), frames) * np.float32(0.35)
    bubbles = [tone(rate, 0.05, hertz, 1.7 * hertz, 6) for hertz in random.uniform(350, 1300, 12)]
    for at in times(random, frames / rate, 22):
        put(sound, bubbles[int(random.integers(len(bubbles)))], at, rate, random.random(), random.uniform(0.3, 1.6))
    return sound


def birds(random: Generator, frames: int, rate: int) -> Samples:
    """Return two or three birds, each with a call of its own."""
    sound = np.zeros((frames, 2), np.float32)
    for _ in range(3):
        low, pan = random.uniform(2400, 4600), random.random()
        song = [
            tone(rate, random.uniform(0.05, 0.14), low * random.uniform(0.9, 1.5), low * random.uniform(0.9, 1.5), 2)
            for _ in range(int(random.integers(2, 6)))
        ]
        at = random.uniform(0.2, 4)
        while at < frames / rate:
            for number, note in enumerate(song * int(random.integers(1, 3))):
                put(sound, note, at + 0.13 * number, rate, pan, random.uniform(0.5, 1))
            at += random.uniform(2.5, 6)
    return sound


def crickets(random: Generator, frames: int, rate: int) -> Samples:
    """Return crickets: triple chirps at a steady pace."""
    sound = np.zeros((frames, 2), np.float32)
    for pan, gain in ((0.2, 1.0), (0.75, 0.7), (0.5, 0.4)):
        pulse, pace = tone(rate, 0.028, *2 * (random.uniform(4200, 5000),), 1), random.uniform(0.55, 0.85)
        chirp = np.concatenate([np.append(pulse, np.zeros(int(0.022 * rate), np.float32)) for _ in range(3)])
        for at in np.arange(random.uniform(0, pace), frames / rate, pace):
            put(sound, chirp, float(at), rate, pan, gain)
    return sound


def fire(random: Generator, frames: int, rate: int) -> Samples:
    """Return a fire: a low breath, and crackles."""
    sound = laid(noise(random, rate, band(60, 400, -4)), frames)
    sound *= 0.35 * slow(random, frames, rate, 0.8, 0.6, 1.0)[:, None]
    hiss = noise(random, rate, band(1200, 9000))
    for at in times(random, frames / rate, 11):
        length = int(rate * random.uniform(0.002, 0.02))
        place = int(random.integers(LONGEST_CRACKLE))
        crackle = hiss[place : place + length] * np.exp(-6 * np.linspace(0, 1, length, dtype=np.float32))
        put(sound, crackle, at, rate, random.uniform(0.2, 0.8), min(3.5, random.exponential(1.2)))
    return sound


LONGEST_CRACKLE = 100_000  # of the noise, where a crackle may begin


def cafe(random: Generator, frames: int, rate: int) -> Samples:
    """Return a murmur of voices without words, and cups."""
    sound = np.zeros((frames, 2), np.float32)
    for low, high in ((140, 420), (260, 900), (400, 1600)):
        voice = noise(random, rate, band(low, high, -5))
        talk = slow(random, frames, rate, 0.17, 0.0, 1.0) * slow(random, frames, rate, 2.5, 0.1, 1.0)
        sound += np.roll(laid(voice, frames) * talk[:, None], int(random.integers(rate)), axis=0)
    for at in times(random, frames / rate, 0.35):
        hertz = random.uniform(3800, 6500)
        put(sound, tone(rate, 0.18, hertz, hertz, 9), at, rate, random.random(), random.uniform(0.3, 1.2))
    return sound


def vinyl(random: Generator, frames: int, rate: int) -> Samples:
    """Return the surface of a record: crackle, few pops, a little hiss."""
    sound = laid(noise(random, rate, band(1500, 8000)), frames) * np.float32(0.05)
    sound += laid(noise(random, rate, band(25, 90)), frames) * np.float32(0.12)
    clicks = [tone(rate, 0.0015, hertz, 0.6 * hertz, 3) for hertz in (2200.0, 3600.0, 5200.0)]
    for at in times(random, frames / rate, 18):
        put(
            sound,
            clicks[int(random.integers(3))],
            at,
            rate,
            random.uniform(0.3, 0.7),
            min(2.5, random.exponential(0.9)),
        )
    return sound


def city(random: Generator, frames: int, rate: int) -> Samples:
    """Return a hum, and cars that pass."""
    sound = laid(noise(random, rate, band(50, 220, -3)), frames) * np.float32(0.6)
    tyres = laid(noise(random, rate, band(250, 1600, -3)), frames)
    passing = slow(random, frames, rate, 2.2, 0.0, 1.0) ** 2
    side = slow(random, frames, rate, 3.5, 0.0, 1.0)
    sound[:, 0] += tyres[:, 0] * passing * (1 - side)
    sound[:, 1] += tyres[:, 1] * passing * side
    return sound


def bells(random: Generator, frames: int, rate: int) -> Samples:
    """Return a far bell, struck every few seconds."""
    sound = np.zeros((frames, 2), np.float32)
    strike = random.choice(_BELL_HZ)
    bell = sum(
        (gain * tone(rate, 4.0, multiple * strike, multiple * strike, decay) for multiple, gain, decay in _PARTIALS),
        start=np.zeros(4 * rate, np.float32),
    )
    at = random.uniform(0.3, 1.5)
    while at < frames / rate - 1:
        put(sound, bell, at, rate, 0.6, random.uniform(0.6, 1))
        at += random.uniform(3.5, 6)
    return sound


SOUNDS: Mapping[str, Callable[[Generator, int, int], Samples]] = MappingProxyType({
    "rain": rain, "thunder": thunder, "waves": waves, "wind": wind, "stream": stream, "birds": birds,
    "crickets": crickets, "fire": fire, "cafe": cafe, "vinyl": vinyl, "city": city, "bells": bells,
})  # fmt: skip
