"""Sight and Reading -> Scene: what a picture shows, and how that influences the music. No words of captions."""

from dataclasses import dataclass
from functools import cache
from typing import Literal

from pydantic import TypeAdapter

from melodify_core.captioners.eyes import NOTHING, Certainty, Kind, Sight
from melodify_core.captioners.palette.landscapes import with_drawn_landscape, with_landscape
from melodify_core.captioners.palette.reading import Reading
from melodify_core.data_files import read_table
from melodify_core.hints.concepts import Sound
from melodify_core.styles import all_styles

_OUTDOORS: frozenset[Kind] = frozenset(
    {"building", "city", "mountain", "plane", "sea", "ship", "snow", "train", "vehicle", "water"}
)
_NIGHT = 0.4  # Oklab lightness; a dull day has 0.5
# Squared distance in the plane of styles' homes; the pull decides between neighbours and no more.
_PULLS: dict[Certainty, float] = {"sure": 0.9, "likely": 0.45}


@dataclass(frozen=True, slots=True)
class Scene:
    """What a caption may say. `subject` is the eyes' or a landscape, None where only the kind is known."""

    kind: Kind | None = None
    subject: str | None = None
    certainty: Certainty | None = None
    people: int = 0  # 0 with the kind "people" where they are not counted
    night: bool = False
    drawn: bool = False  # a comic, a page or a screen


UNKNOWN = Scene()


@dataclass(frozen=True, slots=True)
class Touch:
    """The influence of a kind of scene on the music."""

    sound: str
    instrument: str = ""  # one more where the style has room; or none
    valence: float = 0.0
    arousal: float = 0.0
    sounds: tuple[Sound, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenes:
    """What scenes.toml says."""

    touches: dict[Kind | Literal["company", "night"], Touch]
    seen_instruments: dict[str, str]


@cache
def scenes() -> Scenes:
    """Return what scenes do to the music."""
    return TypeAdapter(Scenes).validate_python(read_table("melodify_core.captioners.palette", "scenes.toml"))


def scene_of(reading: Reading, sight: Sight = NOTHING) -> Scene:
    """Return the scene of a picture: what was recognised, and landscapes and night as light and colour suggest."""
    if sight.kind != "people":
        sight = with_landscape(reading, sight) if sight.photo else with_drawn_landscape(reading, sight)
    sky = reading.bands[0].light if reading.bands else reading.brightness
    dark = sight.kind in _OUTDOORS and max(sky, reading.brightness) < _NIGHT
    return Scene(sight.kind, sight.subject, sight.certainty, sight.people, night=dark, drawn=sight.drawn)


def touches_of(scene: Scene) -> tuple[Touch, ...]:
    """Return what the scene does to the music, the kind first; nothing where nothing was seen."""
    touches = scenes().touches
    seen = (touches[scene.kind],) if scene.kind else ()
    company = (touches["company"],) if scene.people > 1 else ()
    return (*seen, *company, touches["night"]) if scene.night else (*seen, *company)


def pull(scene: Scene, style: str) -> float:
    """Return how much nearer the scene moves a style."""
    if scene.certainty is None:
        return 0.0
    told = {scene.kind, "night"} if scene.night else {scene.kind}
    return _PULLS[scene.certainty] if told & all_styles()[style].picture.scenes else 0.0


def voices(scene: Scene, style: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the instruments that lead because they are seen, and those that join."""
    room = all_styles()[style].picture.scene_instruments
    seen = scenes().seen_instruments.get(scene.subject or "") if room != "none" else None
    joining = tuple(touch.instrument for touch in touches_of(scene) if touch.instrument) if room == "all" else ()
    return ((seen,) if seen else ()), joining
