"""A PNG's colours by coding-independent code points (PNG third edition, 11.3.2.6; ITU-T H.273): wide and HDR pictures.

HDR is brought to a plain screen as Chromium 156 does it; the values were measured there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Samples = NDArray[np.float64]

# H.273, table 2: linear light of these primaries as that of sRGB's.
_PRIMARIES = {
    9: np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]),  # BT.2020
    12: np.array([[1.2249, -0.2247, 0.0], [-0.0421, 1.0421, 0.0], [-0.0196, -0.0786, 1.0979]]),  # Display P3
}
_UNSPECIFIED = 2
_ROWS = 32  # so many are converted at once: samples take eight bytes, and there are several copies of them
# What a light of so many cd/m2 becomes on a screen whose white is 1.
_NITS = (0.0, 203.0, 270.0, 370.0, 515.0, 590.0, 717.0, 940.0, 1000.0)
_SHOWN = (0.0, 0.5, 0.617, 0.716, 0.815, 0.855, 0.913, 0.982, 1.0)


@dataclass(frozen=True, slots=True)
class Cicp:
    """Which primaries and which transfer function."""

    primaries: int
    transfer: int

    @property
    def plain(self) -> bool:
        """Whether these are sRGB's own colours."""
        return self.primaries not in _PRIMARIES and self.transfer not in _TRANSFERS


def cicp_of(chunks: Mapping[bytes, bytes]) -> Cicp | None:
    """Return the code points of a PNG, None where it has none or leaves them open."""
    body = chunks.get(b"cICP", b"")
    return Cicp(body[0], body[1]) if len(body) == 4 and body[1] != _UNSPECIFIED else None


def in_srgb(rgb: Image.Image, cicp: Cicp) -> Image.Image:
    """Return the picture in sRGB."""
    if cicp.plain:
        return rgb
    transfer, matrix = _TRANSFERS.get(cicp.transfer, _srgb_light), _PRIMARIES.get(cicp.primaries)
    return converted(rgb, transfer, matrix)


def converted(rgb: Image.Image, transfer: Callable[[Samples], Samples], matrix: Samples | None) -> Image.Image:
    """Return the picture in sRGB: `transfer` makes light of samples from 0 to 1, `matrix` sRGB's light of that."""
    result = Image.new("RGB", rgb.size)
    for top in range(0, rgb.height, _ROWS):
        band = rgb.crop((0, top, rgb.width, min(top + _ROWS, rgb.height)))
        light = transfer(np.asarray(band, dtype=np.float64) / 255)
        result.paste(_encoded(light if matrix is None else light @ matrix.T), (0, top))
    return result


def _encoded(light: Samples) -> Image.Image:
    """Return linear light of sRGB's primaries as a picture."""
    light = light.clip(0, 1)
    samples = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return Image.fromarray((samples * 255).round().astype(np.uint8))


def _srgb_light(values: Samples) -> Samples:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _gamma(exponent: float) -> Callable[[Samples], Samples]:
    return lambda values: values**exponent


def _pq_light(values: Samples) -> Samples:
    """Return SMPTE ST 2084's light, as shown."""
    power = values ** (32 / 2523)
    ratio = np.maximum(power - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * power)
    return _shown(10_000 * ratio ** (16384 / 2610))


def _hlg_light(values: Samples) -> Samples:
    """Return ARIB STD-B67's light on a screen of 1000 cd/m2, as shown."""
    scene = np.where(values <= 0.5, values**2 / 3, (np.exp((values - 0.55991073) / 0.17883277) + 0.28466892) / 12)
    luminance = scene @ np.array([0.2627, 0.6780, 0.0593])
    return _shown(1000 * scene * luminance[..., None] ** 0.2)


def _shown(nits: Samples) -> Samples:
    """Dim all three colours alike, so that the brightest fits."""
    brightest = np.maximum(nits.max(axis=-1, keepdims=True), 1e-6)
    shown: Samples = nits * np.interp(brightest, _NITS, _SHOWN) / brightest
    return shown


# H.273, table 3. What is written for cameras (BT.709, BT.601, BT.2020) is shown with BT.1886's exponent.
_TRANSFERS: dict[int, Callable[[Samples], Samples]] = {
    **dict.fromkeys((1, 6, 14, 15), _gamma(2.4)),
    4: _gamma(2.2),
    5: _gamma(2.8),
    8: _gamma(1.0),
    16: _pq_light,
    18: _hlg_light,
}
