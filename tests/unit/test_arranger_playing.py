import io

import mido
import numpy as np
import pytest

from melodify_core.composers.arranger.composition import score_of
from melodify_core.composers.arranger.fonts import font_path
from melodify_core.composers.arranger.midi import midi_file
from melodify_core.composers.arranger.score import BEND, Key, Note, Part, Score
from melodify_core.composers.arranger.synthesis import PLAYED_RATE, tracks_of
from melodify_core.models import Wish
from melodify_core.styles.instruments import instruments
from tests.briefs import a_brief


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
