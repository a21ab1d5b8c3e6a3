"""Measures how hints are understood, on hints.txt, which was written before the concepts were.

`python -m quality hints` prints every hint that is not understood as expected. `--words` leaves the model out.
`--write` renews the stored vectors after a change of examples or of a vocabulary.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from statistics import median
from time import perf_counter

from melodify_core.captioners.openai.vocabulary import vocabulary
from melodify_core.hints import is_installed, understand
from melodify_core.hints.concepts import concepts, silence
from melodify_core.hints.meaning import STORED, write_stored
from quality.figures import at_least, at_most

# hints.txt names families of instruments.
_PLAYERS = {
    "drums": {"drum kit"},
    "piano": {"grand piano"},
    "guitar": {"acoustic guitar", "nylon guitar", "electric guitar"},
    "strings": {"string ensemble"},
    "bass": {"electric bass"},
    "music_box": {"music box"},
    "ukulele": {"nylon guitar"},
}


# hints.txt was written before the concepts had their names.
_SAME = {"cinematic": {"cinema"}, "chase": {"tense"}, "warm": {"cosy"}, "long": {"seconds.90"}, "short": {"seconds.15"}}


@dataclass(frozen=True, slots=True)
class Asked:
    """A hint, what must be heard in it, and what may be."""

    group: str
    hint: str
    must: tuple[frozenset[str], ...]
    may: frozenset[str]

    def missing(self, heard: set[str]) -> list[str]:
        """Return what should have been heard and was not."""
        return ["/".join(sorted(names)) for names in self.must if not names & heard]

    def wrong(self, heard: set[str]) -> list[str]:
        """Return what was heard and should not have been."""
        return sorted(heard - self.may.union(*self.must))


def main() -> None:
    """Print the misunderstood hints and the figures."""
    if "--write" in sys.argv:
        write()
        return
    by_meaning = "--words" not in sys.argv and is_installed()
    print(f"\nHints: {'words and meaning' if by_meaning else 'words alone'}")
    asked = list(asked_hints())
    answers = [(each, understand(each.hint, by_meaning=by_meaning)) for each in asked]
    heard = [(each, set(wishes.heard), wishes.not_used) for each, wishes in answers]
    for each, found, _ in heard:
        if each.missing(found) or each.wrong(found):
            lacks, more = ", ".join(each.missing(found)), ", ".join(each.wrong(found))
            print(f"  {each.group:<8} {each.hint:<44.44} lacks {lacks or '-':<24} wrongly {more or '-'}")
    for group in ("english", "korean", "other"):
        mine = [(each, found) for each, found, _ in heard if each.group == group and each.must]
        print(f"  {group}: {len(mine)} hints, silent on {sum(not found for _, found in mine)}")
        at_least("  right", sum(not each.missing(found) for each, found in mine) / len(mine), 0.85)
        at_least("  nothing wrong", sum(not each.wrong(found) for each, found in mine) / len(mine), 0.95)
    nonsense = [(found, silent) for each, found, silent in heard if each.group == "nonsense"]
    at_most("nonsense in which something is heard", sum(bool(found) for found, _ in nonsense), 0, "d")
    silent = [bool(not_used) for _, found, not_used in heard if not found]
    at_least("said where nothing was heard", sum(silent) / max(1, len(silent)), 1)
    at_most("median milliseconds of a hint", 1000 * median(map(partial(_seconds, by_meaning), asked)), 60, ".1f")


def asked_hints() -> Iterator[Asked]:
    """Yield the hints of hints.txt."""
    group = ""
    for line in Path(__file__).with_name("hints.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            group = line.strip("[]")
        elif "->" in line:
            hint, _, expected = line.partition("->")
            keys = expected.split()
            must = tuple(_keys(key) for key in keys if not key.startswith("?"))
            may = frozenset(name for key in keys if key.startswith("?") for name in _keys(key[1:]))
            yield Asked(group, hint.strip(), must, may)


def write() -> None:
    """Renew the stored vectors."""
    lists = vocabulary()
    phrases = [*lists.moods, *lists.genres, *lists.instruments, *lists.arrangements, *lists.soundscapes]
    path = Path(str(files("melodify_core.hints"))) / STORED
    write_stored(path, phrases, [*(concept.examples for concept in concepts().values()), *silence().values()])
    print(f"{path.name}: {path.stat().st_size // 1024} KB")


def _keys(key: str) -> frozenset[str]:
    if key[0] in "+-":
        players = _PLAYERS.get(key[1:], {key[1:]})
        kind = "instrument" if key[0] == "+" else "without.instrument"
        also = {"no_drums"} if key == "-drums" else set()
        return frozenset({f"{kind}.{player}" for player in players} | also)
    named = {key, f"style.{key}", f"mode.{key}", *_SAME.get(key, ())}
    return frozenset({key} if "." in key else named)


def _seconds(by_meaning: bool, asked: Asked) -> float:
    understand.cache_clear()
    started = perf_counter()
    understand(asked.hint + " ", by_meaning=by_meaning)
    return perf_counter() - started


if __name__ == "__main__":
    main()
