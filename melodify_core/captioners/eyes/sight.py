"""Pixels -> Sight: what a photo shows and how certain that is. Thresholds and rules, no networks and no words.

The thresholds were set on the tuning pictures of quality/recognition.py; its other pictures show how often they hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from PIL import Image

from melodify_core.captioners.eyes import subjects
from melodify_core.captioners.eyes.classifier import probabilities
from melodify_core.captioners.eyes.faces import Faces, faces
from melodify_core.captioners.eyes.photo import grain, is_drawn, is_photo
from melodify_core.captioners.eyes.subjects import Kind
from melodify_core.captioners.eyes.weights import Array
from melodify_core.media.memory import return_memory

Certainty = Literal["sure", "likely"]

# Least mean probability of a subject, and of a kind alone ("a bird").
_SURE, _LIKELY_SUBJECT, _LIKELY_KIND = 0.8, 0.5, 0.5
_SURE_IN_KIND = (0.64, 0.75, 0.85)  # a subject, where its kind is even surer: of living ones, and of others
# Whatever has four legs looks a little like one of 120 dogs, and old houses like each other.
_LIKELY_DOG, _LIKELY_BUILDING = 0.7, 0.65
_LIKELY_VOLCANO = 0.75  # clouds in the evening and pyramids look like one
# These kinds are right from here on, even if more scattered: a giraffe is no class, but an animal.
_SURE_ALONE: dict[Kind, float] = {
    "animal": 0.64, "bird": 0.64, "building": 0.73, "food": 0.72, "mountain": 0.7, "vehicle": 0.64
}  # fmt: skip
_MOST_SCATTERED_ALONE = 7.0
# Round walls and quays seen from above look like one to the network, which then cannot tell of which sort.
_SURE_WHOLE: dict[Kind, float] = {"ship": 0.9}
# In bits: a kind whose probability is scattered over many classes is only guessed from colour and texture.
_MOST_SCATTERED = 4.5
# From here on it is rather a cliff than the mountains.
_TELLING_CLIFF = 0.6
# Patterns and fractals look like these to the network, so they are never more than a guess.
_PATTERN_LIKE = frozenset({"coral reef", "jellyfish"})
_PATTERN_KINDS = frozenset({"sea"})
_MOST_PAGE = 0.25
# A face's share of the picture's height: a single face must be larger than several; smaller ones are passers-by.
_PORTRAIT, _PERSON, _PASSER_BY = 0.12, 0.08, 0.04
_ALONE = 0.3  # from here on there is nobody beside it whose face was not found
_MOST_COUNTED = 3


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen. `subject` is one of subjects.toml; None where only the kind is known, as with people."""

    photo: bool = False
    kind: Kind | None = None
    subject: str | None = None
    certainty: Certainty | None = None
    # Up to 3, which means several; 0 with the kind "people" where they are not counted: of two one may look away.
    people: int = 0
    drawn: bool = False  # a comic, a page or a screen
    # The probability of each kind and subject, also where nothing is named.
    shares: Mapping[str, float] = field(default_factory=dict, compare=False, repr=False)


NOTHING = Sight()


def see(picture: Image.Image) -> Sight:
    """Return what an RGB picture shows. The same pixels give the same Sight; a drawing gives nothing."""
    found_grain = grain(picture)
    if not is_photo(found_grain):
        return Sight(drawn=is_drawn(found_grain))
    try:
        found = probabilities(picture)
        if subjects.page_share(found) > _MOST_PAGE:
            return Sight(drawn=True)
        return _judged(found, faces(picture))
    finally:
        return_memory()


def _is_sure_in_kind(share: float, whole: float, named: Sight) -> bool:
    living = named.kind in ("animal", "bird") and named.subject != "dog"
    return share >= _SURE_IN_KIND[0] and whole >= _SURE_IN_KIND[1 if living else 2] and named.kind != "building"


def _least_likely(named: Sight) -> float:
    if named.subject in ("dog", "volcano"):
        return _LIKELY_DOG if named.subject == "dog" else _LIKELY_VOLCANO
    return _LIKELY_BUILDING if named.kind == "building" else _LIKELY_SUBJECT


def _counted(seen: Faces) -> int:
    """Return how many people there are, 0 where there may be one or two."""
    people = min(_MOST_COUNTED, sum(height >= _PERSON for height in seen.heights))
    beside = max((*seen.doubtful, *seen.heights[1:]), default=0) >= _PASSER_BY
    return 0 if people == 1 and (beside or seen.heights[0] < _ALONE) else people


def _judged(found: Array, seen: Faces) -> Sight:
    """Return the first statement that is true: the most certain and most specific ones come first."""
    heights = () if seen.framed else seen.heights
    people = min(_MOST_COUNTED, sum(height >= _PERSON for height in heights))
    passers_by = sum(height >= _PASSER_BY for height in heights)
    passing = min(_MOST_COUNTED, max(2, passers_by))
    of_subjects, of_kinds = subjects.subject_shares(found), subjects.kind_shares(found)
    (subject, share), (kind, whole) = next(iter(of_subjects.items())), next(iter(of_kinds.items()))
    shares = {**of_subjects, **{str(name): part for name, part in of_kinds.items()}}
    scattered = subjects.scatter(found)
    gathered = scattered <= _MOST_SCATTERED and kind not in _PATTERN_KINDS
    named = Sight(photo=True, kind=subjects.classes().kind_of[subject], subject=subject)
    unnamed, crowd = Sight(photo=True, kind=kind), Sight(photo=True, kind="people", people=_MOST_COUNTED)
    rules: tuple[tuple[bool, Sight, Certainty], ...] = (
        (people > 1 or max(heights, default=0) >= _PORTRAIT, replace(crowd, people=_counted(seen)), "sure"),
        (share >= _SURE and subject not in _PATTERN_LIKE, named, "sure"),
        (_is_sure_in_kind(share, whole, named) and gathered, named, "sure"),
        (whole >= _SURE_WHOLE.get(kind, _SURE) and gathered, unnamed, "sure"),
        # A small face is seldom alone.
        (passers_by > 0, replace(crowd, people=passing), "sure" if passers_by > 1 else "likely"),
        (kind == "mountain" and share >= max(_TELLING_CLIFF, _least_likely(named)), named, "likely"),
        # A rhinoceros is half an elephant, but an animal.
        (whole >= _SURE_ALONE.get(kind, 1.0) and scattered <= _MOST_SCATTERED_ALONE, unnamed, "sure"),
        (share >= _least_likely(named), named, "likely"),
        (whole >= _LIKELY_KIND, unnamed, "likely"),
    )
    for holds, sight, certainty in rules:
        if holds:
            return replace(sight, certainty=certainty, shares=shares)
    return Sight(photo=True, shares=shares)
