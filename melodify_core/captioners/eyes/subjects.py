"""The subjects that a picture can show, with the ImageNet classes that count for them, and their kinds.

The table is subjects.toml. The words for what is seen are the palette's.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

import numpy as np

from melodify_core.captioners.eyes.weights import Array
from melodify_core.data_files import read_table

Kind = Literal[
    "animal", "bird", "building", "city", "flower", "food", "forest", "furniture", "instrument", "machine", "mountain",
    "people", "plane", "sea", "ship", "sky", "snow", "stage", "train", "vehicle", "water",
]  # fmt: skip

KINDS: tuple[Kind, ...] = get_args(Kind)
_OTHER = "other"


@dataclass(frozen=True, slots=True)
class Classes:
    """The numbers of the classes that count for each subject, for each kind, and for pages."""

    subjects: dict[str, list[int]]
    kinds: dict[Kind, list[int]]
    pages: list[int]
    kind_of: dict[str, Kind]


@cache
def classes() -> Classes:
    """Return what subjects.toml says."""
    table = read_table("melodify_core.captioners.eyes", "subjects.toml")
    kinds: dict[Kind, dict[str, str]] = table["kinds"]
    named = [(subject, kind) for kind, parts in kinds.items() for subject in parts if subject != _OTHER]
    return Classes(
        subjects={subject: _numbers(kinds[kind][subject]) for subject, kind in named},
        kinds={kind: _numbers(" ".join(parts.values())) for kind, parts in kinds.items()},
        pages=_numbers(table["pages"]),
        kind_of=dict(named),
    )


def _numbers(written: str) -> list[int]:
    ranges = [part.split("-") for part in written.split()]
    return [number for first, *last in ranges for number in range(int(first), int((last or [first])[0]) + 1)]


def subject_shares(probabilities: Array) -> dict[str, float]:
    """Return the probability of each subject, the largest first."""
    shares = {subject: float(probabilities[numbers].sum()) for subject, numbers in classes().subjects.items()}
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def kind_shares(probabilities: Array) -> dict[Kind, float]:
    """Return the probability of each kind, the largest first."""
    shares = {kind: float(probabilities[numbers].sum()) for kind, numbers in classes().kinds.items()}
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def page_share(probabilities: Array) -> float:
    """Return how much of a picture looks like a page or a screen."""
    return float(np.asarray(probabilities)[classes().pages].sum())


def scatter(probabilities: Array) -> float:
    """Return the entropy of the probabilities: 0 bits for a single class, 10 bits when all are equal."""
    present = probabilities[probabilities > 0]
    return float(-(present * np.log2(present)).sum())
