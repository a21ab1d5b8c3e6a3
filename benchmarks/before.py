"""Measures 30 s songs beside an earlier commit's, in turn: `python -m benchmarks before`.

Both commits run with this environment's packages. Those that the earlier commit's eyes need are not among them: its
whole command looks less closely at the picture.
"""

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.processes import measure
from benchmarks.render import photo
from benchmarks.setup import BEFORE, ROOT
from melodify_core.styles import all_styles

ROUNDS = 5
SONGS = Path(__file__).with_name("warm_songs.py")


def main() -> None:
    """Print what songs cost now, as ratios to the earlier commit."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before = folder / "before"
        archive = subprocess.run(["git", "archive", BEFORE], cwd=ROOT, check=True, stdout=-1).stdout
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(before, filter="data")
        _songs(before)
        _commands(before, folder)


def _songs(before: Path) -> None:
    """Print the ratio of each style, of the best of all rounds, and the median."""
    rounds = [(_warm(before), _warm(ROOT)) for _ in range(ROUNDS)]
    best_before, best_now = (
        {style: min(one[style] for one in times) for style in times[0]} for times in zip(*rounds, strict=True)
    )
    ratios = {style: best_now[style] / best_before[style] for style in best_before}
    print("  " + ", ".join(f"{style} {ratio:.2f}" for style, ratio in ratios.items()))
    print(
        f"30 s song, Brief to MP3, median of {len(ratios)} styles: {median(best_before.values()):.2f} ->"
        f" {median(best_now.values()):.2f} s   ratio {median(ratios.values()):.2f}   target: at most 1.25"
    )


def _warm(tree: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-P", SONGS, *all_styles()], env=_with(tree), check=True, stdout=-1, text=True
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _commands(before: Path, folder: Path) -> None:
    """Print the ratio of the whole command, of the best of all rounds."""
    picture = folder / "photo.jpg"
    photo(picture)
    command = ["-m", "bot", "render", str(picture), "--seconds", "30", "--out", str(folder / "song.mp3")]
    # The command runs in a folder without a config.toml.
    rounds = [[measure(command, str(folder), _with(tree)).wall_s for tree in (before, ROOT)] for _ in range(ROUNDS)]
    best_before, best_now = map(min, zip(*rounds, strict=True))
    print(
        f"melodify render, 12-megapixel JPEG, 30 s song: {best_before:.2f} -> {best_now:.2f} s"
        f"   ratio {best_now / best_before:.2f}   target: at most 0.7"
    )


def _with(tree: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(tree)}
