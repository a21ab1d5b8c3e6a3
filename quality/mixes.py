"""`python -m quality mixes`: bands, width, strokes and the loudness of each part, beside human game music."""

import sys
import tomllib
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from melodify_core.composers.arranger.composition import score_of
from melodify_core.composers.arranger.fonts import chosen
from melodify_core.composers.arranger.mixing import Track, mixed
from melodify_core.composers.arranger.score import Score
from melodify_core.composers.arranger.synthesis import PLAYED_RATE, RATE, kicks_of, tracks_of
from melodify_core.media.audio.meter import loudness
from melodify_core.styles.style import Stem
from quality.figures import at_most, show
from quality.songs import SongSpec, styles_in_turn
from quality.spectra import BANDS, NAMES, Sound, spectra_of

SONGS = 14  # `--songs=42` measures more, `--font=/its/path.sf2` plays another font
HUMANS = tomllib.loads(Path(__file__).with_name("human_mixes.toml").read_text(encoding="utf-8"))["figures"]
# LU against the whole, between which the median of each part must lie.
WANTED: dict[Stem, tuple[float, float]] = {
    "lead": (-5, -4), "bass": (-6.5, -5), "drums": (-8, -6), "chords": (-7.5, -5.5), "pad": (-12, -10.5),
}  # fmt: skip


def main() -> None:
    """Print the figures."""
    options = dict(word[2:].split("=", 1) for word in sys.argv if word.startswith("--") and "=" in word)
    songs = styles_in_turn()[: int(options.get("songs", SONGS))]
    font = Path(options.get("font", chosen()))
    rows, levels = [], defaultdict[Stem, list[float]](list)
    pads = defaultdict[str, list[float]](list)
    print(f"mixes: {len(songs)} songs of all styles, {font.name}; median (10 % .. 90 %)", flush=True)
    for number, one in enumerate(songs, 1):
        whole, parts = _measured(one, font)
        rows.append(whole)
        for stem, level in parts.items():
            levels[stem].append(level)
        if "pad" in parts:
            pads[one.wish.style].append(parts["pad"])
        said = f"{one.wish.style}, peaks {whole[-1]:.1f}, percussive {whole[-2]:.2f}"
        print(f"    {number} of {len(songs)}: {said}", file=sys.stderr, flush=True)
    report(np.array(rows), levels)
    # In styles with a rhythm guitar, the pad's player strikes it, and is half of the band.
    print("  pad by style: " + ", ".join(f"{style} {np.median(found):.1f}" for style, found in pads.items()))


def report(rows: np.ndarray, levels: dict[Stem, list[float]]) -> None:
    """Print what was measured: a row of figures for each song, and the levels of each part."""
    for name, ours, (low, middle, high) in zip(NAMES, rows.T, (HUMANS[name] for name in NAMES), strict=True):
        print(f"  {name:<28} {np.median(ours):7.2f} ({np.quantile(ours, 0.1):7.2f} .. {np.quantile(ours, 0.9):7.2f})"
              f"   human {middle:7.2f} ({low:7.2f} .. {high:7.2f})")  # fmt: skip
    errors = [abs(float(np.median(rows[:, place])) - HUMANS[name][1]) for place, name in enumerate(BANDS)]
    at_most("mean error over eight bands, dB", float(np.mean(errors)), 1.8)
    width = float(np.median(rows[:, NAMES.index("side to mid, dB")]))
    show("side to mid, dB", width, "-9..-5", met=-9 <= width <= -5)
    at_most("onset peaks over the median", float(np.median(rows[:, NAMES.index("onset peaks over the median")])), 6.5)
    for stem, (low, high) in WANTED.items():
        middle = float(np.median(levels[stem]))
        show(f"{stem} against the whole, LU", middle, f"{low:g}..{high:g}", met=low <= round(middle, 1) <= high)


def _measured(spec: SongSpec, font: Path) -> tuple[tuple[float, ...], dict[Stem, float]]:
    score = score_of(spec.brief, spec.wish, spec.seed)
    tracks = tracks_of(score, font)
    whole = _mix(score, tracks)
    loud = loudness([whole])
    return spectra_of(whole, RATE).row, {
        track.stem: loudness([_mix(score, tracks, track.stem)]) - loud for track in tracks
    }


def _mix(score: Score, tracks: Sequence[Track], alone: Stem | None = None) -> Sound:
    frames = round(score.seconds * RATE)
    blocks = list(mixed(tracks, score.mix, score.brightness, kicks_of(score), frames, PLAYED_RATE, alone))
    return np.ascontiguousarray(np.concatenate(blocks).T, np.float32) / np.float32(32768)
