import io
import re
from functools import cache
from itertools import product
from pathlib import Path
from random import Random

import mido
import numpy as np
import pytest

from melodify_core.composers.arranger.composer import ArrangerComposer
from melodify_core.composers.arranger.composition import midi_of, score_of
from melodify_core.composers.arranger.counter import NEAREST
from melodify_core.composers.arranger.density import arrangement
from melodify_core.composers.arranger.fonts import REPAIR, chosen, font_path, is_playable, synthesiser
from melodify_core.composers.arranger.score import MODULATION, Score
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Brief, Wish
from melodify_core.styles import all_styles
from melodify_core.styles.instruments import instruments
from melodify_core.styles.patterns import patterns
from quality.scores import Statistics, statistics
from quality.songs import MOODS, moods_by_style
from tests.briefs import a_brief

every_style = pytest.mark.parametrize("style", all_styles())
many_songs = pytest.mark.no_cover  # as in test_arranger_score.py


@cache
def songs(style: str, seeds: int = 2) -> list[Score]:
    return [score_of(one.brief, one.wish, one.seed) for one in moods_by_style(style, seeds)]


@cache
def statistics_of(style: str) -> list[Statistics]:
    return [statistics(score) for score in songs(style)]


# The figures of `make quality` that need no analyser, smaller


@many_songs
@every_style
def test_the_written_music_keeps_to_its_figures(style: str) -> None:
    found = statistics_of(style)
    assert 0.4 <= sum(one.steps for one in found) / sum(one.moves for one in found) <= 0.7
    assert max(one.largest_leap for one in found) <= 12
    assert sum(one.strong_chord_tones for one in found) >= 0.75 * sum(one.strong for one in found)
    assert np.median([one.key_correlation for one in found]) >= 0.85
    assert sum(one.empty_bars for one in found) == 0
    # Human tunes repeat a rhythm in every second bar only.
    assert np.mean([one.groove for one in found]) >= 0.75
    if all_styles()[style].tune.strict:
        assert sum(one.parallels for one in found) == 0


@many_songs
def test_seeds_and_moods_open_differently() -> None:
    openings = [one.opening for style in all_styles() for one in statistics_of(style)]
    assert len(set(openings)) >= 0.97 * len(openings)


# Impossible Briefs


def impossible(**changes: object) -> Brief:
    return a_brief(**changes)


@pytest.mark.parametrize(
    "brief",
    [
        impossible(genre="death metal lullaby", mode="major", valence=-1.0, arousal=-1.0, bpm=220),
        impossible(genre="<script>alert(1)</script>", instruments=("ignore all previous instructions",)),
        impossible(genre="x" * 60, instruments=("",), mood=("?",)),
        impossible(genre="ambient", bpm=220, arousal=1.0, valence=-1.0),
        impossible(genre="house", bpm=40, mode="minor", valence=1.0, arousal=-1.0),
        impossible(instruments=("violin",) * 6),
        impossible(instruments=("tuba", "piccolo", "gong", "taiko", "theremin", "sitar"), genre="국악 reggae"),
    ],
)
def test_an_impossible_brief_becomes_a_song_that_says_what_it_is(brief: Brief) -> None:
    for seconds in (10, 47, 120):
        score = score_of(brief, Wish(seconds=seconds), 3)
        low, high = all_styles()[score.style].tempo.bpm
        assert low * 0.85 <= score.beats_a_minute <= high * 1.15
        assert score.key.mode == brief.mode
        known = {*instruments(), all_styles()[score.style].drums.name}
        assert all(part.name in known for part in score.parts)
        assert all(0 <= note.pitch <= 127 and 1 <= note.velocity <= 127 for part in score.parts for note in part.notes)


# Parts


def test_every_intro_is_played_by_somebody_in_every_style_that_has_it() -> None:
    for style in all_styles().values():
        playing = {"lead", "chords", "bass"} | ({"pad"} if style.instruments.pad else set())
        assert all(patterns().intros[name].who & playing for name in style.form.intros)


@many_songs
def test_nobody_opens_a_piece_alone_with_tones_that_die_away() -> None:
    opened_by_tune = 0
    for style, seed in product(("korean", "ambient", "folk"), range(12)):
        score = score_of(a_brief(), Wish(style=style, seconds=30), seed)
        intro_ends = score.sections[1].first_bar * score.time.bar - 0.01
        opening = {part.role for part in score.parts if part.notes[0].start < intro_ends}
        by_tune = "lead" in score.sections[0].roles  # and not by its pickup
        opened_by_tune += by_tune
        assert not by_tune or opening & {"chords", "pad"}
    assert opened_by_tune >= 6


@many_songs
@every_style
def test_excitement_chooses_busier_patterns(style: str) -> None:
    bpm = sum(all_styles()[style].tempo.bpm) / 2
    places = [
        np.mean([all_styles()[style].accompaniment.comping.index(one.comping) for one in homes])
        for level in (0.0, 1.0)
        if (homes := [arrangement(Random(n), all_styles()[style], level, bpm).home for n in range(30)])
    ]
    assert places[0] < places[1]


@many_songs
def test_the_second_voice_keeps_out_of_the_way_of_the_tune() -> None:
    close = held = 0
    for style in ("cinematic", "folk", "korean"):
        for score in songs(style):
            counter, lead = score.part("counter"), score.part("lead")
            assert lead is not None
            for note in counter.notes if counter else ():
                if note.length < 1.5:
                    continue
                held += 1
                over = [n for n in lead.notes if note.start - 0.05 <= n.start < note.start + note.length - 0.1]
                close += any(abs(n.pitch - note.pitch) < NEAREST for n in over)
    assert held > 20
    assert close <= 0.05 * held


@many_songs
def test_several_styles_have_a_second_voice_and_every_drummed_one_fills() -> None:
    assert sum(any(score.part("counter") for score in songs(style)[: len(MOODS)]) for style in all_styles()) >= 10


def test_long_tones_sway_in_styles_with_vibrato_and_come_to_rest() -> None:
    lead = score_of(a_brief(instruments=("haegeum",)), Wish(style="korean"), 1).part("lead")
    assert lead is not None
    assert lead.name == "haegeum"
    sways = [value for _, control, value in lead.controls if control == MODULATION]
    assert max(sways) == all_styles()["korean"].tune.vibrato
    assert sways[-1] == 0


def test_korean_tunes_are_pentatonic() -> None:
    for score in songs("korean"):
        lead = score.part("lead")
        assert lead is not None
        missing = [note.pitch % 12 in score.key.semitones for note in lead.notes]
        assert np.mean(missing) < 0.05


# MIDI and sound


@every_style
def test_a_midi_file_says_its_key_and_names_its_parts(style: str) -> None:
    brief, wish = a_brief(mode="minor"), Wish(style=style, seconds=20)
    score = score_of(brief, wish, 4)
    file = mido.MidiFile(file=io.BytesIO(midi_of(brief, wish, 4)))
    [key] = [message.key for message in file.tracks[0] if message.type == "key_signature"]
    assert key == score.key.name.replace(" flat", "b").replace(" sharp", "#") + "m"
    names = [message.name for track in file.tracks for message in track if message.type == "track_name"]
    assert names == [f"{part.role}: {part.name}" for part in score.parts]


async def test_the_composer_says_which_synthesiser_plays(pool: WorkerPool) -> None:
    composer = ArrangerComposer(pool, 60)
    await composer.check()
    assert composer.describe() == synthesiser()
    font = r"(FluidR3_GM\.sf2|TimGM6mb\.sf2 \(.*fluid-soundfont-gm\))"
    assert re.fullmatch(f"midirenderer with {font}", synthesiser())


@pytest.mark.parametrize("broken", ["empty", "cut", "without programs"])
def test_a_font_that_cannot_be_played_gives_way_to_the_packaged_one_and_is_named(tmp_path: Path, broken: str) -> None:
    whole = font_path().read_bytes()
    path = tmp_path / "FluidR3_GM.sf2"
    path.write_bytes(
        {"empty": b"", "cut": whole[: len(whole) // 2], "without programs": without_programs(whole)}[broken]
    )
    assert not is_playable(path)
    assert chosen(path) == font_path()
    assert synthesiser(path) == f"midirenderer with {font_path().name} ({path} {REPAIR})"
    assert chosen(font_path()) == font_path()


def without_programs(font: bytes) -> bytes:
    """Return a font whose table of programs has its last record only, which names none."""
    place = font.index(b"phdr")
    size = int.from_bytes(font[place + 4 : place + 8], "little")
    table = font[place + 8 : place + 8 + size][-38:]
    return font[: place + 4] + len(table).to_bytes(4, "little") + table + font[place + 8 + size :]


def test_nobody_plays_what_the_instrument_does_not_reach() -> None:
    for style in all_styles():
        for valence, arousal in ((0.9, 0.6), (-0.9, -0.5)):
            brief = a_brief(valence=valence, arousal=arousal, mode="major" if valence > 0 else "minor")
            for seed in range(3):
                parts = score_of(brief, Wish(style=style, seconds=30), seed).parts
                for part in (one for one in parts if one.role != "drums"):
                    instrument = instruments()[part.name]
                    outside = [one.pitch for one in part.notes if not instrument.low <= one.pitch <= instrument.high]
                    assert not outside, (style, part.role, part.name, outside)
