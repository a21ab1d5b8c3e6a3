"""Measures wall time and peak memory of `melodify render` for a 12-megapixel JPEG, including the start."""

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.processes import measure

WIDTH, HEIGHT = 4000, 3000
ROUNDS = 3


def photo(path: Path) -> None:
    """Write a 12-megapixel JPEG with gradients and grain, because a flat picture is too easy for a decoder."""
    rng = np.random.default_rng(12)
    x = np.linspace(0, 1, WIDTH)[None, :, None]
    y = np.linspace(0, 1, HEIGHT)[:, None, None]
    colours = np.array([230, 120, 60]) * (1 - y) + np.array([40, 50, 110]) * y + 30 * np.sin(9 * x)
    grain = rng.normal(0, 6, (HEIGHT, WIDTH, 1))
    Image.fromarray(np.clip(colours + grain, 0, 255).astype(np.uint8)).save(path, quality=92)


def main() -> None:
    """Print the best and the worst of some rounds."""
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "photo.jpg"
        photo(picture)
        command = ["-m", "bot", "render", str(picture), "--seconds", "30", "--out", f"{folder}/song.mp3"]
        # The command runs in a folder without a config.toml.
        runs = [measure(command, folder) for _ in range(ROUNDS)]
    walls = sorted(run.wall_s for run in runs)
    print(f"render, 12-megapixel JPEG, 30 s song: {walls[0]:.2f} .. {walls[-1]:.2f} s wall (target: <= 5 s)")
    print(f"render, peak memory of all processes: {max(run.peak_mb for run in runs):.0f} MB (target: <= 350 MB)")
