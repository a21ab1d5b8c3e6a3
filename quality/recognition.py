"""Measures how often the eyes are right: on photos that a person has judged, and on drawings, which get no claims.

The thresholds were set on the tuning pictures; the figures of the other pictures count. Each answer is printed.
"""

from dataclasses import dataclass
from time import perf_counter

from melodify_core.captioners.eyes import are_installed, look
from melodify_core.captioners.palette.captioner import read
from melodify_core.captioners.palette.reading import measure
from melodify_core.captioners.palette.scenery import Scene, scene_of
from melodify_core.media.picture import PictureLimits, prepare
from melodify_core.models import Wish
from quality import drawings, more_drawings
from quality.figures import at_least, at_most
from quality.photos import DRAWING, Shown, shown_by_packages

_SEVERAL = frozenset({"people:2", "people:3"})


@dataclass(frozen=True, slots=True)
class Answer:
    """The eyes' answer for a picture, and the duration of the caption stage."""

    shown: Shown
    scene: Scene
    caption: str
    seconds: float

    @property
    def right(self) -> bool:
        """Whether the answer is right."""
        scene = self.scene
        if scene.kind == "people" and not scene.people:
            return bool({"people:1"} & self.shown.truths or _SEVERAL & self.shown.truths)
        if scene.people:
            # A caption distinguishes one face from several.
            return bool({"people:1"} & self.shown.truths if scene.people == 1 else _SEVERAL & self.shown.truths)
        return (scene.subject or scene.kind) in self.shown.truths


def main() -> None:
    """Print every picture with its answer, and the figures."""
    print("\nRecognition: photos of packages, and drawings")
    if not are_installed():
        print("  the extra `eyes` is not installed")
        return
    for title, part, motifs in (
        ("Tuning pictures: the thresholds were set on these", "tuning", drawings.MOTIFS),
        ("Held-out pictures", "held_out", more_drawings.MOTIFS),
    ):
        print(f"\n {title}")
        drawn = (Shown(name, frozenset({DRAWING}), data) for name, data in drawings.drawings(motifs))
        _report([_answer(shown) for shown in (*shown_by_packages(part), *drawn)])


def _answer(shown: Shown) -> Answer:
    jpeg = prepare(shown.data, PictureLimits()).jpeg
    scene = scene_of(measure(jpeg), look(jpeg))  # also loads the networks before the measurement
    started = perf_counter()
    brief = read(jpeg, Wish())
    return Answer(shown, scene, brief.caption, perf_counter() - started)


def _report(answers: list[Answer]) -> None:
    for answer in answers:
        # What is only likely is not said.
        seen = answer.scene.subject or answer.scene.kind or "-"
        claim = answer.caption.partition(".")[0] if answer.scene.certainty == "sure" else seen
        print(f"  {answer.shown.name:<56.56} {_mark(answer):<7} {claim}")
    photos = [answer for answer in answers if DRAWING not in answer.shown.truths]
    drawn = [answer for answer in answers if DRAWING in answer.shown.truths]
    sure, likely = ([answer for answer in photos if answer.scene.certainty == level] for level in ("sure", "likely"))
    print(f"  {len(photos)} photos, {len(sure)} with a claim, {len(likely)} with a guess; {len(drawn)} drawings")
    at_least("share of claims that are right", _share_right(sure), 0.9)
    at_least("share of guesses that are right", _share_right(likely), 0.5)
    at_most("claims about drawings", sum(answer.scene.certainty == "sure" for answer in drawn), 0, "d")
    at_most("longest caption stage, seconds", max(answer.seconds for answer in answers), 0.5)


def _mark(answer: Answer) -> str:
    if answer.scene.certainty is None:
        return ""
    return ("right" if answer.right else "WRONG") + ("" if answer.scene.certainty == "sure" else " ?")


def _share_right(answers: list[Answer]) -> float:
    return sum(answer.right for answer in answers) / max(1, len(answers))
