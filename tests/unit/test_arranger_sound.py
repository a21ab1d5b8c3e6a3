import io
import shutil
import sys
import time
from pathlib import Path

import mido
import numpy as np
import pytest

from melodify_core.composers.arranger.composer import ArrangerComposer, make_take
from melodify_core.composers.arranger.composition import score_of
from melodify_core.composers.arranger.fonts import chosen, font_path
from melodify_core.composers.arranger.midi import midi_file
from melodify_core.composers.arranger.score import Key, Note, Part, Score
from melodify_core.composers.arranger.synthesis import played_at_once, tracks_of, wav_of
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Mode, Wish
from melodify_core.styles import all_styles
from melodify_core.styles.instruments import instruments
from tests.briefs import a_brief
from tests.jobs import a_provider_context
from tests.sounds import Sound, decoded


def levels(sound: Sound, rate: int, seconds: float = 0.1) -> np.ndarray:
    """RMS of each window in dBFS."""
    frames = round(rate * seconds)
    windows = sound[: len(sound) // frames * frames].reshape(-1, frames * sound.shape[1])
    return np.asarray(20 * np.log10(np.sqrt((windows**2).mean(axis=1)) + 1e-9))


def centroid(sound: Sound, rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(sound.mean(axis=1)))
    return float((spectrum * np.fft.rfftfreq(len(sound), 1 / rate)).sum() / spectrum.sum())


def check(audio: bytes, seconds: float) -> None:
    sound, rate = decoded(audio)
    assert len(sound) / rate == pytest.approx(seconds, abs=0.1)
    assert np.abs(sound).max() < 0.95
    windows = levels(sound, rate)
    assert np.mean(windows < -50) < 0.06  # the last half second of ten fades out
    # It rings until shortly before the end, and ends in silence rather than in a cut.
    assert windows[-8:-4].max() > -50
    assert np.abs(sound[-5:]).max() < 0.002


@pytest.mark.parametrize("style", all_styles())
@pytest.mark.parametrize(("arousal", "mode"), [(-0.7, "minor"), (0.7, "major")])
def test_short_songs_are_whole_and_neither_clipped_nor_silent(style: str, arousal: float, mode: Mode) -> None:
    brief = a_brief(arousal=arousal, mode=mode, bpm=round(95 + 30 * arousal))
    check(wav_of(score_of(brief, Wish(style=style, seconds=10), 1)), 10)


@pytest.mark.parametrize(("style", "seconds"), [("jazz", 30), ("cinematic", 30), ("piano", 120)])
def test_longer_songs_are_whole_too(style: str, seconds: int) -> None:
    check(wav_of(score_of(a_brief(), Wish(style=style, seconds=seconds), 2)), seconds)


async def test_the_composer_says_what_it_plays(pool: WorkerPool) -> None:
    brief, wish = a_brief(mode="minor", instruments=("nylon guitar", "violin")), Wish(style="folk", seconds=10)
    take = await ArrangerComposer(pool, 60).compose(brief, wish, a_provider_context(seed=5))
    score = score_of(brief, wish, 5)
    assert take.audio[:4] == b"RIFF"
    assert (take.content_type, take.model) == ("audio/wav", "arranger")
    assert (take.bpm, take.key, take.mode) == (round(score.bpm), score.key.name, "minor")
    assert {"nylon guitar", "violin"} <= set(take.instruments)


async def test_the_same_seed_gives_the_same_bytes_in_every_process(pool: WorkerPool) -> None:
    brief, wish = a_brief(), Wish(style="lofi", seconds=10)
    take = await ArrangerComposer(pool, 60).compose(brief, wish, a_provider_context(seed=5))
    assert take.audio == make_take(brief, wish, 5).audio
    assert take.audio != make_take(brief, wish, 6).audio


def test_excited_pictures_sound_brighter() -> None:
    def brightness(arousal: float) -> float:
        return centroid(*decoded(wav_of(score_of(a_brief(arousal=arousal), Wish(style="lofi", seconds=10), 1))))

    assert brightness(-0.9) < brightness(0.0) < brightness(0.9)


def test_the_synthesiser_itself_does_not_clip() -> None:
    for style in ("synthwave", "house", "rock"):
        score = score_of(a_brief(arousal=1.0, valence=1.0, bpm=126), Wish(style=style, seconds=10), 1)
        for track in tracks_of(score, chosen()):
            assert np.abs(track.sound.astype(int)).max() < 32_700, (style, track.stem)


def test_no_instrument_has_a_hole_in_its_range() -> None:
    for name, instrument in instruments().items():
        # A sample of the font serves several semitones: every other pitch meets each.
        pitches = range(instrument.low, instrument.high + 1, 2)
        notes = tuple(Note(float(index), 0.7, pitch, 90) for index, pitch in enumerate(pitches))
        part = Part(name, "lead", instrument.program, 0, 64, 100, 0, 0, notes)
        seconds = len(notes) * 0.2
        score = Score("", 300, seconds, Key(0, "major"), (), (), (part,), ((0.0, 300.0),), 0.0)
        sound, rate = decoded(wav_of(score))
        assert levels(sound[: -rate // 4], rate, 0.2).min() > -50, name


def test_a_midi_file_names_its_programs_and_drums() -> None:
    score = score_of(a_brief(), Wish(style="jazz", seconds=10), 1)
    file = mido.MidiFile(file=io.BytesIO(midi_file(score)))
    programs = {(m.channel, m.program) for track in file.tracks for m in track if m.type == "program_change"}
    assert programs == {(part.channel, part.program) for part in score.parts}


def test_half_a_minute_is_made_in_a_moment() -> None:
    started = time.process_time()
    make_take(a_brief(), Wish(style="lofi", seconds=30), 1)
    assert time.process_time() - started < 5  # a bound for loaded machines; about 0.7 s on two idle cores


def test_two_processes_play_what_one_would() -> None:
    font = font_path().read_bytes()
    midis = [midi_file(score_of(a_brief(), Wish(style=style, seconds=10), 1)) for style in ("lofi", "jazz", "piano")]
    for sound, midi in zip(played_at_once(font, midis), midis, strict=True):
        [alone] = played_at_once(font, [midi])
        assert np.array_equal(sound, alone)


@pytest.mark.parametrize("python", ["/missing", shutil.which("false")])
def test_what_another_process_fails_to_play_is_played_here(python: str, caplog: pytest.LogCaptureFixture) -> None:
    font, midi = font_path().read_bytes(), midi_file(score_of(a_brief(), Wish(style="lofi", seconds=10), 1))
    first, second = played_at_once(font, [midi, midi], python)
    assert np.array_equal(first, second)
    assert len(caplog.records) == 1


def test_a_process_that_is_killed_while_it_writes_costs_nothing(tmp_path: Path) -> None:
    dying = tmp_path / "python"
    dying.write_text(f'#!/bin/sh\n"{sys.executable}" "$@" | head -c 100000\nkill -9 $$\n')
    dying.chmod(0o755)
    font, midi = font_path().read_bytes(), midi_file(score_of(a_brief(), Wish(style="lofi", seconds=10), 1))
    first, second = played_at_once(font, [midi, midi], str(dying))
    assert np.array_equal(first, second)
