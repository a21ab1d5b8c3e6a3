"""What the accompaniment owes to human bands: chords that lead on, a bass that walks, phrases, figures that return."""

import io
from functools import cache
from random import Random

import mido
import numpy as np
import pytest

from melodify_core.composers.arranger.composition import score_of
from melodify_core.composers.arranger.harmony import classes_of
from melodify_core.composers.arranger.leading import led, looped
from melodify_core.composers.arranger.midi import midi_file
from melodify_core.composers.arranger.score import Key, Note, Score
from melodify_core.models import Wish
from melodify_core.styles import all_styles
from quality.songs import MOODS, brief_of_mood
from quality.tunes import straight
from quality.writing import copies, harmony_of, lowest_of

pytestmark = pytest.mark.no_cover  # as in test_arranger_score.py


@cache
def songs(seconds: int = 75) -> tuple[Score, ...]:
    return tuple(
        score_of(brief_of_mood(*mood), Wish(style=style, seconds=seconds), seed)
        for style in all_styles()
        for seed, mood in enumerate(MOODS[:4])
    )


def test_chords_lead_on_and_the_bass_walks_as_often_as_with_human_bands() -> None:
    """The shares that `make quality` asks for, a little wider: there are fewer songs here."""
    found = harmony_of(songs())
    assert 0.13 <= found.inverted <= 0.27
    assert 0.07 <= found.applied <= 0.16
    assert 0.12 <= found.doubled <= 0.22


def test_half_of_the_bars_of_bass_and_drums_return_note_for_note() -> None:
    assert 0.5 <= copies(songs(), "bass") <= 0.8
    assert 0.5 <= copies(songs(), "drums") <= 0.8


def test_a_style_without_colour_stays_in_its_scale_over_its_roots() -> None:
    korean = [song for song in songs() if song.style == "korean"]
    found = harmony_of(korean)
    assert found.applied == 0
    assert found.inverted < 0.03


def test_a_chord_over_its_third_is_a_step_from_its_neighbour_in_the_bass() -> None:
    for song in songs():
        under = lowest_of(song)
        for number, (chord, low) in enumerate(zip(song.chords, under, strict=True)):
            if low is None or (low + song.lifted_by(chord.start)) % 12 == chord.classes[0]:
                continue
            near = [other for other in (under[number - 1], under[number + 1]) if other is not None]
            # The octave is the figure's; a neighbour that is silent in its section says nothing.
            assert len(near) < 2 or any((low - other) % 12 in (1, 2, 10, 11) for other in near)


def test_applied_chords_are_dominants_of_the_next_chord() -> None:
    assert classes_of(Key(0, "major"), "V7/ii") == (9, 1, 4, 7)
    assert classes_of(Key(0, "minor"), "V7/bVI") == (3, 7, 10, 1)
    found = {bar for seed in range(60) for bar in led(Random(seed), Key(0, "major"), "I vi IV V", 1.0)}
    assert found >= {("I", "V7/VI"), ("vi", "V7/IV"), ("IV", "V7/V"), ("I",), ("V",)}
    assert led(Random(1), Key(0, "major"), "I vi IV V", 0.0) == (("I",), ("vi",), ("IV",), ("V",))
    minor = {bar for seed in range(60) for bar in led(Random(seed), Key(0, "minor"), "i iidim IV I", 1.0)}
    assert ("i", "V7/II") not in minor
    assert ("IV", "iv") in minor


def test_a_riff_goes_round_over_two_chords() -> None:
    assert {looped(Random(seed), "I IV vi V") for seed in range(20)} == {"I IV vi V", "I IV I IV"}


def test_phrases_have_four_six_and_eight_bars() -> None:
    lengths = {section.bars for song in (*songs(), *songs(30)) for section in song.sections if section.name in "AB"}
    assert {4, 6, 8} <= lengths


def test_the_last_chorus_of_a_long_song_is_higher_to_its_end() -> None:
    lifted = [song for song in songs() if song.lift]
    assert {song.style for song in lifted} == {name for name, style in all_styles().items() if style.form.lifts}
    assert not any(song.lift for song in songs(30))
    for song in lifted:
        assert song.lift is not None
        [chorus] = [section for section in song.sections if section.energy == 1]
        assert song.lift.start == chorus.first_bar * song.time.bar
        assert song.chords[-1].classes[0] == (song.key.tonic + song.lift.semitones) % 12
        before = {note.pitch % 12 for note in tune_of(song) if note.start < song.lift.start - 1}
        after = {(note.pitch - song.lift.semitones) % 12 for note in tune_of(song) if note.start >= song.lift.start}
        assert len(after - before) <= 3
        file = mido.MidiFile(file=io.BytesIO(midi_file(song)))
        assert len([message for message in file.tracks[0] if message.type == "key_signature"]) == 2


def tune_of(song: Score) -> tuple[Note, ...]:
    lead = song.part("lead")
    assert lead is not None
    return lead.notes


@pytest.mark.parametrize("style", [name for name, style in all_styles().items() if style.accompaniment.riffs])
def test_a_riff_is_one_figure_through_the_whole_piece(style: str) -> None:
    for song in (song for song in songs() if song.style == style):
        bass = song.part("bass")
        assert bass is not None
        single = {
            int(chord.start // 4) for chord in song.chords if chord.length == 4 and chord.start != song.chords[-1].start
        }
        figures: dict[int, set[float]] = {}
        for note in bass.notes:
            place = round(straight(song, note.start) * 4) / 4
            figures.setdefault(int(place // 4), set()).add(place % 4)
        rhythms = [frozenset(figure) for bar, figure in figures.items() if bar in single]
        # The figure has at most two bars; bar B answers bar A.
        assert len(set(rhythms)) <= 2
        assert np.mean([rhythm == rhythms[0] for rhythm in rhythms]) >= 0.4
