"""`python -m quality tagger`: which genre and mood other people's models hear in our songs."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from functools import cache
from random import Random

import numpy as np

from melodify_core.captioners.palette.captioner import read
from melodify_core.composers.arranger.composition import score_of
from melodify_core.composers.arranger.fonts import chosen
from melodify_core.composers.arranger.mixing import mixed
from melodify_core.composers.arranger.synthesis import PLAYED_RATE, RATE, kicks_of, tracks_of
from melodify_core.media.picture import PictureLimits, prepare
from melodify_core.models import Mode, Wish
from melodify_core.styles import all_styles
from quality.ears import Array, at_16_khz, impression_of, tags_of
from quality.figures import at_least, at_most
from quality.photos import DRAWING, shown_by_packages
from quality.songs import SongSpec, brief_of_mood

CORNERS = ((0.2, 0.1), (-0.2, 0.1), (0.2, -0.1), (-0.2, -0.1))  # around a style's mood
SONGS = 16  # of each style
MOODS = 70  # songs whose moods have nothing to do with the style
# The first ones were heard while the constants of the music were chosen. The others count.
TUNING, HELD_OUT = (7, 11, 21, 31, 41, 51), (61, 71, 81, 91)
SECONDS = 20
# Tags that name a genre, and the model that knows the style's: songs by their listeners, or excerpts of mostly
# classical and world music.
GENRES = {
    "MSD": (
        "rock", "pop", "alternative", "indie", "electronic", "dance", "alternative rock", "jazz", "metal", "chillout",
        "classic rock", "soul", "indie rock", "electronica", "folk", "chill", "punk", "blues", "hard rock", "ambient",
        "acoustic", "experimental", "Hip-Hop", "country", "easy listening", "funk", "electro", "heavy metal",
        "Progressive rock", "rnb", "indie pop", "House",
    ),
    "MTT": (
        "classical", "techno", "electronic", "rock", "ambient", "indian", "opera", "pop", "new age", "dance", "choral",
        "country", "metal", "classic",
    ),
}  # fmt: skip
_ROCK = (
    "rock", "alternative", "indie", "alternative rock", "metal", "classic rock", "indie rock", "punk", "hard rock",
    "heavy metal", "Progressive rock",
)  # fmt: skip
_ELECTRONIC = ("electronic", "electronica", "electro", "dance", "House")
# The model that judges, and what counts as the style or its family. No model knows reggae: the dance music of the same
# years and places counts.
FAMILIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "lofi": ("MSD", ("chillout", "chill", "Hip-Hop", "electronica", "electronic")),
    "ambient": ("MSD", ("ambient", "chillout", "electronic")),
    "cinematic": ("MTT", ("classical", "classic", "choral", "opera")),
    "piano": ("MTT", ("classical", "classic")),
    "jazz": ("MSD", ("jazz", "blues")),
    "bossa": ("MSD", ("jazz", "easy listening")),
    "folk": ("MSD", ("folk", "acoustic", "country")),
    "korean": ("MTT", ("indian", "new age")),
    "rock": ("MSD", (*_ROCK, "blues")),
    "funk": ("MSD", ("funk", "soul", "rnb", "dance", "Hip-Hop")),
    "reggae": ("MSD", ("soul", "funk", "rnb", "Hip-Hop", "pop", "rock", "dance")),
    "synthwave": ("MSD", _ELECTRONIC),
    "house": ("MSD", _ELECTRONIC),
    "chiptune": ("MSD", _ELECTRONIC),
}
JAZZY = ("jazz", "bossa")


@dataclass(frozen=True, slots=True)
class Heard:
    """Valence and arousal as they were asked for, and as VibeNet hears them."""

    valence: float
    arousal: float
    heard_valence: float
    heard_energy: float


def main() -> None:
    """Print the genres, then the moods."""
    print(f"tagger: musicnn, {SONGS} songs of each style at home, {chosen().name}; the three strongest genres, and the")
    print(
        "  three furthest above their mean over all styles, by which a genre that the model seldom names can be heard"
    )
    heard = {style: _mean_tags(style, FAMILIES[style][0]) for style in all_styles()}
    right = {style: _judged(style, heard) for style in heard}
    jazz = [_mean_tags(style, "MSD")["jazz"] for style in heard if style not in JAZZY]
    at_least("styles heard as themselves or their family, outright", sum(one for one, _ in right.values()), 13, ".0f")
    at_least("the same, above the mean of all styles", sum(one for _, one in right.values()), 13, ".0f")
    at_most('"jazz" outside jazz and bossa', float(np.mean(jazz)), 0.12)
    _judge_moods()


def _judge_moods() -> None:
    """Print how asked and heard moods go together, in sets, whose figures differ by chance, and in all of a kind."""
    print(f"moods: VibeNet, sets of {MOODS} songs of all styles in turn; correlations of valence and arousal")
    for kind, seeds in (("tuning", TUNING), ("held out", HELD_OUT)):
        sets = {f"set {seed}": list(_moods(_any_mood(seed))) for seed in seeds}
        for name, moods in sets.items():
            print("  {}: {:.2f} {:.2f}".format(name, *_correlations(moods)))
        _report(kind, [one for moods in sets.values() for one in moods])
    moods = list(_moods(_of_photos()))
    _report(f"{len(moods)} held-out photos, which choose the style", moods)


def _report(kind: str, moods: Sequence[Heard]) -> None:
    valence, arousal = _correlations(moods)
    at_least(f"{kind}: valence asked for and heard, correlation", valence, 0.5)
    at_least(f"{kind}: arousal asked for and energy heard, correlation", arousal, 0.6)


def _correlations(moods: Sequence[Heard]) -> tuple[float, float]:
    valence, arousal, heard_valence, heard_energy = np.array(list(map(astuple, moods))).T
    return float(np.corrcoef(valence, heard_valence)[0, 1]), float(np.corrcoef(arousal, heard_energy)[0, 1])


def _judged(style: str, heard: dict[str, dict[str, float]]) -> tuple[bool, bool]:
    """Print what is heard in a style; return whether it is the style's family, outright and above the mean."""
    model, family = FAMILIES[style]
    tags = {tag: heard[style][tag] for tag in GENRES[model]}
    means = {tag: float(np.mean([_mean_tags(one, model)[tag] for one in heard])) for tag in tags}
    above = {tag: value - means[tag] for tag, value in tags.items()}
    first, second = _highest(tags), _highest(above)
    right = first[0] in family, second[0] in family
    marks = " ".join("yes" if one else "NO " for one in right)
    print(f"  {style:<10} {marks}  {model}: " + ", ".join(f"{tag} {tags[tag]:.2f}" for tag in first)
          + "   above the mean: " + ", ".join(f"{tag} {above[tag]:+.2f}" for tag in second))  # fmt: skip
    return right


def _highest(tags: dict[str, float]) -> list[str]:
    return sorted(tags, key=lambda tag: -tags[tag])[:3]


def sound_of(spec: SongSpec) -> Array:
    """Return the song as the models want it."""
    score = score_of(spec.brief, spec.wish, spec.seed)
    tracks = tracks_of(score, chosen())
    frames = round(score.seconds * RATE)
    blocks = list(mixed(tracks, score.mix, score.brightness, kicks_of(score), frames, PLAYED_RATE))
    return at_16_khz(np.concatenate(blocks) / np.float32(32768), RATE)


def _at_home(style: str) -> Iterator[SongSpec]:
    home = all_styles()[style].mood
    for seed in range(SONGS):
        pleasure, excitement = CORNERS[seed % len(CORNERS)]
        valence, arousal = (max(-1.0, min(1.0, one)) for one in (home.valence + pleasure, home.arousal + excitement))
        mode: Mode = "major" if valence >= 0 else "minor"
        brief = brief_of_mood(valence, arousal, mode, round(sum(all_styles()[style].tempo.bpm) / 2 + 20 * excitement))
        yield SongSpec(brief, Wish(style=style, seconds=SECONDS), seed)


@cache
def _sounds(style: str) -> tuple[Array, ...]:
    return tuple(map(sound_of, _at_home(style)))


@cache
def _mean_tags(style: str, model: str) -> dict[str, float]:
    found = [tags_of(sound, model) for sound in _sounds(style)]
    return {tag: float(np.mean([one[tag] for one in found])) for tag in found[0]}


def _moods(specs: Iterable[SongSpec]) -> Iterator[Heard]:
    for spec in specs:
        heard = impression_of(sound_of(spec))
        yield Heard(spec.brief.valence, spec.brief.arousal, heard.valence, heard.energy)


def _any_mood(seed: int) -> Iterator[SongSpec]:
    random = Random(seed)
    names = list(all_styles())
    for number in range(MOODS):
        valence, arousal = random.uniform(-1, 1), random.uniform(-1, 1)
        mode: Mode = "major" if valence >= 0 else "minor"
        brief = brief_of_mood(valence, arousal, mode, round(98 + 38 * arousal + random.uniform(-8, 8)))
        wish = Wish(style=names[number % len(names)], seconds=SECONDS)
        yield SongSpec(brief, wish, number + random.randrange(1000))


def _of_photos() -> Iterator[SongSpec]:
    """Yield the songs that members would get for photos which nothing was tuned on."""
    wish = Wish(seconds=SECONDS)
    for number, shown in enumerate(shown_by_packages("held_out")):
        if DRAWING not in shown.truths:
            yield SongSpec(read(prepare(shown.data, PictureLimits()).jpeg, wish), wish, number)
