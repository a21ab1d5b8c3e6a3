"""`make wheel-check`: build the wheel, install it into an empty environment, and make a song with it.

The environment is made as a person makes it who has no checkout: the wheel, with the pinned packages that it wants.
Needs the package index.
"""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import av

from deploy.install import PINNED
from tests.pictures import sunset

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).parent / "uv"


def main() -> None:
    """Do it in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="melodify-wheel-") as name:
        folder = Path(name)
        wheel = build(folder / "dist")
        python = install(wheel, folder / "environment")
        print(f"{wheel.name}: installed, and made a song of {song_s(python, folder):.1f} s")


def build(folder: Path) -> Path:
    """Return the wheel that is built from this checkout with the pinned build package."""
    subprocess.run(
        [UV, "build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable, "-o", folder],
        cwd=ROOT,
        check=True,
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path) -> Path:
    """Return the Python of a new environment that has the wheel and what it wants."""
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    into: list[str | Path] = [UV, "pip", "install", "--quiet", "--python", python]
    subprocess.run([*into, *PINNED, "-r", ROOT / "requirements-demo.txt"], check=True)
    subprocess.run([*into, "--no-deps", wheel], check=True)
    return python


def song_s(python: Path, folder: Path) -> float:
    """Return the length of a song made with the installed program, outside of any checkout."""
    (folder / "picture.jpg").write_bytes(sunset())
    melodify: str | Path = python.parent / "melodify"
    command = [melodify, "render", "picture.jpg", "--seconds", "10", "--out", "song.mp3"]
    subprocess.run(command, cwd=folder, check=True)
    with av.open(str(folder / "song.mp3")) as song:
        return (song.duration or 0) / av.time_base


if __name__ == "__main__":
    main()
