"""`python -m quality sound`: analyses finished songs with other people's tools."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from melodify_core.composers.arranger.composer import make_take
from melodify_core.composers.arranger.composition import score_of
from melodify_core.composers.arranger.fonts import chosen, synthesiser
from melodify_core.composers.arranger.score import Score
from melodify_core.composers.arranger.synthesis import tracks_of, wav_of
from melodify_core.media.audio.mastering import master
from quality.figures import at_least, at_most
from quality.hearing import Heard, hear
from quality.scores import opening
from quality.songs import SongSpec, of_pictures, styles_in_turn

FOLDS = (0.5, 1.0, 2.0)  # an octave of tempo is allowed
EDGED = {"chiptune"}  # square waves and noise: the detector counts every edge as a click
MOST_BYTES = 10 * 2**20


@dataclass(frozen=True, slots=True)
class Song:
    """A song as it was written and as it was analysed."""

    spec: SongSpec
    score: Score
    heard: Heard
    bare_peak: float  # share of full scale, before the sound is finished

    @property
    def in_key(self) -> bool:
        """Whether the analysis finds the written key."""
        return (self.heard.tonic, self.heard.mode) == (self.score.key.tonic, self.score.key.mode)

    @property
    def off_tempo(self) -> float:
        """The relative difference between the heard tempo and the written one."""
        return min(abs(self.heard.bpm * fold / self.score.beats_a_minute - 1) for fold in FOLDS)


def main() -> None:
    """Print the figures of both sets, and the figures of the pictures' scores."""
    print(f"sound: {synthesiser()}")
    pictures = of_pictures()
    report("songs of drawn pictures, the picture chooses the style", pictures)
    report("all styles in turn, moods that have nothing to do with the style", styles_in_turn())
    takes = [score_of(one.brief, one.wish, one.seed) for one in pictures]
    openings = {opening(score) for score in takes}
    at_least("pictures whose song opens like no other (two bars)", len(openings) / len(takes), 1.0)
    one = pictures[0]
    same = make_take(one.brief, one.wish, 1).audio == make_take(one.brief, one.wish, 1).audio
    at_least("same input, same bytes", float(same), 1, ".0f")


def report(title: str, specs: Sequence[SongSpec]) -> None:
    """Render and analyse the songs, and print the figures."""
    songs = [_song(one) for one in specs]
    print(f"{title}: {len(songs)} songs")
    beating = [song for song in songs if song.score.part("drums")]
    arousal = [song.spec.brief.arousal for song in songs]
    heard = [song.heard for song in songs]
    at_least("essentia hears the written key, share", _share(song.in_key for song in songs), 0.9)
    at_least("major or minor as intended, share", _share(s.heard.mode == s.spec.brief.mode for s in songs), 0.9)
    at_least(f"tempo within 3 %, share of {len(beating)} with drums", _share(s.off_tempo < 0.03 for s in beating), 0.9)
    at_least("arousal and onset rate, correlation", _correlation(arousal, [one.onset_rate for one in heard]), 0.8)
    at_least("arousal and spectral centroid, correlation", _correlation(arousal, [one.centroid for one in heard]), 0.5)
    at_most("loudness, furthest from -14 LUFS", max(abs(one.lufs + 14) for one in heard), 0.5)
    at_most("true peak, highest, dBTP", max(one.true_peak_db for one in heard), -1.0)
    at_most("silence, longest share of a song", max(one.silence for one in heard), 0.03, ".3f")
    errors = [abs(song.heard.seconds - song.spec.wish.seconds) for song in songs]
    at_most("duration, furthest from the wished one, s", max(errors), 0.1, ".3f")
    at_most("DC, highest, share of full scale", max(one.dc for one in heard), 0.001, ".5f")
    at_most("bare synthesis of a part, highest sample (1 clips)", max(song.bare_peak for song in songs), 0.99)
    smooth = [song.heard.clicks for song in songs if song.score.style not in EDGED]
    at_most(f"clicks, all {len(smooth)} songs that are not made of edges", sum(smooth), 0, ".0f")
    print(
        f"  energy of the sides over the middle: {min(s.width for s in heard):.2f} .. {max(s.width for s in heard):.2f}"
    )
    print(f"  styles: {', '.join(sorted({song.score.style for song in songs}))}")


def _song(spec: SongSpec) -> Song:
    score = score_of(spec.brief, spec.wish, spec.seed)
    peak = max(float(np.abs(track.sound.astype(np.int32)).max()) for track in tracks_of(score, chosen()))
    mastered = master(wav_of(score), title="Measured", cover_jpeg=b"", max_bytes=MOST_BYTES)
    song = Song(spec, score, hear(mastered.audio), peak / 32768)
    if "-v" in sys.argv:
        print(
            f"    {score.style:<10} a {spec.brief.arousal:+.2f} {score.key.name} {score.key.mode} {song.in_key}"
            f" {score.beats_a_minute}/{song.heard.bpm:.0f} {song.heard}",
            flush=True,
        )
    return song


def _share(truths: object) -> float:
    return float(np.mean(list(truths)))  # type: ignore[call-overload]


def _correlation(one: Sequence[float], other: Sequence[float]) -> float:
    return float(np.corrcoef(one, other)[0, 1])
