"""Rhythms as data: how chords are struck, how a bass walks, how tunes go. Who uses which stands in the styles.

Patterns last one bar. What drums beat stands in grooves.py.
"""

from typing import NamedTuple


class Hit(NamedTuple):
    """Where in the bar and how long, in beats; `who` is which notes of the chord.

    Chords: "a" all, "u" all but the lowest, "t" the highest, or a figure that counts from the lowest; more than one
    figure sounds together. Bass: "R" root, "5" fifth, "3" third, "8" octave, "L" a step towards the next root.
    A `length` of 0 lasts to the end of the chord.
    """

    at: float
    length: float
    who: str


def _every(step: float, length: float, figures: str) -> tuple[Hit, ...]:
    return tuple(Hit(index * step, length, who) for index, who in enumerate(figures) if who != ".")


COMPING: dict[str, tuple[Hit, ...]] = {
    "held": (Hit(0, 0, "a"),),
    "halves": (Hit(0, 2, "a"), Hit(2, 2, "a")),
    "swelled": (Hit(0, 0, "01"), Hit(1, 0, "2"), Hit(2, 0, "3")),
    "quarters": _every(1, 0.85, "aaaa"),
    "eighths": _every(0.5, 0.42, "auuuauuu"),
    "offbeats": _every(0.5, 0.4, ".a.a.a.a"),
    "charleston": (Hit(0, 1.3, "a"), Hit(1.5, 0.5, "a")),
    "late": (Hit(0.5, 0.5, "u"), Hit(2.5, 1.2, "a")),
    "comped": (Hit(0, 0.4, "a"), Hit(1.5, 0.4, "u"), Hit(2.5, 0.4, "a"), Hit(3.5, 0.4, "u")),
    "lazy": (Hit(0, 1.9, "a"), Hit(2.5, 1.2, "u")),
    "mellow": (Hit(0, 1.4, "a"), Hit(1.5, 0.4, "u"), Hit(2.5, 1.3, "a")),
    "stabs": (Hit(0, 0.4, "a"), Hit(0.75, 0.4, "a"), Hit(1.5, 0.4, "a"), Hit(2.5, 0.4, "a"), Hit(3.25, 0.4, "u")),
    "sparse broken": (Hit(0, 0, "0"), Hit(1, 0, "1"), Hit(2, 0, "2"), Hit(3, 0, "1")),
    "broken": (Hit(0, 0, "0"), Hit(0.5, 0, "1"), Hit(1, 0, "2"), Hit(2, 0, "1"), Hit(2.5, 0, "2"), Hit(3, 0, "1")),
    "alberti": _every(0.5, 0.7, "02120212"),
    "arpeggio": _every(0.5, 1.0, "01232101"),
    "picked": _every(0.5, 0.9, "02130213"),
    "rippling": _every(0.5, 0.9, "01213121"),
    "falling": _every(0.5, 0.9, "32103210"),
    "rocking": _every(0.5, 0.9, "03132313"),
    "strummed": (Hit(0, 0.9, "a"), Hit(1, 0.8, "a"), Hit(1.5, 0.4, "u"), Hit(2.5, 0.4, "u"), Hit(3, 0.8, "a"),
                 Hit(3.5, 0.4, "u")),
    "rolling": _every(0.25, 0.24, "0123012301230123"),
    "gated": _every(0.25, 0.2, "a.aaa.aaa.aaa.aa"),
    "drizzle": _every(0.5, 1.4, "0.2.1.3."),
    "bossa light": (Hit(0, 1.4, "a"), Hit(1.5, 1.3, "u"), Hit(3, 0.9, "u")),
    "bossa": (Hit(0, 0.7, "a"), Hit(0.75, 0.7, "u"), Hit(1.5, 0.9, "u"), Hit(2.5, 0.7, "u"), Hit(3.25, 0.6, "u")),
    "bossa picked": (Hit(0, 0.7, "0"), Hit(0.5, 0.4, "u"), Hit(1.25, 0.4, "u"), Hit(2, 0.4, "0"), Hit(2.5, 0.7, "u"),
                     Hit(3.25, 0.6, "u")),
    "power long": (Hit(0, 0, "a"), Hit(2.5, 0, "a")),
    "power": _every(0.5, 0.46, "aaaaaaaa"),
    "power pushed": (Hit(0, 1.4, "a"), Hit(1.5, 0.9, "a"), Hit(2.5, 0.4, "a"), Hit(3.5, 0.45, "a")),
    "chugs": _every(0.25, 0.2, "a.00a.00a.00a.aa"),
    "scratch light": (Hit(0, 1.4, "a"), Hit(1.75, 0.4, "u"), Hit(2.5, 1.3, "u")),
    "scratch": (Hit(0.5, 0.2, "u"), Hit(1.25, 0.2, "u"), Hit(1.75, 0.2, "u"), Hit(2.5, 0.2, "u"), Hit(3.25, 0.2, "u")),
    "scratch busy": _every(0.25, 0.16, "a.uu.u.u.uu.u.uu"),
    "skank slow": (Hit(1, 0.3, "u"), Hit(3, 0.3, "u")),
    "skank": _every(0.5, 0.24, ".u.u.u.u"),
    "bubble": (Hit(0.5, 0.2, "u"), Hit(0.75, 0.2, "u"), Hit(1.5, 0.2, "u"), Hit(1.75, 0.2, "u"), Hit(2.5, 0.2, "u"),
               Hit(2.75, 0.2, "u"), Hit(3.5, 0.2, "u"), Hit(3.75, 0.2, "u")),
    "plucked sparse": (Hit(0, 0, "0"), Hit(2.5, 0, "2")),
    "plucked": (Hit(0, 0, "0"), Hit(1.5, 0, "2"), Hit(2, 0, "1"), Hit(3.5, 0, "2")),
    "plucked running": (Hit(0, 0, "0"), Hit(0.5, 0, "1"), Hit(1.5, 0, "2"), Hit(2, 0, "3"), Hit(2.5, 0, "2"),
                        Hit(3, 0, "1"), Hit(3.5, 0, "2")),
    "tresillo": (Hit(0, 0.7, "a"), Hit(0.75, 0.7, "u"), Hit(1.5, 0.45, "u"), Hit(2, 0.7, "a"), Hit(2.75, 0.7, "u"),
                 Hit(3.5, 0.45, "u")),
}  # fmt: skip
BASS: dict[str, tuple[Hit, ...]] = {
    "held": (Hit(0, 0, "R"),),
    "halves": (Hit(0, 1.9, "R"), Hit(2, 1.9, "R")),
    "two": (Hit(0, 1.7, "R"), Hit(2, 1.7, "5")),
    "two and": (Hit(0, 1.7, "R"), Hit(2, 1.3, "5"), Hit(3.5, 0.45, "L")),
    "dotted": (Hit(0, 1.4, "R"), Hit(1.5, 0.45, "R"), Hit(2.5, 1.2, "R")),
    "lazy": (Hit(0, 1.4, "R"), Hit(2.5, 0.9, "5"), Hit(3.5, 0.45, "L")),
    "walk": (Hit(0, 0.92, "R"), Hit(1, 0.92, "3"), Hit(2, 0.92, "5"), Hit(3, 0.92, "L")),
    "bounce": (Hit(0, 0.45, "R"), Hit(0.75, 0.45, "R"), Hit(1.5, 0.45, "R"), Hit(2.5, 0.45, "8"), Hit(3.5, 0.45, "5")),
    "offbeat": _every(0.5, 0.42, ".R.R.R.8"),
    "octaves": _every(0.5, 0.45, "R8R8R8R8"),
    "pulse": _every(0.5, 0.45, "RRRRRRRR"),
    "sixteenths": _every(0.25, 0.22, "R.RRR.RRR.RRR.R8"),
    "bossa": (Hit(0, 1.4, "R"), Hit(1.5, 0.45, "5"), Hit(2, 1.4, "5"), Hit(3.5, 0.45, "L")),
    "samba": (
        Hit(0, 0.7, "R"),
        Hit(0.75, 0.2, "R"),
        Hit(1, 0.9, "5"),
        Hit(2, 0.7, "5"),
        Hit(2.75, 0.2, "5"),
        Hit(3, 0.9, "R"),
    ),
    "rock": (Hit(0, 1.4, "R"), Hit(1.5, 0.45, "R"), Hit(2, 0.9, "R"), Hit(3, 0.45, "R"), Hit(3.5, 0.45, "L")),
    "funk light": (Hit(0, 1.5, "R"), Hit(1.75, 0.4, "8"), Hit(2.5, 1.4, "R")),
    "funk": (
        Hit(0, 0.4, "R"),
        Hit(0.75, 0.2, "R"),
        Hit(1.5, 0.4, "8"),
        Hit(2.5, 0.3, "5"),
        Hit(2.75, 0.2, "R"),
        Hit(3.5, 0.4, "L"),
    ),
    "funk busy": (
        Hit(0, 0.3, "R"),
        Hit(0.5, 0.2, "R"),
        Hit(0.75, 0.2, "8"),
        Hit(1.5, 0.3, "R"),
        Hit(1.75, 0.2, "8"),
        Hit(2.25, 0.2, "5"),
        Hit(2.5, 0.3, "R"),
        Hit(3.25, 0.2, "5"),
        Hit(3.5, 0.4, "L"),
    ),
    "one drop": (Hit(0, 1.4, "R"), Hit(1.5, 0.45, "5"), Hit(2, 1.4, "R")),
    "dub": (Hit(0, 0.9, "R"), Hit(1, 0.45, "3"), Hit(1.5, 0.45, "5"), Hit(2.5, 0.45, "5"), Hit(3, 0.9, "R")),
    "steppers": (
        Hit(0, 0.7, "R"),
        Hit(0.75, 0.2, "R"),
        Hit(1, 0.45, "5"),
        Hit(1.5, 0.45, "R"),
        Hit(2, 0.7, "R"),
        Hit(2.75, 0.2, "R"),
        Hit(3, 0.45, "3"),
        Hit(3.5, 0.45, "5"),
    ),
    "gong": (Hit(0, 2.4, "R"), Hit(2.5, 1.4, "5")),
}
# Rhythms of the tune, one bar of 16 steps: `o` begins a note, `-` holds it, `.` rests.
PLAIN: tuple[str, ...] = (
    "o---------------", "o-----------o---", "o-------o-------", "o---o-----------", "o-----o-o-------",
    "o-------o---o---", "o---o---o-------", "o-----o-o---o---", "o---o---o---o---", "o---o---o-o-o---",
    "o-o-o---o---o---", "o---o-o-o---o-o-", "o-o-o---o-o-o---", "o-o-o-o-o---o---", "o---o-o-o-o-o-o-",
    "o-o-o-o-o-o-o-o-",
)  # fmt: skip
SYNCOPATED: tuple[str, ...] = (
    "o---------------", "o-----o---------", "..o-------------", "o-----o-----o---", "..o---o---o-----",
    "o-----o-----o-o-", "o--o--o-----o---", "..o-o---o-----o-", "o--o--o-o-----o-", "o-o---o---o-o---",
    "o-o-..o-o-o---o-", "o--o--o-o--o--o-", "o-o-o-.oo-o-..o-", "o-ooo-o-o--o--o-",
)  # fmt: skip
CLOSES: tuple[str, ...] = (
    "o-----------....",
    "o---o-------....",
    "o-o-o-------....",
    "o---o---o---....",
    "o-----o-----....",
)
