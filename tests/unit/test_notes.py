"""The notes that are read from a MIDI file, against the score that it was written from."""

import io
from itertools import pairwise

import mido
import pytest

from melodify_core.composers.arranger.composition import score_of
from melodify_core.composers.arranger.midi import midi_file
from melodify_core.composers.arranger.score import Score
from melodify_core.media.notes import DRUM_CHANNEL, voices_of
from melodify_core.models import Wish
from tests.briefs import a_brief


def seconds(score: Score, beat: float) -> float:
    """Return when a beat is, by the score's tempos."""
    changes = [*score.tempos, (beat, 0.0)]
    passed = 0.0
    for (start, bpm), (end, _) in pairwise(changes):
        passed += max(0.0, min(end, beat) - start) * 60 / bpm
    return passed


@pytest.mark.parametrize("style", ["jazz", "piano", "cinematic"])
def test_a_score_s_notes_come_back_with_their_times_pitches_and_instruments(style: str) -> None:
    score = score_of(a_brief(), Wish(style=style, seconds=30), 3)
    voices = voices_of(midi_file(score))
    assert [voice.name for voice in voices] == [part.name for part in score.parts if part.notes]
    assert [voice.drums for voice in voices] == [part.channel == DRUM_CHANNEL for part in score.parts if part.notes]
    for voice, part in zip(voices, (part for part in score.parts if part.notes), strict=True):
        written = {(note.pitch, round(seconds(score, note.start), 2)) for note in part.notes}
        read = {(pitch, round(start, 2)) for start, _, pitch in voice.notes}
        # A hundredth may be rounded to either side.
        near = {(pitch, round(start + off, 2)) for pitch, start in written for off in (-0.01, 0, 0.01)}
        assert read <= near
        assert len(voice.notes) == pytest.approx(len(part.notes), abs=0.02 * len(part.notes))
        assert all(length > 0 for _, length, _ in voice.notes)
    assert max(start + length for voice in voices for start, length, _ in voice.notes) <= score.seconds + 0.01


def test_a_note_that_is_struck_again_begins_anew_and_a_beginning_without_force_is_an_end() -> None:
    notes = [("note_on", 0, 90), ("note_on", 480, 90), ("note_on", 480, 0), ("note_off", 480, 0)]
    track = mido.MidiTrack(mido.Message(kind, note=60, velocity=velocity, time=time) for kind, time, velocity in notes)
    mido.MidiFile(tracks=[track]).save(file=(data := io.BytesIO()))
    [voice] = voices_of(data.getvalue())
    assert voice.notes == [(0.0, 0.5, 60), (0.5, 0.5, 60)]
    assert (voice.name, voice.drums) == ("", False)


def test_what_is_no_midi_file_has_no_notes() -> None:
    whole = midi_file(score_of(a_brief(), Wish(seconds=10), 3))
    for damaged in (b"", b"MThd", b"no file" * 100, whole[:-20], whole[:30], whole[:14] + b"\xff" * 400):
        assert voices_of(damaged) == []
    # Whatever byte is wrong, it is read or it is not: nothing else happens.
    for position in range(0, min(len(whole), 1500), 3):
        voices_of(whole[:position] + b"\xff" + whole[position + 1 :])
