"""`python -m quality speed`: from Brief to MP3 in a warm process, compared to bare synthesis of the same MIDI file."""

import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import midirenderer

from melodify_core.composers.arranger.composer import make_take
from melodify_core.composers.arranger.composition import midi_of
from melodify_core.composers.arranger.fonts import font_path
from melodify_core.media.audio.mastering import master
from melodify_core.models import Wish
from melodify_core.styles import all_styles
from quality.figures import at_most
from quality.songs import MOODS, brief_of_mood

ROUNDS = 3
LENGTHS = ((30, 1.5), (120, 5.0))
MOST_MB, MOST_RATIO = 200, 3.0
BRIEF = brief_of_mood(*MOODS[2])


def main() -> None:
    """Print the figures of the slowest style: the best of some rounds."""
    print(f"speed: best of {ROUNDS} rounds, slowest of {len(all_styles())} styles")
    font = font_path().read_bytes()
    for seconds, target in LENGTHS:
        wishes = [Wish(style=style, seconds=seconds) for style in all_styles()]
        whole = [_best(partial(_mp3, wish)) for wish in wishes]
        wav = [_best(partial(make_take, BRIEF, wish, 1)) for wish in wishes]
        bare = [_best(partial(midirenderer.render_wave_from, font, midi_of(BRIEF, wish, 1))) for wish in wishes]
        times = dict(zip(all_styles(), whole, strict=True))
        ratios = [a / b for a, b in zip(whole, bare, strict=True)]
        print("  " + ", ".join(f"{style} {time:.2f}" for style, time in times.items()))
        at_most(f"{seconds} s song, Brief to MP3, s", max(whole), target)
        at_most("  over bare synthesis, the whole, median of the styles", median(ratios), MOST_RATIO)
        at_most("  the same, of the style with the cheapest synthesis", max(ratios), MOST_RATIO)
        at_most("  the same, without the MP3", max(a / b for a, b in zip(wav, bare, strict=True)), MOST_RATIO)
        at_most("  peak memory of the process, MB", _peak_mb(seconds), MOST_MB, ".0f")


def _mp3(wish: Wish) -> bytes:
    take = make_take(BRIEF, wish, 1)
    return master(take.audio, title="Measured", cover_jpeg=b"", max_bytes=10 * 2**20).audio


def _best(work: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def _peak_mb(seconds: int) -> float:
    command = [sys.executable, "-m", "quality.speed", str(seconds)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    _mp3(Wish(style="cinematic", seconds=int(sys.argv[1])))
    # Not getrusage, whose peak is inherited from the process that started this one.
    [peak] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    print(int(peak.split()[1]) / 1000)
