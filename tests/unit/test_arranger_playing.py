import io
import wave
from dataclasses import replace
from pathlib import Path

import midirenderer
import mido
import numpy as np
import pytest

from melodify_core.composers.arranger.composition import score_of
from melodify_core.composers.arranger.fonts import font_path
from melodify_core.composers.arranger.midi import midi_file
from melodify_core.composers.arranger.score import BEND, DRUM_CHANNEL, Key, Note, Part, Score
from melodify_core.composers.arranger.soundfont import KITS, Wanted, opened, small_font
from melodify_core.composers.arranger.synthesis import PLAYED_RATE, tracks_of
from melodify_core.models import Wish
from melodify_core.styles.instruments import instruments
from melodify_core.styles.patterns import DRUMS, TIMPANI
from tests.briefs import a_brief

# Generators of the format: the group of which one zone sounds, and one without a meaning.
GROUP, UNUSED = 57, 59


def bends(part: Part) -> list[tuple[float, int]]:
    return [(beat, cents) for beat, control, cents in part.controls if control == BEND]


def test_a_haegeum_slides_into_the_peaks_of_its_phrases_and_arrives() -> None:
    lead = score_of(a_brief(instruments=("haegeum",)), Wish(style="korean"), 1).part("lead")
    assert lead is not None
    points = bends(lead)
    assert points[-1][1] == 0
    assert all(-200 <= cents <= 0 for _, cents in points)
    pitches = {note.start: note.pitch for note in lead.notes}
    starts = sorted(pitches)
    slid = [place for place, start in enumerate(starts) if any(beat == start and cents < -50 for beat, cents in points)]
    assert len(slid) >= 4
    for place in slid[1:]:
        assert pitches[starts[place]] > pitches[starts[place - 1]]
        assert [cents for beat, cents in points if beat < starts[place]][-1] == 0


@pytest.mark.parametrize("style", ["piano", "rock", "jazz"])
def test_only_what_has_one_voice_and_can_slide_does(style: str) -> None:
    for part in score_of(a_brief(arousal=0.5), Wish(style=style), 1).parts:
        if bends(part) and part.role != "drums":
            assert part.role in ("lead", "counter", "bass")
            assert instruments()[part.name].slide


def test_no_two_bars_of_drums_are_the_same_machine() -> None:
    score = score_of(a_brief(arousal=0.6), Wish(style="house"), 1)
    drums = score.part("drums")
    assert drums is not None
    pitches = dict(bends(drums))
    assert set(pitches) == {note.start for note in drums.notes}
    assert 5 < np.std(list(pitches.values())) < 12
    bars: dict[int, list[int]] = {}
    for note in drums.notes:
        bars.setdefault(int((note.start + 0.05) // score.time.bar), []).append(pitches[note.start])
    assert len({tuple(bar) for bar in bars.values()}) == len(bars)


@pytest.mark.parametrize(("cents", "hertz"), [(0, 440), (-100, 415.3), (100, 466.2)])
def test_a_bend_is_in_the_midi_file_and_is_heard(cents: int, hertz: float) -> None:
    part = Part("flute", "lead", 73, 0, 0, 110, 0, 0, (Note(0.0, 1.0, 69, 100),), ((0.0, BEND, cents),))
    score = Score("", 60, 1.0, Key(0, "major"), (), (), (part,), ((0.0, 60.0),), 0.0)
    file = mido.MidiFile(file=io.BytesIO(midi_file(score)))
    assert [one.pitch for track in file.tracks for one in track if one.type == "pitchwheel"] == [cents * 8192 // 200]
    [track] = tracks_of(score, font_path())
    spectrum = np.abs(np.fft.rfft(track.sound.astype(float), 4 * PLAYED_RATE))
    assert spectrum[1200:2400].argmax() / 4 + 300 == pytest.approx(hertz, abs=4)


def course_of(drums: tuple[Note, ...], kit: int) -> np.ndarray:
    """Return how loud a kit is in each tenth of a second, at 60 beats a minute."""
    part = Part("drums", "drums", kit, DRUM_CHANNEL, 64, 110, 0, 0, drums)
    [track] = tracks_of(Score("", 60, 3.0, Key(0, "major"), (), (), (part,), ((0.0, 60.0),), 0.0), font_path())
    tenths = track.sound.astype(float)[: 30 * (PLAYED_RATE // 10)].reshape(30, -1)
    return np.asarray(np.sqrt((tenths**2).mean(axis=1)))


@pytest.mark.parametrize("kit", [8, 48])
def test_a_hand_stops_a_crash_where_its_note_ends_and_nothing_else(kit: int) -> None:
    rung, stopped = (course_of((Note(0.0, length, DRUMS["crash"], 100),), kit) for length in (3.0, 0.4))
    assert np.abs(rung[:3] - stopped[:3]).max() < 0.05 * rung.max()
    assert rung[10] > 0.1 * rung.max()
    assert stopped[8:].max() < 0.02 * rung.max()
    long, short = (course_of((Note(0.0, length, DRUMS["snare"], 100),), kit) for length in (3.0, 0.2))
    assert np.abs(long - short).max() < 0.02 * long.max()


@pytest.mark.parametrize("grouped", [True, False])
def test_a_closed_hat_ends_an_open_one_in_every_font(grouped: bool, tmp_path: Path) -> None:
    """TimGM6mb has the hats in a group of which one sounds; FluidR3_GM's electronic kit has not."""
    font = opened(font_path())
    generators = font.tables[b"igen"].copy()
    if not grouped:
        generators["kind"][generators["kind"] == GROUP] = UNUSED
    other = replace(font, tables={**font.tables, b"igen": generators})
    hats = frozenset({DRUMS["hat"], DRUMS["open"]})
    path = tmp_path / "kit.sf2"
    path.write_bytes(small_font(other, {(KITS, 25): Wanted((KITS, 25), hats)}))

    def course(*notes: Note) -> np.ndarray:
        part = Part("drums", "drums", 25, DRUM_CHANNEL, 64, 110, 0, 0, notes)
        midi = midi_file(Score("", 60, 1.0, Key(0, "major"), (), (), (part,), ((0.0, 60.0),), 0.0))
        with wave.open(io.BytesIO(midirenderer.render_wave_from(path.read_bytes(), midi))) as source:
            rate, sound = source.getframerate(), np.frombuffer(source.readframes(source.getnframes()), "<i2")
        tenths = sound.astype(float)[: 2 * rate].reshape(10, -1)
        return np.asarray(np.sqrt((tenths**2).mean(axis=1)))

    opened_hat, closed = Note(0.0, 0.2, DRUMS["open"], 100), Note(0.1, 0.2, DRUMS["hat"], 100)
    alone, both, after = course(opened_hat), course(opened_hat, closed), course(closed)
    assert alone[2] > 0.2 * alone.max()
    assert np.abs(both[2:] - after[2:]).max() < 0.05 * alone.max()


@pytest.mark.parametrize("style", ["rock", "cinematic"])
def test_rock_and_orchestra_stop_crashes_and_let_others_ring(style: str) -> None:
    lengths = {"stopped": 0, "rung": 0}
    for seed in range(12):
        drums = score_of(a_brief(arousal=0.9), Wish(style=style, seconds=60), seed).part("drums")
        for note in drums.notes if drums else ():
            if note.pitch == DRUMS["crash"]:
                lengths["stopped" if note.length < 0.6 else "rung"] += 1
    assert lengths["stopped"] >= 4, lengths
    assert lengths["rung"] >= 12, lengths


def test_timpani_play_tones_of_the_chords_in_every_key() -> None:
    """Also after the last chorus was lifted, and in other metres."""
    seen, lifted, keys = 0, 0, set()
    for seed in range(60):
        brief = a_brief(arousal=0.4 + seed % 5 / 10, mode="minor" if seed % 2 else "major")
        score = score_of(brief, Wish(style="cinematic", seconds=60), seed)
        drums = score.part("drums")
        for note in drums.notes if drums else ():
            # Struck a little late, never early.
            chord = next(one for one in reversed(score.chords) if one.start <= note.start + 1e-9)
            if note.pitch in TIMPANI:
                assert note.pitch % 12 in chord.classes, (seed, note, chord)
                seen, lifted = seen + 1, lifted + (score.lifted_by(note.start) != 0)
                keys.add(score.key.name)
            else:
                assert note.pitch in {DRUMS[name] for name in ("kick", "snare", "crash", "tambourine")}, (seed, note)
    assert seen > 500
    assert lifted > 20
    assert len(keys) > 8
