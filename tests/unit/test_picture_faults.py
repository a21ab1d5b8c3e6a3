"""Pictures with one fault each: they come out as browsers show them, or are refused with a sentence that is true.

tests/process/test_picture_browser.py measures the values in Chromium.
"""

import struct
import time
import tracemalloc
from contextlib import closing
from functools import partial

import numpy as np
import pytest
from PIL import Image

from melodify_core.errors import Rejected
from melodify_core.media.picture import MEMORY_MB, PictureLimits, prepare
from melodify_core.media.worker_pool import WorkerPool
from tests import pictures
from tests.picture_faults import SHOWN, before_pixels, cut, cut_png, half_floats_tiff, ramp, with_xmp
from tests.pictures import chunk, encoded, opened, quarters

LIMITS = PictureLimits()


def code_of(data: bytes, limits: PictureLimits = LIMITS) -> str:
    with pytest.raises(Rejected) as caught:
        prepare(data, limits)
    return caught.value.code


def seen(data: bytes, size: tuple[int, int]) -> tuple[tuple[int, int], list[tuple[int, ...]]]:
    """The size, and the colours where the quarters of a picture of `size` have their middles."""
    image = opened(prepare(data, LIMITS).jpeg).convert("RGB")
    pixels = np.asarray(image).astype(int)
    points = [(x * size[0] // 4, y * size[1] // 4) for y in (1, 3) for x in (1, 3)]
    return image.size, [tuple(pixels[y, x]) for x, y in points]


@pytest.mark.parametrize("name", SHOWN)
def test_a_peculiar_picture_is_what_a_browser_shows(name: str) -> None:
    shown = SHOWN[name]
    size, colours = seen(shown.make(), shown.size)
    assert size[0] == shown.size[0]
    assert 0.9 * shown.size[1] <= size[1] <= shown.size[1]  # the rows that are not there are left out
    assert np.abs(np.array(colours) - np.array(shown.colours)).max() <= 14, colours


@pytest.mark.parametrize("mark", [chunk(b"cICP", bytes([9, 16, 0, 1])), chunk(b"gAMA", struct.pack(">I", 100_000))])
def test_converting_colours_takes_little_memory(mark: bytes) -> None:
    data = before_pixels(encoded(Image.new("RGB", (768, 768)), "PNG"), mark)
    tracemalloc.start()
    prepare(data, LIMITS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize("kind", ["HEIF", "TIFF"])
def test_xmp_turns_no_picture_that_no_chromium_shows(kind: str) -> None:
    assert seen(with_xmp(kind), (96, 64)) == seen(encoded(quarters(), kind), (96, 64))


@pytest.mark.parametrize(("kind", "part"), [("JPEG", 0.8), ("PNG", 0.8), ("GIF", 0.8), ("BMP", 0.8), ("PNG", 0.4)])
def test_a_picture_without_a_tenth_of_its_rows_is_refused_as_such(kind: str, part: float) -> None:
    assert code_of(cut(kind, part, interlace=0) if kind == "GIF" else cut(kind, part)) == "picture.cut"


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP"])
def test_what_is_missing_is_not_counted_where_it_only_looks_so(kind: str) -> None:
    # Black and white rows at the end are rows all the same.
    picture = ramp()
    picture.paste("white", (0, 60, 200, 110))
    picture.paste("black", (0, 110, 200, 160))
    whole = encoded(picture, kind)
    size, _ = seen(whole[: len(whole) - (12 if kind == "PNG" else 4)], (200, 160))
    assert size[1] >= 152


def test_a_picture_of_which_nothing_is_left_is_broken() -> None:
    png = encoded(ramp(), "PNG")
    assert code_of(png[: png.index(b"IDAT") + 20]) == "picture.broken"


def test_a_progressive_jpeg_that_ends_in_the_head_of_a_later_scan_is_what_came_before() -> None:
    data = encoded(quarters(), "JPEG", quality=90, progressive=True)
    last = data.rindex(b"\xff\xda")
    size, colours = seen(data[: last + 4], (96, 64))
    assert size == (96, 64)
    assert np.abs(np.array(colours) - np.array(seen(data, (96, 64))[1])).max() <= 14, colours


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("colour", ["black", "white", (128, 128, 128)])
def test_a_damaged_jpeg_of_one_colour_is_a_picture(progressive: bool, colour: str | tuple[int, int, int]) -> None:
    data = encoded(Image.new("RGB", (7680, 5120), colour), "JPEG", progressive=progressive)
    size, _ = seen(data[:-2], (768, 512))
    assert size == (768, 512)


def test_a_jpeg_without_any_pixels_is_broken() -> None:
    for progressive in (False, True):
        data = encoded(ramp(), "JPEG", progressive=progressive)
        assert code_of(data[: data.index(b"\xff\xda") + 2]) == "picture.broken"


def test_a_damaged_picture_may_be_as_large_as_two_copies_fit_into_a_worker() -> None:
    large = cut_png(8000, 4500)
    assert code_of(large) == "picture.too_heavy"
    assert prepare(cut_png(800, 450), LIMITS).jpeg


def test_floats_that_nothing_here_reads_are_a_kind_and_no_damage() -> None:
    assert code_of(half_floats_tiff()) == "picture.unsupported"


def test_a_tiff_without_a_directory_is_broken() -> None:
    assert code_of(b"II*\0" + struct.pack("<I", 5000) + bytes(100)) == "picture.broken"


# Files that are made to take long


@pytest.mark.parametrize("name", pictures.ENDLESS)
def test_a_file_that_is_made_to_take_long_is_refused_at_once(name: str) -> None:
    data = pictures.ENDLESS[name]()
    started = time.thread_time()
    assert code_of(data) == "picture.too_slow"
    assert time.thread_time() - started < 0.5


@pytest.mark.parametrize("progressive", [False, True])
def test_an_ordinary_progressive_picture_is_taken(progressive: bool) -> None:
    assert prepare(encoded(ramp((3000, 2000)), progressive=progressive), LIMITS).width == 768


@pytest.mark.parametrize(
    ("data", "limit_mp"),
    [
        (lambda: pictures.repeated_scan(1, (7000, 7000), subsampling=0), 44),
        (lambda: encoded(Image.new("L", (5000, 4000)), "WEBP"), 17),
        (lambda: encoded(Image.new("L", (6000, 5000)), "AVIF", speed=10), 25),
        (lambda: encoded(Image.new("L", (7000, 7000)), "TIFF", compression="tiff_deflate", tiffinfo={278: 7000}), 33),
    ],
    ids=["JPEG", "WebP", "AVIF", "TIFF"],
)
def test_a_format_that_takes_more_memory_has_a_lower_bound(data: "partial[bytes]", limit_mp: int) -> None:
    with pytest.raises(Rejected) as caught:
        prepare(data(), LIMITS)
    assert caught.value.code == "picture.too_many_pixels"
    assert limit_mp - 1 <= int(caught.value.values["limit_mp"]) <= limit_mp + 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "BMP"])
async def test_more_memory_than_allowed_is_a_refusal_and_no_kill(kind: str) -> None:
    options = {"progressive": True} if kind == "JPEG" else {"compression": "tiff_deflate"} if kind == "TIFF" else {}
    data = encoded(Image.new("1" if kind == "BMP" else "L", (6000, 6000)), kind, **options)
    with closing(WorkerPool(1)) as pool:  # others' work leaves free memory behind in a shared one
        with pytest.raises(Rejected) as caught:
            await pool.run(60, prepare, data, LIMITS, memory_mb=10)
        assert caught.value.code == "picture.too_heavy"
        assert (await pool.run(60, prepare, data, LIMITS, memory_mb=MEMORY_MB)).width == 768
