"""The sounds around the notes: what each is, how loud, and that the music stays the same under them."""

import numpy as np
import pytest

from melodify_core.composers.arranger.composer import make_take
from melodify_core.composers.arranger.soundscape import SOUNDS, loudness_db, soundscape
from melodify_core.models import Wish
from tests.briefs import a_brief
from tests.sounds import Sound, decoded

RATE = 44_100
# Between which hertz most of each sound's power lies.
BANDS = {
    "rain": (600, 10_000), "thunder": (20, 250), "waves": (50, 3_000), "wind": (100, 1_500), "stream": (300, 4_000),
    "birds": (2_000, 7_500), "crickets": (4_000, 5_300), "fire": (40, 11_000), "cafe": (100, 2_000),
    "vinyl": (20, 9_000), "city": (40, 1_800), "bells": (120, 1_300),
}  # fmt: skip


def spectrum(name: str) -> tuple[np.ndarray, np.ndarray]:
    sound = soundscape([name], 12, 1, RATE).astype(np.float64).mean(axis=1)
    return np.abs(np.fft.rfft(sound)) ** 2, np.fft.rfftfreq(len(sound), 1 / RATE)


def played(*, sounds: tuple[str, ...], hint: str = "") -> Sound:
    take = make_take(a_brief().model_copy(update={"sounds": sounds}), Wish(seconds=12, hint=hint), 3)
    return decoded(take.audio)[0]


def test_every_sound_has_a_band() -> None:
    assert set(BANDS) == set(SOUNDS)


@pytest.mark.parametrize("name", SOUNDS)
def test_a_sound_lies_where_an_ear_expects_it(name: str) -> None:
    power, hertz = spectrum(name)
    low, high = BANDS[name]
    assert power[(hertz >= low) & (hertz <= high)].sum() / power.sum() >= 0.8


@pytest.mark.parametrize("name", SOUNDS)
def test_a_seed_gives_the_same_samples_and_another_seed_others(name: str) -> None:
    once = soundscape([name], 10, 7, RATE)
    assert np.array_equal(once, soundscape([name], 10, 7, RATE))
    assert not np.array_equal(once, soundscape([name], 10, 8, RATE))


@pytest.mark.parametrize("seconds", [10, 16, 30, 120])
def test_it_comes_in_and_fades_and_is_as_long_as_the_song(seconds: int) -> None:
    stem = soundscape(["rain", "birds"], seconds, 7, RATE)
    assert stem.shape == (seconds * RATE, 2)
    assert np.abs(stem[:100]).max() < 100 > np.abs(stem[-100:]).max()
    middle = [loudness_db(part, RATE) for part in np.array_split(stem[3 * RATE : -3 * RATE], 4)]
    assert max(middle) - min(middle) < 6


def test_an_unknown_sound_is_left_out() -> None:
    assert not soundscape(["trombones"], 10, 7, RATE).any()


@pytest.mark.parametrize("names", [("rain",), ("birds",), ("waves", "crickets"), ("fire", "cafe", "vinyl")])
def test_it_is_quiet_under_the_music(names: tuple[str, ...]) -> None:
    plain, mixed = played(sounds=()), played(sounds=names)
    # A louder peak lowers the whole by a little.
    share = float((plain * mixed).sum() / (plain**2).sum())
    under = np.asarray(mixed - share * plain, np.float32)
    distance = loudness_db(np.asarray(plain, np.float32), RATE) - loudness_db(under, RATE)
    assert 23 <= distance <= 31


def test_no_effects_means_only_notes() -> None:
    brief = a_brief().model_copy(update={"soundscape": "slow waves, salt air", "sounds": None})
    with_waves = make_take(brief, Wish(seconds=10), 3).audio
    without = make_take(brief, Wish(seconds=10, hint="no effects"), 3).audio
    plain = make_take(brief.model_copy(update={"sounds": ()}), Wish(seconds=10), 3).audio
    assert without == plain != with_waves
