"""`python -m quality written`: measures the scores of every style, mood and seed. Needs no analyser."""

from collections.abc import Sequence

import numpy as np

from melodify_core.composers.arranger.composition import score_of
from melodify_core.models import Wish
from melodify_core.styles import all_styles
from quality.figures import at_least, at_most
from quality.scores import Statistics, statistics
from quality.songs import MOODS, SECONDS, brief_of_mood, moods_by_style

SEEDS = 50
HEAD = "  style       steps repeats leap strong  key  (10%)  empty groove parallels openings"


def main() -> None:
    """Print the figures by style, and of all."""
    print(f"written: {SEEDS} seeds x {len(MOODS)} moods x {len(all_styles())} styles, {SECONDS} s each")
    print(HEAD)
    by_style = {style: of_style(style, SEEDS) for style in all_styles()}
    for style, found in by_style.items():
        print(row(style, found))
    every = [one for found in by_style.values() for one in found]
    caring = [one for style, found in by_style.items() if all_styles()[style].tune.strict for one in found]
    # Bounds on both sides: human tunes have them, see `human`.
    at_least("moves of the tune that are steps, all", _steps(every), 0.5)
    at_most("the same", _steps(every), 0.62)
    at_least("the same, of the leapiest style", min(map(_steps, by_style.values())), 0.42)
    at_most("the same, of the steppiest style", max(map(_steps, by_style.values())), 0.65)
    at_least("moves of the tune that repeat a note, all", _repeats(every), 0.12)
    at_most("the same", _repeats(every), 0.2)
    at_most("largest leap, semitones", max(one.largest_leap for one in every), 12, ".0f")
    at_least("notes on strong beats that belong to the chord", _strong(every), 0.75)
    at_least("key correlation, median of the worst style", min(map(_key, by_style.values())), 0.85)
    at_most("empty bars outside of breaks", sum(one.empty_bars for one in every), 0, ".0f")
    at_least("groove consistency, mean of the worst style", min(map(_groove, by_style.values())), 0.8)
    at_most("the same, of the best style: no machine", max(map(_groove, by_style.values())), 0.95)
    at_most("parallel fifths and octaves, styles that care, share", _parallels(caring), 0, ".4f")
    different = np.mean([len({one.opening for one in found}) / len(found) for found in by_style.values()])
    # Takes of five Briefs only; `sound` measures that different pictures open differently.
    at_least("openings (two bars) unlike those of all other takes in the style", float(different), 0.99, ".4f")
    at_least("pieces of 90 s whose tune is highest in the climax, share", _climaxes(), 0.8)


def of_style(style: str, seeds: int) -> list[Statistics]:
    """Return the statistics of a style's songs."""
    return [statistics(score_of(one.brief, one.wish, one.seed)) for one in moods_by_style(style, seeds)]


def _climaxes() -> float:
    """Return the share of long pieces whose tune has its highest note in the climax."""
    reached = []
    for style in all_styles():
        for seed, mood in enumerate(MOODS):
            score = score_of(brief_of_mood(*mood), Wish(style=style, seconds=90), seed)
            lead = score.part("lead")
            for climax in (section for section in score.sections if section.energy == 1):
                start = score.time.bar * climax.first_bar
                end = start + score.time.bar * climax.bars
                notes = lead.notes if lead else ()
                top = max(note.pitch for note in notes)
                reached.append(any(note.pitch == top and start <= note.start < end for note in notes))
    return float(np.mean(reached))


def row(style: str, found: Sequence[Statistics]) -> str:
    """Return the figures of a style as one line."""
    keys = [one.key_correlation for one in found]
    return (
        f"  {style:<10} {_steps(found):6.2f} {_repeats(found):7.2f} {max(one.largest_leap for one in found):4d}"
        f" {_strong(found):6.2f} {_key(found):5.2f} {np.quantile(keys, 0.1):6.2f}"
        f" {sum(one.empty_bars for one in found):6d} {_groove(found):6.2f} {_parallels(found):9.3f}"
        f" {len({one.opening for one in found}):4d} of {len(found)}"
    )


def _steps(found: Sequence[Statistics]) -> float:
    return sum(one.steps for one in found) / sum(one.moves for one in found)


def _repeats(found: Sequence[Statistics]) -> float:
    return sum(one.repeats for one in found) / sum(one.moves for one in found)


def _strong(found: Sequence[Statistics]) -> float:
    return sum(one.strong_chord_tones for one in found) / sum(one.strong for one in found)


def _key(found: Sequence[Statistics]) -> float:
    return float(np.median([one.key_correlation for one in found]))


def _groove(found: Sequence[Statistics]) -> float:
    return float(np.mean([one.groove for one in found]))


def _parallels(found: Sequence[Statistics]) -> float:
    return sum(one.parallels for one in found) / max(1, sum(one.pairs for one in found))
