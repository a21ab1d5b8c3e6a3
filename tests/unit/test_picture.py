import io
import struct
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from string import Formatter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from melodify_core.errors import Rejected
from melodify_core.media.picture import PictureLimits, prepare
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Picture
from tests import pictures
from tests.pictures import encoded, opened, quarters

LIMITS = PictureLimits()
ROOT = Path(__file__).parents[2]
RED, LIME, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def refusal(data: bytes, limits: PictureLimits = LIMITS) -> Rejected:
    with pytest.raises(Rejected) as caught:
        prepare(data, limits)
    return caught.value


def corners(picture: Picture) -> list[tuple[int, ...]]:
    """The colours in the middle of the four quarters, from the upper left, row by row."""
    image = opened(picture.jpeg)
    across, down = (image.width // 4, image.width * 3 // 4), (image.height // 4, image.height * 3 // 4)
    return [pixel(image, x, y) for y in down for x in across]


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    value = image.convert("RGB").getpixel((x, y))
    assert isinstance(value, tuple)
    return tuple(int(sample) for sample in value)


def middle(data: bytes) -> tuple[int, ...]:
    image = opened(prepare(data, LIMITS).jpeg)
    return pixel(image, image.width // 2, image.height // 2)


def near(seen: object, expected: object, tolerance: int = 12) -> bool:
    return bool(np.abs(np.array(seen, dtype=int) - np.array(expected, dtype=int)).max() <= tolerance)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF", "HEIF", "BMP", "TIFF"])
def test_every_format_gives_the_same_picture(kind: str) -> None:
    picture = prepare(encoded(quarters(), kind), LIMITS)
    assert (picture.width, picture.height) == (96, 64)
    assert opened(picture.jpeg).format == "JPEG"
    assert near(corners(picture), [RED, LIME, BLUE, WHITE])


def test_a_stereo_photo_is_its_first_eye() -> None:
    data = pictures.stereo_photo()
    assert opened(data).format == "MPO"
    assert near(corners(prepare(data, LIMITS)), [RED, LIME, BLUE, WHITE])


@pytest.mark.parametrize("kind", ["MPO", "JPEG", "HEIF", "AVIF"])
def test_a_fresh_process_reads_every_format(kind: str, tmp_path: Path) -> None:
    # Pillow registers its formats as they are met: what other tests did before must not help.
    file = tmp_path / "picture"
    file.write_bytes(pictures.stereo_photo() if kind == "MPO" else encoded(quarters(), kind))
    program = (
        "import sys, pathlib; from melodify_core.media.picture import PictureLimits, prepare; "
        "print(prepare(pathlib.Path(sys.argv[1]).read_bytes(), PictureLimits()).width, 'pillow_heif' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program, file], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["96", str(kind == "HEIF")]


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "jpeg", "packbits"])
def test_compressed_tiffs_are_read(compression: str) -> None:
    picture = prepare(encoded(quarters(), "TIFF", compression=compression), LIMITS)
    assert near(corners(picture), [RED, LIME, BLUE, WHITE])


def test_a_big_endian_tiff_is_read() -> None:
    assert near(middle(_big_endian_tiff(200)), (200, 200, 200))


@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "PNG", "HEIF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_put_upright(orientation: int, kind: str) -> None:
    picture = prepare(pictures.laid_down(orientation, kind), LIMITS)
    assert (picture.width, picture.height) == (96, 64)
    assert near(corners(picture), [RED, LIME, BLUE, WHITE])


def test_an_orientation_that_does_not_exist_changes_nothing() -> None:
    assert near(corners(prepare(pictures.laid_down(77), LIMITS)), [RED, LIME, BLUE, WHITE])


def test_broken_metadata_is_no_reason_to_refuse_a_picture() -> None:
    data = encoded(quarters(), exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" + b"\xff" * 40)
    assert near(corners(prepare(data, LIMITS)), [RED, LIME, BLUE, WHITE])


def test_metadata_is_gone() -> None:
    before = pictures.talkative_jpeg()
    assert before.count(b"SECRET") >= 4
    after = prepare(before, LIMITS).jpeg
    assert b"SECRET" not in after
    assert not opened(after).getexif()
    assert "comment" not in opened(after).info


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_no_format_leaves_a_trace_of_its_metadata(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SECRETCAMERA"
    exif.get_ifd(0x8825)[29] = "SECRETDATE"
    if kind == "PNG":
        notes = PngInfo()
        notes.add_itxt("XML:com.adobe.xmp", pictures.xmp("SECRETXMP").decode())
        notes.add_text("Comment", "SECRETCOMMENT")
        said: dict[str, object] = {"pnginfo": notes}
    elif kind == "TIFF":
        said = {"tiffinfo": {700: pictures.xmp("SECRETXMP")}}
    else:
        said = {"xmp": pictures.xmp("SECRETXMP")}
    if kind != "TIFF":  # where EXIF and XMP would take each other's place
        said["exif"] = exif.tobytes()
    before = encoded(quarters(), kind, icc_profile=pictures.swapped_profile(), **said)
    assert b"SECRETXMP" in before
    after = prepare(before, LIMITS).jpeg
    assert b"SECRET" not in after
    assert b"acsp" not in after  # how every colour profile begins
    assert set(opened(after).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_a_large_picture_is_made_small_in_its_own_shape() -> None:
    picture = prepare(encoded(quarters((1600, 400))), LIMITS)
    assert (picture.width, picture.height) == (768, 192)
    assert near(corners(picture), [RED, LIME, BLUE, WHITE])


@pytest.mark.parametrize("size", [(3001, 2003), (1537, 1024), (769, 769), (5000, 50)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_odd_sizes_lose_no_edge(size: tuple[int, int], kind: str) -> None:
    picture = prepare(encoded(quarters(size), kind), LIMITS)
    assert max(picture.width, picture.height) == 768
    assert abs(picture.width / picture.height - size[0] / size[1]) <= 0.05 * size[0] / size[1]
    assert near(corners(picture), [RED, LIME, BLUE, WHITE], 20)
    image = opened(picture.jpeg)
    ends = [pixel(image, 0, 0), pixel(image, image.width - 1, image.height - 1)]
    assert near(ends, [RED, WHITE], 30)


def test_a_small_picture_keeps_its_size_and_a_tiny_one_grows_by_whole_pixels() -> None:
    for size, expected in (((65, 30), (65, 30)), ((40, 30), (40, 30)), ((12, 5), (60, 25)), ((1, 1), (64, 64))):
        picture = prepare(encoded(Image.new("RGB", size, "red"), "PNG"), LIMITS)
        assert (picture.width, picture.height) == opened(picture.jpeg).size == expected


@pytest.mark.parametrize("side", [2, 4, 6, 8, 14, 16, 30, 40, 66])
def test_a_small_picture_keeps_its_colours(side: int) -> None:
    image = opened(prepare(encoded(quarters((side, side)), "PNG"), LIMITS).jpeg)
    half, last = image.width // 2, image.width - 1
    # Up to the lines where they meet.
    for x, y, colour in ((0, half - 1, RED), (last, half - 1, LIME), (half - 1, half, BLUE), (half, last, WHITE)):
        assert near(pixel(image, x, y), colour, 60)


def test_only_a_large_picture_stores_its_colours_at_half_the_resolution() -> None:
    for size, chroma in (((200, 300), b"\x11"), ((300, 300), b"\x22")):
        jpeg = prepare(encoded(quarters(size), "PNG"), LIMITS).jpeg
        frame = jpeg.index(b"\xff\xc0")
        assert jpeg[frame + 11 : frame + 12] == chroma


def test_the_hash_is_of_the_pixels_and_not_of_the_file() -> None:
    files = [encoded(quarters(), kind, **options) for kind, options in _lossless()]
    hashes = {prepare(data, LIMITS).sha256 for data in files}
    assert len(hashes) == 1
    assert len(hashes.pop()) == 64
    assert prepare(files[0], LIMITS) == prepare(files[0], LIMITS)
    assert prepare(pictures.plain("red"), LIMITS).sha256 != prepare(pictures.plain("blue"), LIMITS).sha256


def test_pictures_of_equal_bytes_and_other_shape_have_other_hashes() -> None:
    wide, high = (prepare(pictures.plain("red", size), LIMITS).sha256 for size in ((20, 10), (10, 20)))
    assert wide != high


def test_transparency_lies_on_white() -> None:
    rgba = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    half = Image.new("RGBA", (40, 40), (0, 0, 0, 128))
    for kind in ("PNG", "WEBP", "TIFF"):
        assert near(middle(encoded(rgba, kind)), WHITE)
        assert near(middle(encoded(half, kind)), (127, 127, 127))
    for alpha, seen in ((0, 255), (128, 127), (255, 0)):
        grey = Image.new("LA", (40, 40), (0, alpha))
        assert near(middle(encoded(grey, "PNG")), (seen,) * 3)
        paletted = Image.new("PA", (40, 40), (1, alpha))
        paletted.putpalette([255, 255, 255, 0, 0, 0])
        assert opened(encoded(paletted, "TIFF")).mode == "PA"
        assert near(middle(encoded(paletted, "TIFF")), (seen,) * 3)
    assert near(middle(encoded(Image.new("L", (40, 40), 7), "PNG", transparency=7)), WHITE)
    assert near(middle(encoded(Image.new("RGB", (40, 40), RED), "PNG", transparency=RED)), WHITE)


def test_a_palette_with_transparency_lies_on_white() -> None:
    paletted = Image.new("P", (40, 40), 1)
    paletted.putpalette([0, 0, 0, 255, 0, 0])
    assert near(middle(encoded(paletted, "PNG")), RED)
    assert near(middle(encoded(paletted, "PNG", transparency=1)), WHITE)
    assert near(middle(encoded(paletted, "PNG", transparency=bytes([255, 128]))), (255, 127, 127))
    assert near(middle(encoded(paletted, "GIF", transparency=1)), WHITE)


def test_cmyk_becomes_rgb() -> None:
    cyan = Image.new("CMYK", (40, 40), (255, 0, 0, 0))
    assert near(middle(encoded(cyan, "JPEG")), (0, 255, 255), 25)
    assert near(middle(encoded(cyan, "TIFF")), (0, 255, 255), 25)


def test_cmyk_without_adobes_marker_is_not_inverted() -> None:
    assert b"Adobe" in encoded(Image.new("CMYK", (40, 40)))
    assert near(middle(pictures.unmarked_cmyk_jpeg((255, 0, 0, 0))), (0, 255, 255), 25)
    assert near(middle(pictures.unmarked_cmyk_jpeg((0, 0, 0, 0))), WHITE)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_colours_are_brought_to_srgb_by_their_profile(kind: str) -> None:
    red = Image.new("RGB", (40, 40), RED)
    assert near(middle(encoded(red, kind)), RED, 20)
    assert near(middle(encoded(red, kind, icc_profile=pictures.swapped_profile())), LIME, 20)


def test_greys_and_inks_are_brought_to_srgb_by_their_profile() -> None:
    grey = encoded(Image.new("L", (40, 40), 128), "PNG", icc_profile=pictures.linear_grey_profile())
    assert near(middle(grey), (188, 188, 188), 2)
    pink, ink = pictures.ink_profile((166, 192, 128)), Image.new("CMYK", (40, 40), (0, 0, 255, 0))
    for kind in ("JPEG", "TIFF"):
        red, green, blue = middle(encoded(ink, kind, icc_profile=pink))
        assert red > green + 60
        assert blue > green + 30


def test_an_srgb_profile_changes_no_pixel() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    noise = Image.fromarray(pictures.random_pixels((60, 40)))
    assert prepare(encoded(noise, "PNG", icc_profile=srgb), LIMITS) == prepare(encoded(noise, "PNG"), LIMITS)


def test_a_profile_that_calls_itself_srgb_is_taken_at_its_word() -> None:
    # The many roundings of sRGB that are about would give the same pixels different hashes.
    profile = pictures.swapped_profile("sRGB IEC61966-2.1")
    assert near(middle(encoded(Image.new("RGB", (40, 40), RED), "PNG", icc_profile=profile)), RED)


@pytest.mark.parametrize(
    "profile",
    [b"SECRET" * 40, pictures.swapped_profile()[:200], pictures.linear_grey_profile(), pictures.ink_profile((9, 9, 9))],
    ids=["no profile at all", "a cut one", "one of greys", "one of inks"],
)
def test_a_profile_that_cannot_be_used_is_ignored(profile: bytes) -> None:
    assert near(middle(encoded(Image.new("RGB", (40, 40), RED), "PNG", icc_profile=profile)), RED)


def test_sixteen_bits_are_scaled_and_not_clipped() -> None:
    grey = Image.fromarray(np.full((40, 40), 0x8000, dtype=np.uint16))
    assert near(middle(encoded(grey, "PNG")), (128, 128, 128), 2)
    assert near(middle(encoded(grey, "TIFF")), (128, 128, 128), 2)
    dark = Image.fromarray(np.full((2000, 2000), 300, dtype=np.uint16))
    assert near(middle(encoded(dark, "PNG")), (1, 1, 1), 2)


def test_sixteen_bits_of_colour_are_scaled() -> None:
    assert near(middle(_png_of_48_bits((0xFFFF, 0x8000, 0x0000))), (255, 128, 0), 6)


def test_samples_without_a_known_range_end_at_white() -> None:
    ramp = np.tile(np.linspace(0, 1, 60, dtype=np.float32), (40, 1))
    for samples in (ramp, ramp * 3000, (ramp * 2**30).astype(np.int32)):
        image = opened(prepare(encoded(Image.fromarray(samples), "TIFF"), LIMITS).jpeg)
        assert near(pixel(image, 0, 20), (0, 0, 0), 6)
        assert near(pixel(image, 30, 20), (129, 129, 129), 6)
        assert near(pixel(image, 59, 20), WHITE, 6)


def test_floats_that_are_no_numbers_are_black() -> None:
    samples = np.full((40, 40), np.nan, dtype=np.float32)
    samples[:, 20:] = np.inf
    assert near(middle(encoded(Image.fromarray(samples), "TIFF")), (0, 0, 0))


def test_one_bit_pictures_are_read() -> None:
    image = Image.new("1", (40, 40), 1)
    assert near(middle(encoded(image, "PNG")), WHITE)
    assert near(middle(encoded(image, "TIFF", compression="group4")), WHITE)


def test_lab_colours_are_a_format_that_is_not_taken() -> None:
    assert refusal(encoded(Image.new("LAB", (40, 40)), "TIFF")).code == "picture.unsupported"


def test_a_long_animation_is_its_first_frame_and_as_quick() -> None:
    data = pictures.long_gif()
    started = time.thread_time()
    picture = prepare(data, LIMITS)
    assert time.thread_time() - started < 0.2
    assert near(corners(picture), [RED] * 4)


@pytest.mark.parametrize("kind", ["WEBP", "AVIF", "PNG", "TIFF"])
def test_of_several_frames_the_first_counts(kind: str) -> None:
    frames = {"save_all": True, "append_images": [Image.new("RGB", (96, 64), "black")]}
    assert near(corners(prepare(encoded(quarters(), kind, **frames), LIMITS)), [RED, LIME, BLUE, WHITE])


# Refusals


def test_an_empty_file_is_refused() -> None:
    assert refusal(b"").code == "picture.empty"


def test_a_file_that_is_too_large_is_refused_with_its_limit() -> None:
    error = refusal(b"\xff\xd8\xff" + bytes(2 * 1024 * 1024), PictureLimits(max_bytes=2 * 1024 * 1024))
    assert (error.code, error.values) == ("picture.too_large", {"limit_mb": 2})


@pytest.mark.parametrize("size", [(30_000, 30_000), (8_000, 8_000), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_is_refused_at_once(size: tuple[int, int]) -> None:
    started = time.thread_time()
    error = refusal(pictures.bomb(*size))
    assert time.thread_time() - started < 0.5
    assert (error.code, error.values) == ("picture.too_many_pixels", {"limit_mp": 50})


def test_a_webp_that_claims_the_largest_size_is_refused() -> None:
    assert refusal(pictures.webp_bomb()).code == "picture.too_many_pixels"


def test_a_gif_whose_frame_is_larger_than_its_screen_is_refused() -> None:
    assert refusal(pictures.large_frame_gif()).code == "picture.too_many_pixels"


def test_only_our_own_bound_on_pixels_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert prepare(encoded(quarters(), "PNG"), LIMITS).width == 96
    assert Image.MAX_IMAGE_PIXELS == 100
    assert refusal(pictures.bomb(), PictureLimits(max_pixels=900_000_000)).values == {"limit_mp": 65}
    assert refusal(encoded(quarters(), "PNG"), PictureLimits(max_pixels=96 * 64 - 1)).code == "picture.too_many_pixels"
    assert prepare(encoded(quarters(), "PNG"), PictureLimits(max_pixels=96 * 64)).width == 96


def test_the_sentences_name_the_values_that_the_refusals_carry() -> None:
    sentences = tomllib.loads((ROOT / "bot/i18n/locales/en.toml").read_text())["error"]["picture"]
    for error in (refusal(bytes(2), PictureLimits(max_bytes=1)), refusal(pictures.bomb())):
        names = {name for _, name, _, _ in Formatter().parse(sentences[error.code.removeprefix("picture.")]) if name}
        assert names == set(error.values)


def test_a_camera_s_photo_is_quick_and_small_in_memory(tmp_path: Path) -> None:
    file = tmp_path / "photo"
    file.write_bytes(pictures.photo())
    program = """
import pathlib, re, sys, time
from melodify_core.media.picture import PictureLimits, prepare
def peak_mb():
    return int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) / 1024
data = pathlib.Path(sys.argv[1]).read_bytes()
before, started = peak_mb(), time.process_time()
picture = prepare(data, PictureLimits())
print(picture.width, picture.height, time.process_time() - started, peak_mb() - before)
"""
    ran = subprocess.run([sys.executable, "-c", program, file], capture_output=True, text=True, check=True)
    width, height, seconds, megabytes = (float(word) for word in ran.stdout.split())
    print(f"12 megapixels: {seconds:.3f} s of CPU, {megabytes:.0f} MB")
    assert (width, height) == (768, 576)
    assert seconds < 1
    assert megabytes < 48  # what 12 megapixels alone take in Pillow's four bytes each


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF", "HEIF", "BMP", "TIFF"])
@pytest.mark.parametrize("part", [0.05, 0.5, 0.8])
def test_a_cut_picture_is_refused(kind: str, part: float) -> None:
    whole = encoded(Image.fromarray(pictures.random_pixels((200, 150))), kind)
    assert refusal(whole[: int(len(whole) * part)]).code in ("picture.broken", "picture.cut")


@pytest.mark.parametrize(
    "data",
    [
        b"hello, I am a picture",
        b"BMW is a car and not a bitmap, whatever it begins with",
        b"\0" * 4000,
        b"RIFF\0\0\0\0WAVEfmt ",
        b"<!DOCTYPE html><html><body>404</body></html>",
        np.random.default_rng(9).bytes(5000),
    ],
    ids=["text", "text like a bitmap", "zeros", "sound", "page", "random bytes"],
)
def test_what_is_no_picture_is_refused_as_such(data: bytes) -> None:
    assert refusal(data).code == "picture.not_a_picture"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"8BPS\0\1" + bytes(200), "PSD"),
        (b"\0\0\1\0\1\0" + bytes(200), "ICO"),
        (b"%PDF-1.7\n", "PDF"),
        (pictures.svg(), "SVG"),
        (b"\xef\xbb\xbf  <SVG width='2'>", "SVG"),
        (pictures.eps_with_jpeg(), "EPS"),
        (encoded(quarters(), "PPM"), "PNM"),
        (encoded(quarters(), "JPEG2000"), "JPEG 2000"),
        (b"\xff\x0a" + bytes(50), "JPEG XL"),
        (b"\0\0\0\x18ftypisom\0\0\2\0isommp41" + bytes(50), "video"),
    ],
)
def test_a_known_format_that_is_not_taken_is_named(data: bytes, name: str) -> None:
    error = refusal(data)
    assert (error.code, error.values) == ("picture.unsupported", {"format": name})


def test_postscript_never_reaches_ghostscript(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trap, trace = tmp_path / "gs", tmp_path / "ran"
    trap.write_text(f"#!/bin/sh\ntouch {trace}\n")
    trap.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    dos = b"\xc5\xd0\xd3\xc6" + struct.pack("<II", 30, 100) + bytes(18)
    for data in (pictures.eps_with_jpeg(), dos + pictures.eps_with_jpeg()):
        assert refusal(data).code == "picture.unsupported"
    assert not trace.exists()


def test_a_file_is_what_its_first_bytes_say_whatever_hangs_behind() -> None:
    picture = prepare(encoded(quarters(), "PNG") + pictures.eps_with_jpeg(), LIMITS)
    assert near(corners(picture), [RED, LIME, BLUE, WHITE])
    assert b"PS-Adobe" not in picture.jpeg


@pytest.mark.parametrize("size", [(20_000, 1), (1, 20_000), (303, 3)])
def test_a_thread_of_a_picture_is_too_narrow(size: tuple[int, int]) -> None:
    assert refusal(pictures.plain("red", size)).code == "picture.too_narrow"
    assert refusal(encoded(Image.new("RGB", size))).code == "picture.too_narrow"


@pytest.mark.parametrize("size", [(100, 1), (2, 1), (3000, 30), (30, 3000)])
def test_a_narrow_picture_is_still_one(size: tuple[int, int]) -> None:
    picture = prepare(pictures.plain("red", size), LIMITS)
    assert min(picture.width, picture.height) >= 1
    assert near(middle(picture.jpeg), RED)


_SEEDS: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: encoded(quarters(), exif=b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"),
    "JPEG, progressive": lambda: encoded(quarters(), progressive=True),
    "JPEG with a profile": lambda: encoded(quarters(), icc_profile=pictures.swapped_profile()),
    "MPO": pictures.stereo_photo,
    "GIF": lambda: encoded(quarters().convert("P"), "GIF"),
    "PNG": lambda: encoded(quarters(), "PNG"),
    "WEBP": lambda: encoded(quarters(), "WEBP"),
    "TIFF": lambda: encoded(quarters(), "TIFF", compression="tiff_lzw"),
    "AVIF": lambda: encoded(quarters(), "AVIF"),
    "HEIF": lambda: encoded(quarters(), "HEIF"),
    "BMP": lambda: encoded(quarters((24, 16)), "BMP"),
}


@cache
def seed_of(kind: str) -> bytes:
    return _SEEDS[kind]()


@pytest.mark.parametrize("kind", _SEEDS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=12),
    cut=st.floats(0.3, 1),
)
def test_a_damaged_file_gives_a_picture_or_a_refusal(kind: str, changes: list[tuple[float, int]], cut: float) -> None:
    data = bytearray(seed_of(kind))
    for place, value in changes:
        data[int(place**2 * len(data))] = value  # squared: headers are hit more often than pixels
    try:
        picture = prepare(bytes(data[: int(len(data) * cut)]), LIMITS)
    except Rejected as error:
        assert error.code.startswith("picture.")  # noqa: PT017 - both outcomes are right
    else:
        assert opened(picture.jpeg).size == (picture.width, picture.height)


async def test_a_worker_prepares_pictures(pool: WorkerPool) -> None:
    picture = await pool.run(60, prepare, encoded(quarters()), LIMITS)
    assert (picture.width, picture.height) == (96, 64)
    with pytest.raises(Rejected, match=r"picture\.empty"):
        await pool.run(60, prepare, b"", LIMITS)


def _lossless() -> list[tuple[str, dict[str, object]]]:
    return [("PNG", {}), ("PNG", {"compress_level": 1}), ("TIFF", {}), ("BMP", {})]


def _png_of_48_bits(colour: tuple[int, int, int]) -> bytes:
    row = b"\0" + struct.pack(">HHH", *colour) * 16
    return pictures.png(16, 16, bits=16, rows=row * 16)


def _big_endian_tiff(grey: int) -> bytes:
    image = Image.new("L", (16, 16), grey)
    data = io.BytesIO()
    tags = [(256, 3, 16), (257, 3, 16), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (278, 3, 16), (279, 4, 256)]
    data.write(b"MM\0*" + struct.pack(">I", 8 + 256) + image.tobytes() + struct.pack(">H", len(tags)))
    for tag, kind, value in tags:
        data.write(
            struct.pack(">HHI", tag, kind, 1)
            + (struct.pack(">HH", value, 0) if kind == 3 else struct.pack(">I", value))
        )
    data.write(bytes(4))
    return data.getvalue()
