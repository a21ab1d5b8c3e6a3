"""Pictures out of the archives of packages, with what a person saw in them: photos.toml. No measuring."""

import tarfile
import tomllib
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

# `make quality` downloads the packages of pictures.txt to here; nothing of them is installed.
ARCHIVES = Path(".venv-quality/pictures")
DRAWING = "drawing"
_TRUTHS = Path(__file__).with_name("photos.toml")


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture with what it shows: subjects and kinds of the eyes, "people:2", or "drawing"."""

    name: str
    truths: frozenset[str]
    data: bytes = field(repr=False)


def shown_by_packages(part: str) -> Iterator[Shown]:
    """Yield the pictures of "tuning" or "held_out"; a package that is not there is said to be missing."""
    for package, pictures in tomllib.loads(_TRUTHS.read_text("utf-8"))[part].items():
        archive = next(iter(sorted(ARCHIVES.glob(f"{package}-*"))), None)
        if archive is None:
            print(f"  {package}: missing, see `make quality`")
            continue
        names, load = _opened(archive)
        for end, truths in pictures.items():
            name = next((name for name in sorted(names) if _same(name).endswith("/" + _same(end))), None)
            if name is None:
                print(f"  {package}: has no {end} any more")
                continue
            yield Shown(f"{package} {end}", frozenset(truth.strip() for truth in truths.split(",")), load(name))


def _same(name: str) -> str:
    """Return a name without the two ways in which accents are written."""
    return unicodedata.normalize("NFC", name)


def _opened(archive: Path) -> tuple[list[str], Callable[[str], bytes]]:
    if archive.suffix in (".whl", ".zip"):
        files = zipfile.ZipFile(archive)
        return files.namelist(), files.read
    members = tarfile.open(archive)  # noqa: SIM115  # read until the end of the run

    def load(name: str) -> bytes:
        member = members.extractfile(name)
        return member.read() if member else b""

    return members.getnames(), load
