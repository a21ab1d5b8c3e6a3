"""The files that `melodify setup` makes: their text, how they are shown, and how they are written."""

import difflib
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import tomlkit
from tomlkit.items import Table

from melodify_core.config.files import read_text
from melodify_core.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file as it shall be. `hint` says how to go on once it is there."""

    path: Path
    text: str
    mode: int
    secret: bool = False
    hint: str = ""


def can_hold_files(folder: Path) -> bool:
    """Return whether files can be written into the folder, or it can be made."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    try:
        # Only a try shows it: root may write anywhere, but not into /proc.
        with TemporaryDirectory(dir=there):
            return True
    except OSError:
        return False


def new_settings(before: str | None, values: Mapping[str, Any], head: str) -> str:
    """Return the text of a settings file with the values under their dotted names. What stands there stays."""
    document = tomlkit.parse(before or "")
    if before is None and head:
        document.add(tomlkit.comment(head))
    # Names without a section come first: below a section's head they would belong to it.
    for name in sorted(values, key=lambda name: "." in name):
        section, _, key = name.rpartition(".")
        if not section:
            _set_above_tables(document, key, values[name])
            continue
        table = document.get(section)
        if not isinstance(table, Table):
            table = tomlkit.table()
            document[section] = table
        table[key] = values[name]
    return tomlkit.dumps(document)


def _set_above_tables(document: tomlkit.TOMLDocument, key: str, value: Any) -> None:
    if key in document or not any(isinstance(item, Table) for item in document.values()):
        document[key] = value
        return
    rest = tomlkit.dumps(document)
    line = tomlkit.dumps({key: value})
    document.clear()
    document.update(tomlkit.parse(line + rest))


def diff(files: Sequence[NewFile]) -> str:
    """Return what would change, a secret only by its file's name."""
    parts = []
    for file in files:
        if file.secret:
            parts.append(f"{file.path}: ***\n")
            continue
        before = read_text(file.path) if file.path.exists() else ""
        lines = difflib.unified_diff(
            before.splitlines(), file.text.splitlines(), str(file.path) if before else "", str(file.path), lineterm=""
        )
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def write(files: Sequence[NewFile]) -> None:
    """Write all files, each whole or not at all: first beside their places, then at them, the settings after secrets.

    Raises Misconfigured with the file that cannot be written; then no file has changed.
    """
    parts: list[tuple[Path, Path]] = []
    try:
        for file in files:
            file.path.parent.mkdir(mode=0o700 if file.secret else 0o755, parents=True, exist_ok=True)
            part = file.path.with_name(f"{file.path.name}.part")
            part.unlink(missing_ok=True)
            descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, file.mode)
            parts.append((part, file.path))
            with open(descriptor, "w", encoding="utf-8") as stream:  # noqa: PTH123 - a descriptor, not a path
                stream.write(file.text)
                stream.flush()
                os.fsync(descriptor)
        for part, path in parts:
            part.replace(path)
    except OSError as error:
        for part, _ in parts:
            with suppress(OSError):
                part.unlink(missing_ok=True)
        raise Misconfigured(f"{error.filename} cannot be written: {error.strerror}. Nothing was changed.") from error
