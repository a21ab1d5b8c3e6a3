"""Sight and Reading -> Scene: what a picture shows, and where that pulls the music. No words of captions."""

from dataclasses import dataclass

from melodify_core.captioners.eyes import NOTHING, Certainty, Kind, Sight
from melodify_core.captioners.palette.reading import Reading
from melodify_core.styles import all_styles

_GREENS = frozenset({"green", "forest", "olive", "lime"})
_OUTDOORS: frozenset[Kind] = frozenset(
    {"building", "city", "mountain", "plane", "sea", "ship", "snow", "train", "vehicle", "water"}
)
_NIGHT = 0.4  # Oklab lightness; a dull day has 0.5
_WOODS = (0.45, 0.15, 5)  # least shares of green and of edges, and of how many colours: leaves have many
# Squared distance in the plane of styles' homes; the pull decides between neighbours and no more.
_PULLS: dict[Certainty, float] = {"sure": 0.9, "likely": 0.45}


@dataclass(frozen=True, slots=True)
class Scene:
    """What a caption may say. `subject` is one of eyes.SUBJECTS or "greenery"; None where only the kind is known."""

    kind: Kind | None = None
    subject: str | None = None
    certainty: Certainty | None = None
    people: int = 0
    night: bool = False


UNKNOWN = Scene()


@dataclass(frozen=True, slots=True)
class Touch:
    """What a kind of scene does to the music."""

    voice: str  # one more instrument where the style has room; or none
    sound: str
    valence: float = 0.0
    arousal: float = 0.0


TOUCHES: dict[Kind, Touch] = {
    "animal": Touch("marimba", "close and playful, soft steps", 0.1, 0.05),
    "bird": Touch("clarinet", "open air, birdsong far off", 0.15, 0.05),
    "building": Touch("french horn", "stone walls, long echo"),
    "city": Touch("vibraphone", "city hum, distant traffic", 0.0, 0.1),
    "flower": Touch("harp", "garden air, bees far off", 0.15, -0.1),
    "food": Touch("accordion", "small cafe, cups and low voices", 0.2, 0.05),
    "forest": Touch("clarinet", "leaves in the wind, birds far off", 0.05, -0.1),
    "furniture": Touch("celesta", "quiet room, near and dry", 0.05, -0.15),
    "instrument": Touch("", "close microphones, the instrument in front"),
    "machine": Touch("", "mechanical ticks, electric hum", 0.0, 0.1),
    "mountain": Touch("french horn", "wide valley, wind and far echo", 0.05, 0.0),
    "people": Touch("cello", "warm room, near and human", 0.1, 0.0),
    "plane": Touch("string ensemble", "high air, wind and drift", 0.1, 0.1),
    "sea": Touch("harp", "slow waves, salt air", 0.05, -0.15),
    "ship": Touch("accordion", "water against wood, gulls far off", 0.05, 0.0),
    "snow": Touch("celesta", "hushed air, soft bells, frost", 0.0, -0.1),
    "stage": Touch("", "large hall, the crowd before the first note", 0.1, 0.25),
    "train": Touch("harmonica", "wheels on rails, steady pulse", 0.0, 0.15),
    "vehicle": Touch("", "engine pulse, open road", 0.05, 0.2),
    "water": Touch("harp", "ripples, still air", 0.05, -0.15),
}
NIGHT = Touch("", "night air, crickets", -0.05, -0.1)
# Instruments of the arranger that stand for those that are seen.
_SEEN_INSTRUMENTS = {
    "guitar": "acoustic guitar", "piano": "grand piano", "violin": "violin", "cello": "cello", "drum": "drum kit",
    "flute": "flute", "saxophone": "saxophone", "trumpet": "trumpet", "trombone": "trombone",
    "french horn": "french horn", "harp": "harp", "organ": "organ", "accordion": "accordion",
    "harmonica": "harmonica", "marimba": "marimba", "oboe": "oboe", "bassoon": "clarinet", "banjo": "banjo",
}  # fmt: skip


def scene_of(reading: Reading, sight: Sight = NOTHING) -> Scene:
    """Return what may be said of a picture: what was seen, and woods and night, which light and colour suggest."""
    if sight.kind is None and sight.photo and _looks_green(reading):
        return Scene("forest", "greenery", "likely")
    dark = sight.kind in _OUTDOORS and reading.brightness < _NIGHT
    return Scene(sight.kind, sight.subject, sight.certainty, sight.people, night=dark)


def touches_of(scene: Scene) -> tuple[Touch, ...]:
    """Return what the scene does to the music, the kind first; nothing where nothing was seen."""
    seen = (TOUCHES[scene.kind],) if scene.kind else ()
    return (*seen, NIGHT) if scene.night else seen


def pull(scene: Scene, style: str) -> float:
    """Return by how much the scene brings a style nearer."""
    if scene.certainty is None:
        return 0.0
    told = {scene.kind, "night"} if scene.night else {scene.kind}
    return _PULLS[scene.certainty] if told & all_styles()[style].picture.scenes else 0.0


def voices(scene: Scene, style: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the instruments that lead because they are seen, and those that join."""
    room = all_styles()[style].picture.scene_instruments
    seen = _SEEN_INSTRUMENTS.get(scene.subject or "") if room != "none" else None
    joining = tuple(touch.voice for touch in touches_of(scene) if touch.voice) if room == "all" else ()
    return ((seen,) if seen else ()), joining


def _looks_green(reading: Reading) -> bool:
    green = sum(share for name, share in reading.colours if name in _GREENS)
    return green >= _WOODS[0] and reading.edges >= _WOODS[1] and len(reading.colours) >= _WOODS[2]
