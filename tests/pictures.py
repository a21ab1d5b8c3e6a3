"""Makes the pictures that the tests look at: scenes for the captioner, formats and hostile files for `prepare`."""

import io
import struct
import zlib
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 480, 320


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    if kind == "HEIF":
        from pillow_heif import register_heif_opener

        register_heif_opener()
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


# Scenes


def sunset() -> bytes:
    """An orange sky over a plum sea, with a low sun."""
    picture = _gradient((96, 60, 120), (255, 168, 84), HEIGHT * 5 // 8, HEIGHT, (110, 62, 78), (60, 36, 66))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((200, 130, 280, 210), fill=(255, 230, 160))
    draw.rectangle((0, 200, WIDTH, HEIGHT), fill=(96, 58, 80))
    for y in range(204, HEIGHT, 7):
        draw.line((240 - (y - 180) // 3, y, 240 + (y - 180) // 3, y), fill=(250, 176, 110), width=2)
    return encoded(picture.filter(ImageFilter.GaussianBlur(2)), quality=90)


def night_sea() -> bytes:
    """Dark blue over darker blue, and a faint shine."""
    picture = _gradient((8, 12, 34), (22, 38, 78), HEIGHT // 2, HEIGHT, (10, 22, 50), (4, 8, 22))
    ImageDraw.Draw(picture).ellipse((350, 40, 374, 64), fill=(190, 200, 220))
    return encoded(picture.filter(ImageFilter.GaussianBlur(3)), quality=90)


def forest() -> bytes:
    """Upright trunks and leaves in many greens."""
    random = Random(3)
    picture = Image.new("RGB", (WIDTH, HEIGHT), (46, 92, 52))
    draw = ImageDraw.Draw(picture)
    for _ in range(900):
        x, y, size = random.randrange(WIDTH), random.randrange(HEIGHT), random.randrange(4, 16)
        green = random.randrange(70, 170)
        draw.ellipse((x, y, x + size, y + size), fill=(green // 2, green, green // 3))
    for x in range(20, WIDTH, 60):
        draw.rectangle((x, 60, x + 14, HEIGHT), fill=(74, 52, 36))
    return encoded(picture, quality=90)


def snow() -> bytes:
    """Nearly white, with a few soft shadows."""
    picture = _gradient((214, 226, 240), (240, 244, 250), HEIGHT // 2, HEIGHT, (246, 248, 252), (232, 238, 246))
    ImageDraw.Draw(picture).ellipse((60, 220, 260, 260), fill=(216, 226, 240))
    return encoded(picture.filter(ImageFilter.GaussianBlur(6)), quality=90)


def portrait() -> bytes:
    """A light oval in the middle of a dark brown ground."""
    picture = Image.new("RGB", (320, 400), (52, 40, 34))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((90, 240, 230, 460), fill=(120, 44, 44))
    draw.ellipse((105, 90, 215, 250), fill=(224, 178, 148))
    return encoded(picture.filter(ImageFilter.GaussianBlur(2)), quality=90)


def carnival() -> bytes:
    """Bright patches of every strong colour."""
    random = Random(5)
    picture = Image.new("RGB", (WIDTH, HEIGHT), (250, 210, 60))
    draw = ImageDraw.Draw(picture)
    colours = [(230, 40, 60), (250, 140, 30), (40, 170, 90), (40, 110, 230), (210, 60, 170), (255, 235, 120)]
    for number in range(260):
        x, y, size = random.randrange(WIDTH), random.randrange(HEIGHT), random.randrange(14, 44)
        draw.rectangle((x, y, x + size, y + size), fill=colours[number % len(colours)])
    return encoded(picture, quality=90)


def neon() -> bytes:
    """Thin magenta and cyan lines on black."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), (14, 8, 30))
    draw = ImageDraw.Draw(picture)
    for number, x in enumerate(range(-200, WIDTH, 26)):
        colour = (235, 40, 180) if number % 2 else (40, 200, 235)
        draw.line((x, HEIGHT, x + 200, 0), fill=colour, width=4)
    return encoded(picture, quality=90)


def fog() -> bytes:
    """Greys without an edge."""
    return encoded(_gradient((120, 124, 128), (150, 152, 154), HEIGHT // 2, HEIGHT, (150, 152, 154), (118, 120, 122)))


def noise(size: tuple[int, int] = (WIDTH, HEIGHT)) -> bytes:
    return encoded(Image.fromarray(random_pixels(size)), quality=90)


def plain(colour: str | tuple[int, int, int], size: tuple[int, int] = (64, 64)) -> bytes:
    return encoded(Image.new("RGB", size, colour), "PNG")


SCENES = {scene.__name__: scene for scene in (sunset, night_sea, forest, snow, portrait, carnival, neon, fog, noise)}


def mistaken() -> bytes:
    """Soft ellipses that open_nsfw takes for something sexual (0.97). A search made them; they show nothing."""
    image = Image.new("RGB", (256, 256), (158, 103, 83))
    draw = ImageDraw.Draw(image)
    for x, y, width, height, colour in _MISTAKEN:
        draw.ellipse((x - width, y - height, x + width, y + height), fill=colour)
    return encoded(image.filter(ImageFilter.GaussianBlur(3)), "PNG")


_MISTAKEN = (
    (150, 11, 56, 44, (197, 161, 104)),
    (3, 69, 41, 63, (179, 167, 127)),
    (85, 252, 14, 63, (220, 153, 121)),
    (3, 16, 27, 52, (230, 229, 107)),
    (151, 70, 51, 84, (153, 108, 61)),
    (80, 159, 3, 42, (149, 73, 73)),
    (143, 257, 92, 64, (252, 171, 132)),
    (125, 37, 17, 62, (138, 69, 63)),
    (69, 21, 66, 69, (184, 121, 149)),
    (188, 125, 51, 78, (191, 123, 135)),
    (254, 57, 24, 39, (225, 102, 147)),
    (158, 26, 42, 34, (165, 161, 144)),
    (56, 43, 35, 39, (206, 144, 155)),
    (200, 65, 80, 82, (168, 140, 84)),
)


def random_pixels(size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)


def _gradient(
    top: tuple[int, int, int],
    above: tuple[int, int, int],
    horizon: int,
    height: int,
    below: tuple[int, int, int],
    bottom: tuple[int, int, int],
) -> Image.Image:
    sky = np.linspace(top, above, horizon)
    ground = np.linspace(below, bottom, height - horizon)
    rows = np.concatenate([sky, ground])[:, None, :]
    return Image.fromarray(np.broadcast_to(rows, (height, WIDTH, 3)).round().astype(np.uint8))


# Formats and hostile files


def quarters(size: tuple[int, int] = (96, 64)) -> Image.Image:
    """Red and green above, blue and white below: every turn and mirror image shows."""
    picture = Image.new("RGB", size, "white")
    half = (size[0] // 2, size[1] // 2)
    picture.paste("red", (0, 0, *half))
    picture.paste("lime", (half[0], 0, size[0], half[1]))
    picture.paste("blue", (0, half[1], half[0], size[1]))
    return picture


def laid_down(orientation: int, kind: str = "JPEG") -> bytes:
    """The quarters, stored so that EXIF's orientation turns them upright again."""
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    upright = quarters()
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = upright.transpose(turns[orientation]) if orientation in turns else upright
    return encoded(stored, kind, exif=exif.tobytes())


def talkative_jpeg() -> bytes:
    """A JPEG with a camera's name, a place, a comment and a colour profile."""
    exif = Image.Exif()
    exif[0x010F] = "SECRETCAMERA"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[29] = "SECRETDATE"
    return encoded(quarters(), exif=exif, comment=b"SECRETCOMMENT", icc_profile=b"SECRETPROFILE" * 20)


def photo(width: int = 4000, height: int = 3000) -> bytes:
    """A JPEG of a camera's size with gradients, shapes and grain. 12 megapixels take a second to make."""
    small = np.random.default_rng(2).integers(0, 256, (height // 50, width // 50, 3), dtype=np.uint8)
    grain = np.random.default_rng(4).integers(-8, 9, (height, width, 1), dtype=np.int16)
    smooth = np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC), dtype=np.int16)
    return encoded(Image.fromarray((smooth + grain).clip(0, 255).astype(np.uint8)), quality=88)


def bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """A PNG of a few bytes that claims a huge size."""
    return png(width, height, bits=8, rows=bytes(1000))


def png(width: int, height: int, bits: int, rows: bytes) -> bytes:
    """A PNG of RGB samples, written by hand: `rows` has a filter byte before each row."""
    header = struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, body) for name, body in chunks)


def webp_bomb() -> bytes:
    """A WebP of a few bytes that claims 16383 x 16383, the format's largest."""
    data = bytearray(
        encoded(Image.new("RGBA", (8, 8), (1, 2, 3, 4)), "WEBP", save_all=True, append_images=[quarters((8, 8))])
    )
    start = data.index(b"VP8X") + 12
    data[start : start + 6] = (16_382).to_bytes(3, "little") * 2
    return bytes(data)


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def long_gif(frames: int = 1000) -> bytes:
    """An animation whose first frame is red and all others blue."""
    first, second = Image.new("P", (200, 200)), Image.new("P", (200, 200))
    first.putpalette([255, 0, 0] + [0, 0, 255] * 255)
    second.putpalette([255, 0, 0] + [0, 0, 255] * 255)
    second.paste(1, (0, 0, 200, 200))
    third = second.copy()
    third.putpixel((0, 0), 2)
    rest = [(second, third)[number % 2] for number in range(frames - 1)]
    return encoded(first, "GIF", save_all=True, append_images=rest, duration=20)


def eps_with_jpeg() -> bytes:
    """PostScript that a careless opener would hand to ghostscript, with a JPEG behind it."""
    return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\n" + encoded(quarters()) + b"\n%%EOF\n"


def svg() -> bytes:
    return b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def stereo_photo() -> bytes:
    """A camera's MPO: the quarters, and a black second eye."""
    return encoded(quarters(), "MPO", save_all=True, append_images=[Image.new("RGB", (96, 64), "black")])


def unmarked_cmyk_jpeg(ink: tuple[int, int, int, int]) -> bytes:
    """A CMYK JPEG without Adobe's marker, whose ink is therefore stored as it is and not inverted."""
    cyan, magenta, yellow, black = (255 - part for part in ink)
    data = encoded(Image.new("CMYK", (40, 40), (cyan, magenta, yellow, black)))
    marker = data.index(b"\xff\xee\0\x0eAdobe")
    return data[:marker] + data[marker + 16 :]


def large_frame_gif(width: int = 60_000, height: int = 60_000) -> bytes:
    """A GIF with a screen of 8 x 8 whose only frame claims a huge size."""
    data = bytearray(encoded(Image.new("P", (8, 8)), "GIF"))
    start = data.index(b",\0\0\0\0\x08\0\x08\0") + 5
    data[start : start + 4] = struct.pack("<HH", width, height)
    return bytes(data)


def xmp(secret: str) -> bytes:
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>{secret}</rdf:RDF></x:xmpmeta>'.encode()


def xmp_orientation(orientation: int) -> bytes:
    return (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        f'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="{orientation}"/></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    ).encode()


# Colour profiles (ICC.1:2001-04), as small as they can be


def swapped_profile(name: str = "Swapped") -> bytes:
    """An RGB profile, linear, whose red is sRGB's green and whose green is sRGB's red."""
    red, green, blue = (0.4360, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)
    tags = {b"rXYZ": _xyz(*green), b"gXYZ": _xyz(*red), b"bXYZ": _xyz(*blue), b"wtpt": _xyz(0.9642, 1, 0.8249)}
    tags[b"desc"] = struct.pack(">4s4xI", b"desc", len(name) + 1) + name.encode() + bytes(1 + 8 + 3 + 67)
    return _profile(b"RGB ", b"XYZ ", tags | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _linear()))


def linear_grey_profile() -> bytes:
    return _profile(b"GRAY", b"XYZ ", {b"kTRC": _linear(), b"wtpt": _xyz(0.9642, 1, 0.8249)})


def ink_profile(lab: tuple[int, int, int]) -> bytes:
    """A CMYK profile in which cyan, magenta, yellow and paper have one colour, and black is black.

    L, a and b are 0..255, with 128 as the middle of a and b.
    """
    even = bytes(range(256))
    matrix = struct.pack(">9i", *(65536 if place % 4 == 0 else 0 for place in range(9)))
    table = (
        b"mft1\0\0\0\0"
        + bytes([4, 3, 2, 0])
        + matrix
        + even * 4
        + (bytes(lab) + bytes([0, 128, 128])) * 2**3
        + even * 3
    )
    return _profile(b"CMYK", b"Lab ", {b"A2B0": table, b"wtpt": _xyz(0.9642, 1, 0.8249)})


def _profile(space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    kind = b"prtr" if space == b"CMYK" else b"mntr"
    head = struct.pack(">4sI4s4s4s12s4s28x", bytes(4), 0x02400000, kind, space, connection, bytes(12), b"acsp")
    head += struct.pack(">3i48x", *(round(part * 65536) for part in (0.9642, 1, 0.8249)))
    start = 4 + len(head) + 4 + 12 * len(tags)
    index, bodies = b"", b""
    for name, body in tags.items():
        index += name + struct.pack(">II", start + len(bodies), len(body))
        bodies += body + bytes(-len(body) % 4)
    return struct.pack(">I", start + len(bodies)) + head + struct.pack(">I", len(tags)) + index + bodies


def _xyz(*parts: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(part * 65536) for part in parts))


def _linear() -> bytes:
    return b"curv\0\0\0\0" + bytes(4)


# Files of a few kilobytes that would keep a decoder busy for minutes


def repeated_scan(scans: int, size: tuple[int, int] = (2000, 2000), subsampling: int = 2) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    data = encoded(Image.new("RGB", size), progressive=True, subsampling=subsampling)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * scans + data[-2:]


def _many_segments() -> bytes:
    data = encoded(quarters())
    return data[:2] + b"\xff\xe9\0\2" * 500_000 + data[2:]


def _many_chunks() -> bytes:
    data = encoded(quarters(), "PNG")
    at = data.index(b"IDAT") - 4
    return data[:at] + chunk(b"prVt", b"") * 200_000 + data[at:]


def _many_comments() -> bytes:
    data = encoded(quarters().convert("P"), "GIF")
    at = data.index(b",\0\0\0\0")
    return data[:at] + b"!\xfe\1x\0" * 400_000 + data[at:]


def _tiff(more: list[tuple[int, int, int, int]], data_bytes: int) -> bytes:
    tags = [(256, 3, 1, 3000), (257, 3, 1, 3000), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), *more]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4 + data_bytes)


def _tiny_tiles() -> bytes:
    tiles = 750 * 750
    return _tiff([(322, 3, 1, 4), (323, 3, 1, 4), (324, 3, tiles, 200), (325, 3, tiles, 200)], 2 * tiles + 200)


def _shared_tags() -> bytes:
    """The same megabyte is the value of each of many tags."""
    strip = [(273, 4, 1, 8), (278, 3, 1, 3000), (279, 4, 1, 64)]
    return _tiff(strip + [(1000 + number, 7, 1_000_000, 200) for number in range(900)], 1_020_000)


ENDLESS = {
    "JPEG, scans": lambda: repeated_scan(400),
    "JPEG, segments": _many_segments,
    "PNG, chunks": _many_chunks,
    "GIF, comments": _many_comments,
    "TIFF, tiles": _tiny_tiles,
    "TIFF, tags": _shared_tags,
}
