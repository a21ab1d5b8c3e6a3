import io
import wave
from pathlib import Path

import midirenderer
import numpy as np
import pytest

from melodify_core.composers.arranger.composition import score_of
from melodify_core.composers.arranger.fonts import chosen, font_path
from melodify_core.composers.arranger.midi import midi_file
from melodify_core.composers.arranger.mixing import Track, mixed
from melodify_core.composers.arranger.rooms import DRY_HZ, room
from melodify_core.composers.arranger.score import MODULATION, Key, Note, Part, Score
from melodify_core.composers.arranger.soundfont import KITS, Wanted, opened, small_font
from melodify_core.composers.arranger.soundscape import soundscape
from melodify_core.composers.arranger.synthesis import PLAYED_RATE, kicks_of, tracks_of, wav_of
from melodify_core.errors import Misconfigured
from melodify_core.media.audio.meter import loudness
from melodify_core.models import Wish
from melodify_core.styles import all_styles
from melodify_core.styles.instruments import instruments
from melodify_core.styles.rooms import rooms
from melodify_core.styles.style import Mix, Stem
from quality.spectra import peaks_of
from tests.briefs import a_brief
from tests.sounds import Sound, decoded

RATE = 48_000


def dry(stem: Stem, **changes: object) -> Mix:
    bare: dict[str, object] = {key: {stem: 0} for key in ("near", "far", "pans", "wide")}
    return Mix.model_validate(bare | {"saturation": 0, "hiss": -96} | changes)


def stereo(tracks: list[Track], mix: Mix, kicks: tuple[float, ...] = (), frames: int = 2 * RATE) -> Sound:
    blocks = list(mixed(tracks, mix, 0.0, kicks, frames, RATE))
    return np.asarray(np.concatenate(blocks) / 32768)


def tone(hertz: float, loud: float = 6000) -> np.ndarray:
    return np.asarray(loud * np.sin(2 * np.pi * hertz * np.arange(2 * RATE) / RATE), np.int16)


def noise() -> np.ndarray:
    return np.random.default_rng(1).normal(0, 3000, 2 * RATE).astype(np.int16)


def lufs(sound: Sound) -> float:
    return loudness([np.ascontiguousarray(sound.T, np.float32)])


def strength(sound: np.ndarray, hertz: float) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(spectrum[round(hertz * len(sound) / RATE)])


@pytest.mark.parametrize("style", all_styles())
def test_every_part_has_the_loudness_that_its_style_says(style: str) -> None:
    score = score_of(a_brief(), Wish(style=style, seconds=10), 1)
    tracks, mix, kicks = tracks_of(score, chosen()), score.mix, kicks_of(score)

    def loud(alone: Stem | None = None) -> float:
        blocks = mixed(tracks, mix, score.brightness, kicks, 6 * RATE, PLAYED_RATE, alone)
        return lufs(np.concatenate(list(blocks)) / 32768)

    whole = loud()
    levels = {track.stem: mix.channel(track.stem).level for track in tracks}
    sum_db = 10 * np.log10(sum(10 ** (level / 10) for level in levels.values()))
    for stem, level in levels.items():
        assert loud(stem) - whole == pytest.approx(level - sum_db, abs=3), stem


def test_soft_samples_and_loud_ones_give_the_same_balance() -> None:
    def mix_with(loud: float) -> Sound:
        return stereo([Track("lead", tone(700)), Track("bass", tone(90, loud))], Mix(saturation=0))

    assert np.abs(mix_with(1500) - mix_with(9000)).max() < 0.01


@pytest.mark.parametrize(("stem", "lowest", "highest"), [("lead", -60, -8), ("bass", -6, 6)])
def test_only_bass_and_drums_keep_their_low_end(stem: Stem, lowest: float, highest: float) -> None:
    sound = stereo([Track(stem, tone(60) + tone(700))], dry(stem))[RATE // 2 :].mean(axis=1)
    assert lowest < 20 * np.log10(strength(sound, 60) / strength(sound, 700)) < highest


def test_a_pan_goes_to_its_side_and_a_wide_part_to_both() -> None:
    left = stereo([Track("lead", tone(700))], dry("lead", pans={"lead": -0.8}))
    assert np.abs(left[:, 0]).max() > 3 * np.abs(left[:, 1]).max()

    def side(sound: Sound) -> float:
        return float((sound[:, 0] - sound[:, 1]).std() / sound.mean(axis=1).std())

    assert side(stereo([Track("lead", noise())], dry("lead"))) < 0.01
    assert side(stereo([Track("lead", noise())], dry("lead", wide={"lead": 1}))) > 0.3


def test_a_room_rings_above_its_edge_and_leaves_the_low_end_dry() -> None:
    left, right = room("hall", 1 << 17, 40_000, RATE)
    hertz = np.fft.rfftfreq(1 << 17, 1 / RATE)

    def mean(low: float, high: float) -> float:
        return float((np.abs(left[(hertz > low) & (hertz < high)]) ** 2).mean())

    assert mean(20, DRY_HZ / 2) < 0.02 * mean(400, 2000)
    assert np.abs(left - right).mean() > 0.1 * np.abs(left).mean()


def test_what_is_sent_to_a_room_rings_on() -> None:
    stroke = np.zeros(2 * RATE, np.int16)
    stroke[:20_000] = tone(700)[:20_000]

    def later(mix: Mix) -> float:
        return float(np.abs(stereo([Track("lead", stroke)], mix)[25_000:40_000]).max())

    assert later(dry("lead", far={"lead": 1})) > 10 * later(dry("lead")) + 0.001


def test_the_kick_presses_the_pad_where_the_style_pumps() -> None:
    def loud(pump: float, begin: float) -> float:
        sound = stereo([Track("pad", tone(700))], dry("pad", pump=pump), (1.0,))
        return float(sound[round(begin * RATE) : round((begin + 0.04) * RATE)].std())

    assert loud(0, 1.01) == pytest.approx(loud(0, 0.9), rel=0.05)
    assert loud(0.8, 1.01) < 0.6 * loud(0.8, 0.9)


@pytest.mark.parametrize("style", ["house", "piano", "rock"])
def test_a_glad_piece_is_drier_than_a_sad_one_and_its_drums_are_louder(style: str) -> None:
    mix = all_styles()[style].mix
    stems: tuple[Stem, ...] = ("lead", "counter", "chords", "pad", "bass", "drums")
    for stem in stems:
        sad, even, glad = (mix.in_mood(valence, 0).channel(stem) for valence in (-1, 0, 1))
        assert even == mix.channel(stem)
        if stem == "drums":  # their rooms fill the time between two strokes
            assert (sad.near, sad.far) == (glad.near, glad.far)
            assert sad.level < even.level < glad.level
        else:
            assert sad.level == glad.level
            assert 1 >= sad.far >= even.far >= glad.far
            assert even.far == 0 or sad.far > 4 * glad.far
    still, excited = (mix.in_mood(0, arousal).saturation for arousal in (-1, 1))
    assert 0 <= still < mix.saturation < excited <= 1


def test_a_soundscape_lies_under_the_mix() -> None:
    score = score_of(a_brief(), Wish(style="ambient", seconds=10), 1)
    alone, rate = decoded(wav_of(score))
    both, _ = decoded(wav_of(score, around=soundscape(("rain",), 10, 1, RATE)))
    assert -32 < 20 * np.log10((both - alone).std() / alone.std()) < -18
    assert np.abs(both).max() < 1
    assert len(both) == 10 * rate


@pytest.mark.parametrize("frames", [20_000, 44_100, 90_000])
def test_the_mix_is_as_long_as_asked_and_not_late(frames: int) -> None:
    clap = noise()
    clap[:10_000] = 0
    clap[10_000:] //= 20
    clap[10_000] = 20_000
    sound = stereo([Track("lead", clap)], dry("lead"), frames=frames)
    assert sound.shape == (frames, 2)
    assert abs(int(np.abs(sound[:, 0]).argmax()) - 10_000) <= 8


def test_a_drift_from_zero_is_no_sound() -> None:
    sound = stereo([Track("bass", tone(440) + np.int16(1500))], dry("bass"))[RATE // 2 : -RATE // 2]
    assert abs(sound.mean()) < 0.005 * np.abs(sound).max()


def test_silence_stays_silence() -> None:
    assert not stereo([Track("lead", np.zeros(2 * RATE, np.int16))], Mix()).any()
    assert not stereo([], Mix()).any()


def test_between_two_strokes_the_noise_of_the_tape_is_heard_and_never_in_a_part_alone() -> None:
    stroke = np.zeros(2 * RATE, np.int16)
    stroke[:2000] = tone(700)[:2000]

    def level_db(mix: Mix, alone: Stem | None = None) -> float:
        blocks = list(mixed([Track("lead", stroke)], mix, 0.0, (), 2 * RATE, RATE, alone))
        return float(10 * np.log10((np.concatenate(blocks)[RATE // 2 : RATE] / 32768.0).var() + 1e-12))

    assert level_db(dry("lead", hiss=-60)) == pytest.approx(-60, abs=1)
    assert level_db(dry("lead", hiss=-96)) < -85
    assert level_db(dry("lead", hiss=-60), "lead") < -85


@pytest.mark.parametrize("style", ["lofi", "bossa", "reggae", "house", "korean", "synthwave"])
def test_strokes_do_not_stand_alone_in_silence(style: str) -> None:
    score = score_of(a_brief(), Wish(style=style, seconds=10), 1)
    blocks = mixed(tracks_of(score, chosen()), score.mix, score.brightness, (), 10 * RATE, PLAYED_RATE)
    whole = np.ascontiguousarray(np.concatenate(list(blocks)).T, np.float32) / np.float32(32768)
    assert peaks_of(whole) < 8.5


def test_a_program_that_the_font_lacks_is_played_by_a_relative() -> None:
    font = opened(font_path())
    assert font.nearest((0, 0)) == (0, 0)
    assert font.nearest((KITS, 77)) == (KITS, 0)
    assert font.nearest((0, 200)) == (0, 0)


@pytest.mark.parametrize("content", [b"", b"RIFF1234sfbk", b"RIFF\0\0\0\0sfbkLIST\xff\xff\xff\xffpdta", b"PK\3\4" * 99])
def test_what_is_no_font_is_refused_by_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "own.sf2"
    path.write_bytes(content)
    with pytest.raises(Misconfigured, match=r"own\.sf2 is not a SoundFont"):
        opened(path)


def test_every_style_is_mixed_in_rooms_that_exist() -> None:
    assert all(set(style.mix.rooms) <= set(rooms()) for style in all_styles().values())


def test_a_part_of_few_notes_is_at_its_level_wherever_they_are() -> None:
    def loud(begin: float) -> float:
        notes = np.zeros(10 * RATE, np.int16)
        notes[round(begin * RATE) :][:9600] = tone(700)[:9600]
        whole = [Track("lead", np.tile(tone(400), 5)), Track("counter", notes)]
        blocks = mixed(whole, dry("counter"), 0.0, (), 10 * RATE, RATE, "counter")
        return lufs(np.concatenate(list(blocks)) / 32768)

    levels = [loud(begin) for begin in (1.0, 1.23, 2.09, 3.3, 4.17, 5.37)]
    assert max(levels) - min(levels) < 1


@pytest.mark.parametrize("seconds", [1, 2, 4, 24])
def test_a_track_may_be_a_little_shorter_than_the_others(seconds: int) -> None:
    sound = np.tile(tone(700), (seconds + 1) // 2)[: seconds * RATE]
    tracks = [Track("lead", sound), Track("bass", sound[:-1])]
    assert sum(len(block) for block in mixed(tracks, Mix(), 0.0, (), seconds * RATE, RATE)) == seconds * RATE


def test_tracks_of_a_lower_rate_give_the_same_mix() -> None:
    def mix_at(rate: int) -> Sound:
        sound = np.asarray(6000 * np.sin(2 * np.pi * 700 * np.arange(2 * rate) / rate), np.int16)
        sound[: rate // 2] = 0
        blocks = mixed([Track("lead", sound)], Mix(), 0.0, (), 2 * RATE, rate)
        return np.asarray(np.concatenate(list(blocks)) / 32768)

    slow, fast = mix_at(36_000), mix_at(RATE)
    assert len(slow) == len(fast)
    assert np.abs(slow - fast)[RATE // 2 :].std() < 0.05 * fast.std()


@pytest.mark.parametrize("instrument", ["electric bass", "violin", "cello", "flute"])
def test_what_is_played_faster_sounds_as_what_is_not(instrument: str) -> None:
    program = instruments()[instrument].program
    notes = (Note(0.0, 2.0, 48, 90), Note(3.0, 0.5, 55, 90))
    part = Part(instrument, "lead", program, 0, 0, 110, 0, 0, notes, ((0.0, MODULATION, 60),))
    score = Score("", 60, 4.0, Key(0, "major"), (), (), (part,), ((0.0, 60.0),), 0.0)
    font, wanted = opened(font_path()), {(0, program): Wanted((0, program), frozenset({48, 55}))}
    with wave.open(io.BytesIO(midirenderer.render_wave_from(small_font(font, wanted), midi_file(score)))) as source:
        usual = np.frombuffer(source.readframes(4 * RATE), "<i2").reshape(-1, 2)[:, 0].astype(float)
    [track] = tracks_of(score, font_path())
    faster = np.interp(np.arange(len(usual)) / RATE, np.arange(len(track.sound)) / PLAYED_RATE, track.sound)

    def course(sound: np.ndarray) -> np.ndarray:
        windows = sound[: len(sound) // 4800 * 4800].reshape(-1, 4800)
        return np.asarray(20 * np.log10(np.sqrt((windows**2).mean(axis=1)) + 30))

    assert np.abs(course(usual) - course(faster)).max() < 1.5
    heights = [np.abs(np.fft.rfft(sound[:RATE])).argmax() for sound in (usual, faster)]
    assert abs(heights[0] - heights[1]) <= 1


@pytest.mark.parametrize("instrument", ["acoustic guitar", "trumpet", "string ensemble"])
def test_soft_notes_are_duller_than_hard_ones(instrument: str) -> None:
    def centroid(velocity: int) -> float:
        notes = (Note(0.0, 1.0, 67, velocity),)
        part = Part(instrument, "lead", instruments()[instrument].program, 0, 0, 110, 0, 0, notes)
        score = Score("", 60, 1.0, Key(0, "major"), (), (), (part,), ((0.0, 60.0),), 0.0)
        [track] = tracks_of(score, font_path())
        spectrum = np.abs(np.fft.rfft(track.sound.astype(float)))
        hertz = np.fft.rfftfreq(len(track.sound), 1 / PLAYED_RATE)
        return float((spectrum * hertz).sum() / spectrum.sum())

    assert centroid(40) < 0.97 * centroid(122)
