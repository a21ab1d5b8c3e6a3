"""`make samples` works, into another folder too."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from tests.process.browser import CHROMIUM

ROOT = Path(__file__).parents[2]
ONLY = ("moon-palace",)  # made in Korean first; once more in English for its words


def make_samples(*arguments: str, code: int = 0, **variables: str) -> str:
    """Run what the Makefile runs, and return what it says of errors."""
    (command,) = re.findall(
        r"^samples:.*\n\t@\$\(BIN\)/python (.*) \$\(ARGS\)$", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    run = [sys.executable, *command.split(), *arguments]
    done = subprocess.run(run, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done.stderr


@pytest.mark.timeout(400)
def test_make_samples_makes_a_picture_its_song_and_their_page(tmp_path: Path) -> None:
    make_samples("songs", "--only", *ONLY, "--out", str(tmp_path))
    samples = tmp_path / "samples"
    assert {path.name for path in samples.iterdir()} == {
        "songs.json", *(f"{name}.{kind}" for name in ONLY for kind in ("webp", "mp3"))
    }  # fmt: skip
    facts = {each["name"]: each for each in json.loads((samples / "songs.json").read_text(encoding="utf-8"))}
    page = (tmp_path / "listen.md").read_text(encoding="utf-8")
    for name in ONLY:
        assert facts[name]["en"]["caption"] != facts[name]["ko"]["caption"]
        assert re.search("[가-힣]", facts[name]["ko"]["title"])
        assert f'src="samples/{name}.mp3"' in page
    # Painted without chance: the picture of the repository, as far as processors agree on sines.
    roofs = [Image.open(folder / f"{ONLY[0]}.webp").convert("RGB") for folder in (samples, ROOT / "docs/samples")]
    assert max(ImageStat.Stat(ImageChops.difference(*roofs)).mean) < 2


@pytest.mark.timeout(400)
@pytest.mark.skipif(CHROMIUM is None, reason="needs google-chrome, or the chromium that .ci/run installs")
def test_make_samples_films_the_demo(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs/samples", tmp_path / "samples", ignore=shutil.ignore_patterns("*.mp3"))
    make_samples("film", "--out", str(tmp_path))
    with Image.open(tmp_path / "demo.webp") as film:
        assert film.n_frames >= 8  # type: ignore[attr-defined]  # of an animated WebP


def test_without_a_browser_it_says_so(tmp_path: Path) -> None:
    assert make_samples("film", "--out", str(tmp_path), code=1, PATH="").startswith("There is no google-chrome")
    assert list(tmp_path.iterdir()) == []
