"""What a tune owes to human ones: its moves, its hook, its breaths; and metres that are not 4/4."""

import io
from functools import cache
from itertools import pairwise
from random import Random
from typing import get_args

import mido
import numpy as np
import pytest

from melodify_core.composers.arranger.composition import midi_of, score_of
from melodify_core.composers.arranger.score import TIMES, Score
from melodify_core.composers.arranger.themes import HOOKS, MelodyProfile, onsets, rhythm, theme
from melodify_core.models import Meter, Wish
from melodify_core.styles import all_styles
from melodify_core.styles.intervals import NEVER, class_of, intervals, last_of
from melodify_core.styles.style import Moves
from quality.songs import MOODS, brief_of_mood
from quality.tunes import NAMES, Tune, figures_of, likeness, straight, table, tune_of
from tests.briefs import a_brief

pytestmark = pytest.mark.no_cover  # as in test_arranger_score.py
every_style = pytest.mark.parametrize("style", all_styles())
METERS: tuple[Meter, ...] = ("3/4", "6/8")


@cache
def songs(seeds: int = 2) -> tuple[Score, ...]:
    return tuple(
        score_of(brief_of_mood(*mood), Wish(style=style, seconds=30), seed)
        for style in all_styles()
        for mood in MOODS[:3]
        for seed in range(seeds)
    )


def test_tables_of_moves_are_probabilities() -> None:
    for moves in get_args(Moves):
        found = intervals(moves)
        assert found.shape == (7, 2, 2, NEVER + 1)
        assert np.allclose(found.sum(axis=-1), 1)
        assert not found[..., NEVER].any()


def test_moves_have_classes() -> None:
    assert [class_of(size) for size in (-12, -2, 0, 2, 4, 12)] == [0, 5, 6, 7, 8, 12]
    assert class_of(6) == class_of(-11) == NEVER
    assert [last_of(class_of(size)) for size in (0, 2, -2, 4, -4, 7, -7)] == list(range(7))


def test_tunes_repeat_notes_and_leap_as_often_as_human_ones() -> None:
    """The medians that `make quality` asks for, a little wider: there are fewer songs here."""
    found = table([one for song in songs() if (one := figures_of(tune_of(song)))])
    steps, repeats, thirds, leaps, entropy, span = np.median(found, axis=0)[:6]
    assert 0.48 <= steps <= 0.64
    assert 0.09 <= repeats <= 0.22
    assert 0.16 <= thirds <= 0.26
    assert 0.08 <= leaps <= 0.17
    assert entropy >= 2.8
    assert 10 <= span <= 14


def test_a_tune_that_runs_in_steps_turns_less_often_than_one_that_leaps() -> None:
    """In human tunes the two correlate by -.27."""
    brief = brief_of_mood(0.3, 0.4, "major", 110)
    found = table([
        one
        for style in ("folk", "piano", "lofi", "jazz")
        for seed in range(16)
        if (one := figures_of(tune_of(score_of(brief, Wish(style=style, seconds=60), seed))))
    ])  # fmt: skip
    steps, turns = (found[:, NAMES.index(name)] for name in ("steps", "turns"))
    assert np.corrcoef(steps, turns)[0, 1] < -0.1


def test_tunes_of_a_style_are_not_alike() -> None:
    by_style: dict[str, list[Tune]] = {}
    for song in songs():
        by_style.setdefault(song.style, []).append(tune_of(song))
    # 0.08 to 0.10 in collections of human tunes. It was 0.20 with costs in place of probabilities.
    assert np.mean([likeness(tunes) for tunes in by_style.values()]) <= 0.12


def test_figures_know_a_scale_from_a_repeated_note() -> None:
    scale = Tune(tuple((n / 2, 0.5, 60 + (0, 2, 4, 5, 7, 9, 11, 12)[n % 8]) for n in range(32)), 4, 0)
    same = Tune(tuple((n / 2, 0.5, 60) for n in range(32)), 4, 0)
    first, second = figures_of(scale), figures_of(same)
    assert first is not None
    assert second is not None
    assert first.steps > 0.8
    assert second.repeats == 1
    assert second.entropy == 0
    assert likeness([scale, scale]) == 1
    assert likeness([scale, same]) == 0


def test_every_theme_has_a_hook_that_returns() -> None:
    returned = 0
    for seed in range(40):
        profile = MelodyProfile(TIMES["4/4"], 6, "sung", "sung")
        found = theme(Random(seed), profile)
        motif = found.motifs[found.rhythms[0]]
        assert motif.hook
        assert motif.moves[1 : motif.hook + 1] in HOOKS
        returned += found.rhythms[2] == found.rhythms[0]
    assert returned >= 24


def test_the_hook_of_a_theme_is_heard_in_the_song() -> None:
    """Themes return: in most songs some bars have rhythm and moves in common with an earlier one."""
    shared = []
    for song in songs():
        bars: dict[int, list[tuple[float, int]]] = {}
        for start, _, pitch in tune_of(song).notes:
            bars.setdefault(int(start // song.time.bar), []).append((start % song.time.bar, pitch))
        figures = [
            (
                tuple(at for at, _ in bar[:3]),
                tuple(np.sign(after - before) for (_, before), (_, after) in pairwise(bar[:3])),
            )
            for bar in bars.values()
            if len(bar) >= 3
        ]
        shared.append(len(figures) > len(set(figures)))
    assert np.mean(shared) >= 0.8


@pytest.mark.parametrize("meter", get_args(Meter))
def test_a_bar_of_rhythm_has_about_the_wished_number_of_notes(meter: Meter) -> None:
    time = TIMES[meter]
    for wanted in (2.0, 4.0, 6.0):
        bars = [rhythm(Random(seed), MelodyProfile(time, wanted, "sung", "sung")) for seed in range(60)]
        assert {len(bar) for bar in bars} == {4 * time.bar}
        assert abs(np.mean([len(list(onsets(bar))) for bar in bars]) - wanted) < 0.7
        assert len(set(bars)) >= 6


@every_style
@pytest.mark.parametrize("meter", METERS)
def test_a_metre_is_heard_in_tune_bass_and_drums_and_said_in_the_midi_file(style: str, meter: Meter) -> None:
    brief, wish = a_brief(meter=meter, arousal=0.3), Wish(style=style, seconds=30)
    score = score_of(brief, wish, 2)
    bar = score.time.bar
    assert score.time.name == meter
    file = mido.MidiFile(file=io.BytesIO(midi_of(brief, wish, 2)))
    [signature] = [message for message in file.tracks[0] if message.type == "time_signature"]
    assert f"{signature.numerator}/{signature.denominator}" == meter
    assert file.length == pytest.approx(30, abs=0.02)
    # Chords change with bars of three quarters, or on their last beat, and the bass plays their notes there.
    assert all(chord.start % bar in (0, score.time.half) for chord in score.chords)
    bass, drums = score.part("bass"), score.part("drums")
    assert bass is not None
    downs = {round(straight(score, note.start) * 4) for note in bass.notes}
    first = {round(4 * section.first_bar * bar) for section in score.sections if "bass" in section.roles}
    assert first <= downs
    if drums:
        struck = [straight(score, note.start) % bar for note in drums.notes]
        assert np.mean([place < 0.2 or place > bar - 0.05 for place in struck]) >= 0.12
    assert max(straight(score, note.start) % bar for part in score.parts for note in part.notes) < bar


def test_a_metre_is_the_style_s_own_only_where_it_has_it_and_its_bars_do_not_hurry() -> None:
    def drawn(style: str) -> set[Meter]:
        wish = Wish(style=style, seconds=20)
        return {score_of(brief_of_mood(*mood), wish, seed).time.name for mood in MOODS for seed in range(12)}

    assert drawn("rock") == {"4/4"}
    assert drawn("piano") == {"3/4", "4/4", "6/8"}
    assert drawn("korean") == {"3/4", "4/4", "6/8"}
    calm = [score_of(a_brief(arousal=-1, bpm=100), Wish(style="piano", seconds=20), n) for n in range(8)]
    assert {score.time.name for score in calm} == {"4/4"}


def test_the_tempo_of_six_eighths_counts_dotted_quarters() -> None:
    score = score_of(a_brief(meter="6/8", bpm=90), Wish(style="folk", seconds=30), 1)
    assert score.bpm == pytest.approx(135, rel=0.065)
    assert score.beats_a_minute == pytest.approx(90, rel=0.065)


def test_a_calm_glad_picture_sounds_higher_lighter_and_less_square_than_a_sad_one() -> None:
    """Mode and tempo are the same: what is left is what a listener hears as glad in calm music."""

    def heard(valence: float) -> tuple[float, float, float]:
        brief = a_brief(valence=valence, arousal=-0.5, mode="major", bpm=72)
        pitches, held, off = [], [], []
        for style in ("piano", "folk", "cinematic", "chiptune"):
            for seed in range(6):
                notes = tune_of(
                    score_of(brief.model_copy(update={"meter": "4/4"}), Wish(style=style, seconds=40), seed)
                ).notes
                pitches += [pitch for _, _, pitch in notes]
                waits = [later[0] - note[0] for note, later in pairwise(notes)]
                held += [min(1.0, note[1] / wait) for note, wait in zip(notes, waits, strict=False) if wait > 0]
                off += [start % 1 != 0 for start, _, _ in notes]
        return float(np.mean(pitches)), float(np.mean(held)), float(np.mean(off))

    glad, sad = heard(0.8), heard(-0.8)
    assert glad[0] > sad[0] + 3
    assert glad[1] < sad[1] - 0.03
    assert glad[2] > sad[2] + 0.1
