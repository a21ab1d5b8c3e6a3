"""Measures what pictures cost: a worker's peak memory by format and shape, and time compared to an earlier commit."""

import asyncio
import io
import os
import re
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from melodify_core.errors import Rejected
from melodify_core.media.picture import MEMORY_MB, PictureLimits, prepare
from melodify_core.media.worker_pool import WorkerPool
from tests.pictures import encoded, opened, photo

ROOT = Path(__file__).parents[1]
BEFORE = "3a2cf46"
ROUNDS = 3
GREY = {"L": 128}  # the grey with which libjpeg fills what is missing
SHAPES = {"square": (7000, 7000), "wide": (30_000, 1600), "tall": (1600, 30_000)}
SMALLER = {"square": (4100, 4100), "wide": (16_000, 1040), "tall": (1040, 16_000)}  # for WebP
MIDDLE = {"square": (5000, 5000), "wide": (15_000, 1650), "tall": (1650, 15_000)}  # for what takes more memory
Options = dict[str, object]
LARGEST: dict[str, tuple[str, str, dict[str, tuple[int, int]], Options]] = {
    "JPEG": ("JPEG", "RGB", SHAPES, {}),
    "progressive JPEG": ("JPEG", "RGB", SHAPES, {"progressive": True}),
    "progressive JPEG, 4:4:4": ("JPEG", "RGB", MIDDLE, {"progressive": True, "subsampling": 0}),
    "PNG": ("PNG", "RGBA", SHAPES, {"compress_level": 1}),
    "PNG of 16 bits": ("PNG", "I;16", SHAPES, {"compress_level": 1}),
    "GIF": ("GIF", "P", SHAPES, {}),
    "TIFF": ("TIFF", "RGB", SHAPES, {"compression": "tiff_deflate"}),
    "WebP": ("WEBP", "RGBA", SMALLER, {"method": 0}),
    "WebP, lossless": ("WEBP", "RGBA", SMALLER, {"lossless": True, "method": 0, "quality": 0}),
    "AVIF": ("AVIF", "RGB", MIDDLE, {"speed": 10, "subsampling": "4:4:4"}),
    "AVIF with alpha": ("AVIF", "RGBA", {"square": (4400, 4400)}, {"speed": 10, "subsampling": "4:4:4"}),
    "HEIC": ("HEIF", "RGB", {"square": (6900, 6900)}, {"quality": 20}),
    "BMP": ("BMP", "1", SHAPES, {}),
}
# Of a damaged picture there is a copy of what is left of it.
HALF = {"square": (5800, 5800), "wide": (30_000, 1130), "tall": (1130, 30_000)}
DAMAGED: dict[str, tuple[str, str, dict[str, tuple[int, int]], Options]] = {
    "JPEG": ("JPEG", "RGB", SHAPES, {}),
    "grey JPEG": ("JPEG", "L", SHAPES, {}),  # decoded twice after the damage
    "progressive JPEG": ("JPEG", "RGB", SHAPES, {"progressive": True}),
    "PNG": ("PNG", "RGBA", HALF, {"compress_level": 1}),
    "PNG of 16 bits": ("PNG", "I;16", HALF, {"compress_level": 1}),
    "PNG of 1 bit": ("PNG", "1", HALF, {"compress_level": 1}),
    "GIF": ("GIF", "P", HALF, {}),
    "BMP": ("BMP", "1", HALF, {}),
    "BMP of three colours": ("BMP", "RGB", {"small": (2600, 2600)}, {}),
}
MISSING = 12  # bytes: a PNG's end, some rows of blocks or samples of the others
ORDINARY: dict[str, Callable[[], bytes]] = {
    "JPEG of 12 megapixels": photo,
    "progressive JPEG of 12 megapixels": lambda: encoded(opened(photo()), quality=88, progressive=True),
    "JPEG of 2 megapixels": partial(photo, 1920, 1080),
    "PNG of 2 megapixels": lambda: encoded(opened(photo(1920, 1080)), "PNG"),
    "PNG of 0.1 megapixels": lambda: encoded(opened(photo(400, 300)), "PNG"),
    "WebP of 2 megapixels": lambda: encoded(opened(photo(1920, 1080)), "WEBP"),
    "AVIF of 2 megapixels": lambda: encoded(opened(photo(1920, 1080)), "AVIF"),
    "HEIC of 2 megapixels": lambda: encoded(opened(photo(1920, 1080)), "HEIF"),
    "GIF of 0.5 megapixels": lambda: encoded(opened(photo(800, 600)).quantize(128), "GIF"),
}
# Both trees run it: prints the quickest of some times, in seconds of CPU.
TIMED = """
import pathlib, sys, time
from melodify_core.media.picture import PictureLimits, prepare
data, best = pathlib.Path(sys.argv[1]).read_bytes(), float("inf")
for _ in range(int(sys.argv[2])):
    began = time.process_time()
    prepare(data, PictureLimits())
    best = min(best, time.process_time() - began)
print(best)
"""


def begin_peak() -> float:
    """Forget the process's peak; return what it uses now, in MB."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _status_mb("VmRSS")


def peak() -> float:
    """Return the most that the process has used, in MB."""
    return _status_mb("VmHWM")


def _status_mb(name: str) -> float:
    found = re.search(rf"{name}:\s+(\d+)", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) * 1024 / 1e6 if found else 0.0


async def peak_mb(data: bytes) -> tuple[float, str]:
    """Return by how much a fresh worker grows, and what came of the picture."""
    with closing(WorkerPool(1)) as pool:
        await pool.run(60, prepare, encoded(Image.new("RGB", (8, 8))), PictureLimits())
        base = await pool.run(60, begin_peak)
        try:
            made = await pool.run(60, prepare, data, PictureLimits(), memory_mb=MEMORY_MB)
        except Rejected as error:
            return await pool.run(60, peak) - base, f"refused: {error}"
        return await pool.run(60, peak) - base, f"{made.width} x {made.height}"


def heavy() -> PngInfo:
    """Return what makes a PNG's file large, and its colours HDR."""
    info = PngInfo()
    info.add(b"cICP", bytes([9, 16, 0, 1]))
    info.add(b"prVt", bytes(19_000_000))
    return info


def print_peaks() -> None:
    """Print the peak of the largest pictures that are taken, for each format and shape, and of damaged ones."""
    highest = 0.0
    cases = [(name, case, 0) for name, case in LARGEST.items()]
    cases += [("HDR PNG of 20 MB", ("PNG", "RGBA", SHAPES, {"compress_level": 1, "pnginfo": heavy()}), 0)]
    cases += [(f"damaged {name}", case, MISSING) for name, case in DAMAGED.items()]
    for name, (kind, mode, shapes, options), missing in cases:
        for shape, size in shapes.items():
            data = encoded(Image.new(mode, size, GREY.get(mode, 0)), kind, **options)
            grown, result = asyncio.run(peak_mb(data[: len(data) - missing]))
            highest = max(highest, grown)
            millions = size[0] * size[1] / 1e6
            print(f"memory of a worker, {name}, {shape}, {millions:.0f} megapixels: {grown:.0f} MB ({result})")
    print(f"memory of a worker, highest over its base: {highest:.0f} MB (target: <= 300 MB)")


def print_times() -> None:
    """Print how long ordinary pictures take, compared to the code of the commit `BEFORE`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive = subprocess.run(
            ["git", "archive", BEFORE, "melodify_core"], cwd=ROOT, capture_output=True, check=False
        )
        if archive.returncode:
            print(f"ordinary pictures: {BEFORE} is not here to compare with")
            return
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
            files.extractall(folder / "before", filter="data")
        for number, (title, make) in enumerate(ORDINARY.items()):
            file = folder / str(number)
            file.write_bytes(make())
            times = [(_seconds(folder / "before", file), _seconds(ROOT, file)) for _ in range(ROUNDS)]
            before, now = (min(pair[which] for pair in times) for which in (0, 1))
            ratio = statistics.median(after / earlier for earlier, after in times)
            print(f"{title}: {now * 1000:.1f} ms, {before * 1000:.1f} before, ratio {ratio:.2f} (target: <= 1.05)")


def _seconds(tree: Path, file: Path) -> float:
    times = "5" if file.stat().st_size > 500_000 else "20"
    command = [sys.executable, "-c", TIMED, str(file), times]
    done = subprocess.run(
        command, cwd=tree, env=os.environ | {"PYTHONPATH": str(tree)}, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def main() -> None:
    """Print the figures."""
    print_times()
    print_peaks()
