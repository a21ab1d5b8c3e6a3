"""Reads pictures from archives of packages, and what a person saw in them from photos.toml. Measures nothing."""

import tarfile
import tomllib
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

# `make quality` downloads the packages of pictures.txt to this folder and installs none of them.
ARCHIVES = Path(".venv-quality/pictures")
DRAWING = "drawing"
_ENDS = (".jpg", ".jpeg", ".png", ".webp")
_TRUTHS = Path(__file__).with_name("photos.toml")


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture and what it shows: subjects and kinds of the eyes, "people:2", or "drawing"."""

    name: str
    truths: frozenset[str]
    data: bytes = field(repr=False)


def shown_by_packages(part: str) -> Iterator[Shown]:
    """Yield the pictures of "tuning" or "held_out", and report missing packages."""
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


def all_of_packages(least_bytes: int) -> Iterator[Shown]:
    """Yield every picture in every archive, judged or not, without icons."""
    for archive in sorted(ARCHIVES.glob("*-*")):
        names, load = _opened(archive)
        for name in sorted(name for name in names if name.lower().endswith(_ENDS)):
            data = load(name)
            if len(data) >= least_bytes:
                yield Shown(f"{archive.name.partition('-')[0]} {name.rpartition('/')[2]}", frozenset(), data)


def _same(name: str) -> str:
    """Return a name in one Unicode form, because accents can be written in two."""
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
