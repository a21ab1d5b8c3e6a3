"""A PNG's colours by its gAMA and cHRM chunks (PNG third edition, 11.3.2.1 and 11.3.2.2), as Chromium 156 has them."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from melodify_core.media.cicp import converted

_UNIT = 100_000
# White, red, green and blue: x and y of each (ITU-R BT.709, 1.3 and 1.4).
_SRGB = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
_NEARLY = 100
_PLAIN_GAMMAS = range(44_500, 46_500)  # Chromium takes them as sRGB's own curve
# Bradford's cones, in which whites are adapted.
_CONES = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Gamma:
    """The exponent from samples to light, and the matrix from that light to sRGB's, None where they are the same."""

    exponent: float
    matrix: Matrix | None


def gamma_of(chunks: Mapping[bytes, bytes]) -> Gamma | None:
    """Return what the chunks say, None where nothing is to be converted. cHRM alone means nothing to browsers."""
    gamma = int.from_bytes(chunks.get(b"gAMA", b"")[:4], "big")
    if not gamma or b"sRGB" in chunks:
        return None
    matrix = _matrix(chunks.get(b"cHRM", b""))
    return None if matrix is None and gamma in _PLAIN_GAMMAS else Gamma(_UNIT / gamma, matrix)


def by_gamma(rgb: Image.Image, gamma: Gamma) -> Image.Image:
    """Return the picture in sRGB."""
    return converted(rgb, lambda samples: samples**gamma.exponent, gamma.matrix)


def _matrix(body: bytes) -> Matrix | None:
    """Return the matrix from these primaries to sRGB's, None where they are sRGB's or impossible."""
    if len(body) != 32:
        return None
    numbers = struct.unpack(">8i", body)
    if min(numbers[1::2]) <= 0 or max(abs(a - b) for a, b in zip(numbers, _SRGB, strict=True)) <= _NEARLY:
        return None
    try:
        matrix: Matrix = np.linalg.inv(_to_xyz(_SRGB)) @ _to_xyz(numbers)
    except np.linalg.LinAlgError:
        return None
    return matrix


def _to_xyz(numbers: tuple[int, ...]) -> Matrix:
    """Return the matrix from linear light to CIE XYZ, adapted to a white of 1, 1, 1."""
    points = np.array(numbers, dtype=np.float64).reshape(4, 2) / _UNIT
    x, y = points[:, 0], points[:, 1]
    white, *primaries = np.stack((x / y, np.ones(4), (1 - x - y) / y), axis=1)
    columns = np.array(primaries).T
    adapted = np.linalg.inv(_CONES) @ np.diag((_CONES @ np.ones(3)) / (_CONES @ white)) @ _CONES
    matrix: Matrix = adapted @ (columns * np.linalg.solve(columns, white))
    return matrix
