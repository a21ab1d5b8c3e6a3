"""`python -m quality human`: the same measures on our tunes and on human ones, side by side."""

from collections import defaultdict
from collections.abc import Iterator
from random import Random

import numpy as np

from melodify_core.composers.arranger.composition import score_of
from melodify_core.composers.arranger.score import Score
from melodify_core.models import Mode, Wish
from melodify_core.styles import all_styles
from quality.figures import at_least, at_most, show
from quality.songs import SECONDS, brief_of_mood
from quality.tunes import NAMES, figures_of, likeness, table, tune_of
from quality.writing import copies, harmony_of

SONGS = 10  # of each style in a set
SETS = 6  # of songs: between two of them the forest's figure differs by up to .05
LONGER = 75  # seconds
# Between these the median of our tunes must lie.
WANTED = {
    "steps": (0.50, 0.62), "repeats": (0.12, 0.20), "thirds": (0.18, 0.24), "leaps": (0.10, 0.15),
    "entropy": (2.9, 3.6), "range": (11.0, 13.0),
}  # fmt: skip


def main() -> None:
    """Print the figures of tunes, harmony and patterns."""
    sets = [list(_songs(part=part)) for part in range(SETS)]
    songs = [song for part in sets for song in part]
    by_style = defaultdict(list)
    for song in sets[0]:
        by_style[song.style].append(tune_of(song))
    tables = [table([found for song in part if (found := figures_of(tune_of(song)))]) for part in sets]
    ours, humans = np.concatenate(tables), _humans()
    print(
        f"human: {len(songs)} songs of all styles, {SECONDS} s each; {len(humans)} human tunes; median (10 % .. 90 %)"
    )
    for place, name in enumerate(NAMES):
        low, high = WANTED.get(name, (-np.inf, np.inf))
        middle = float(np.median(ours[:, place]))
        print(f"  {name:<11} {_spread(ours[:, place])}   human {_spread(humans[:, place])}"
              f"{'' if low <= round(middle, 2) <= high else '   MISSED'}")  # fmt: skip
    alike = float(np.mean([likeness(tunes) for tunes in by_style.values()]))
    at_most("likeness of tunes within a style, pitch four-grams", alike, 0.06)
    areas = [_auc(part, humans) for part in tables]
    at_most(f"AUC of a forest, ours against human tunes, mean of {SETS}", float(np.mean(areas)), 0.85)
    print(f"    from {min(areas):.2f} to {max(areas):.2f}")
    at_least("metres", len({song.time.name for song in songs}), 3, ".0f")
    # The human scores are whole pieces: in half a minute little can return.
    _accompaniment([*sets[0], *_songs(LONGER)])


def _accompaniment(songs: list[Score]) -> None:
    print(f"accompaniment: {len(songs)} songs, half of them of {SECONDS} s, half of {LONGER} s")
    found = harmony_of(songs)
    for name, value, low, high in (
        ("chords with another tone than the root under them", found.inverted, 0.15, 0.25),
        ("chords that leave the scale, applied or borrowed", found.applied, 0.08, 0.16),
        ("bars with two chords", found.doubled, 0.15, 0.20),
        ("bars of bass that are exact copies", copies(songs, "bass"), 0.5, 0.8),
        ("bars of drums that are exact copies", copies(songs, "drums"), 0.5, 0.8),
    ):
        show(name, value, f"{low:g}..{high:g}", met=low <= round(value, 2) <= high)


def _songs(seconds: int = SECONDS, part: int = 0) -> Iterator[Score]:
    """Yield a set of songs of all styles with moods that are independent of the style."""
    random = Random(7 + part)
    for number in range(SONGS * len(all_styles())):
        style = list(all_styles())[number % len(all_styles())]
        valence, arousal = random.uniform(-1, 1), random.uniform(-1, 1)
        mode: Mode = "major" if valence >= 0 else "minor"
        brief = brief_of_mood(valence, arousal, mode, round(98 + 38 * arousal + random.uniform(-8, 8)))
        yield score_of(brief, Wish(style=style, seconds=seconds), number + 1000 * part)


def _humans() -> np.ndarray:
    """Return the figures of the tunes that are kept apart, as many airs as dances."""
    from quality.corpus import human_tunes

    kept = human_tunes()[1::2]
    some = [[tune for tune in kept if tune.kind == kind] for kind in ("airs", "dances")]
    fewer = min(map(len, some))
    chosen = [tune for tunes in some for tune in Random(1).sample(tunes, fewer)]
    return table([found for tune in chosen if (found := figures_of(tune.tune))])


def _spread(values: np.ndarray) -> str:
    low, middle, high = np.quantile(values, (0.1, 0.5, 0.9))
    return f"{middle:6.2f} ({low:5.2f} ..{high:6.2f})"


def _auc(ours: np.ndarray, humans: np.ndarray) -> float:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    rows = np.concatenate([ours, humans])
    kinds = np.repeat([1, 0], [len(ours), len(humans)])
    forest = RandomForestClassifier(300, random_state=0, min_samples_leaf=2)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return float(roc_auc_score(kinds, cross_val_predict(forest, rows, kinds, cv=folds, method="predict_proba")[:, 1]))
