"""Human tunes from music21's corpus: only collections whose files carry no restriction, of books in the public domain.

O'Neill's Music of Ireland (1903), Ryan's Mammoth Collection (1883) and Aird's Airs (1782 to 1801). The corpus has more,
which stays out: of the Essen songs only non-commercial distribution is permitted (corpus/essenFolksong/license.txt).
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from quality.tunes import Tune

Kind = Literal["airs", "dances"]
COLLECTIONS = ("oneills1850", "ryansMammoth", "airdsAirs")
# O'Neill's numbers: first come airs and songs, then pieces of O'Carolan, then dances.
LAST_AIR, FIRST_DANCE = 625, 701
FEWEST = 8  # notes
CACHE = Path(sys.prefix, "tunes.json")  # reading takes minutes
# From the tonic of a mode to that of the major scale with the same notes.
MODES = {"m": 3, "min": 3, "aeo": 3, "dor": -2, "mix": 5, "phr": -4, "lyd": 7}
LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_KEY = re.compile(r"\s*([A-G])([#b]?)\s*(maj|min|m(?!aj|ix)|dor|mix|aeo|phr|lyd)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HumanTune:
    """A tune, its kind, metre, and the tonic of the major scale that it uses."""

    kind: Kind
    meter: str
    scale: int
    notes: tuple[tuple[float, float, int], ...]
    bar: float

    @property
    def tune(self) -> Tune:
        """What can be measured."""
        return Tune(self.notes, self.bar, self.scale)


@cache
def human_tunes() -> tuple[HumanTune, ...]:
    """Return all tunes. Half of them, those with odd places, are kept apart: nothing is counted from them."""
    if not CACHE.exists():
        found = [asdict(tune) for name in COLLECTIONS for tune in _collection(name)]
        CACHE.write_text(json.dumps(found), encoding="utf-8")
    stored = json.loads(CACHE.read_text(encoding="utf-8"))
    return tuple(HumanTune(**one | {"notes": tuple(map(tuple, one["notes"]))}) for one in stored)


def _collection(name: str) -> Iterator[HumanTune]:
    import music21

    for path in sorted(Path(music21.__file__).parent.joinpath("corpus", name).glob("*.abc")):
        for block in re.split(r"(?m)^(?=X:)", path.read_text(encoding="utf-8", errors="replace"))[1:]:
            number = int("".join(re.findall(r"\d", block.partition("\n")[0])) or 0)
            kind = _kind(name, number)
            written = re.search(r"(?m)^K:\s*(.*)$", block)
            key = _KEY.match(written.group(1)) if written else None
            if kind and key:
                letter, sign, mode = key.groups()
                tonic = LETTERS[letter.upper()] + {"#": 1, "b": -1, "": 0}[sign]
                scale = (tonic + MODES.get((mode or "").lower(), 0)) % 12
                yield from _parsed(music21.converter.parse(block, format="abc"), kind, scale)


def _kind(collection: str, number: int) -> Kind | None:
    if collection == "oneills1850":
        return "airs" if number <= LAST_AIR else "dances" if number >= FIRST_DANCE else None
    return "airs" if collection == "airdsAirs" else "dances"


def _parsed(score: Any, kind: Kind, scale: int) -> Iterator[HumanTune]:
    part = score.parts[0] if score.parts else score
    flat = part.flatten()
    times = flat.getElementsByClass("TimeSignature")
    bars = [float(one.offset) for one in part.getElementsByClass("Measure")]
    if not times or times[0].numerator == 1:
        return
    bar = 4 * times[0].numerator / times[0].denominator
    # A first bar that is too short is a pickup.
    first = bars[1] if len(bars) > 1 and bars[1] - bars[0] < bar - 0.01 else 0.0
    notes: list[tuple[float, float, int]] = []
    for note in flat.notes:
        if not note.isNote or note.duration.isGrace:
            continue
        start, length, pitch = float(note.offset) - first, float(note.quarterLength), int(note.pitch.midi)
        if note.tie and note.tie.type in ("stop", "continue") and notes and notes[-1][2] == pitch:
            notes[-1] = (notes[-1][0], notes[-1][1] + length, pitch)
        else:
            notes.append((start, length, pitch))
    if len(notes) >= FEWEST:
        yield HumanTune(kind, times[0].ratioString, scale, tuple(notes), bar)
