"""Rhythms as data: how chords are struck, how a bass walks, what drums beat. Who uses which stands in the styles.

Patterns last one bar. Drums are 16 steps a bar: `X` loud, `x` soft, `.` silent.
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
    "strummed": (Hit(0, 0.9, "a"), Hit(1, 0.8, "a"), Hit(1.5, 0.4, "u"), Hit(2.5, 0.4, "u"), Hit(3, 0.8, "a"),
                 Hit(3.5, 0.4, "u")),
    "rolling": _every(0.25, 0.24, "0123012301230123"),
    "gated": _every(0.25, 0.2, "a.aaa.aaa.aaa.aa"),
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
}
KICK, STICK, SNARE, CLAP, BRUSH = 36, 37, 38, 39, 40
HAT, PEDAL, OPEN, RIDE, CRASH = 42, 44, 46, 51, 49
LOW_TOM, MID_TOM, HIGH_TOM, TAMBOURINE, SHAKER = 45, 47, 50, 54, 82
GROOVES: dict[str, tuple[tuple[int, str], ...]] = {
    "lofi slow": ((KICK, "X.........x....."), (STICK, "....X.......X..."), (HAT, "x...x...x...x...")),
    "lofi": ((KICK, "X......x..X....."), (SNARE, "....X.......X..."), (HAT, "x.x.x.x.x.x.x.x.")),
    "lofi busy": ((KICK, "X..x...x..X..x.."), (SNARE, "....X..x....X..x"), (HAT, "xxx.x.x.xxx.x.xx")),
    "brushes": ((BRUSH, "x...X...x...X..."), (PEDAL, "....x.......x...")),
    "swing": ((KICK, "x.......x......."), (RIDE, "X...X.x.X...X.x."), (PEDAL, "....X.......X..."),
              (BRUSH, "......x.......x.")),
    "swing busy": ((KICK, "x.....x.x.....x."), (RIDE, "X...X.x.X...X.x."), (PEDAL, "....X.......X..."),
                   (SNARE, "..x...x.x.....x."), (HIGH_TOM, "..........x.....")),
    "shaker": ((SHAKER, "x.x.x.x.x.x.x.x."),),
    "stomp": ((KICK, "X.......X......."), (TAMBOURINE, "....X.......X..."), (SHAKER, "x.x.x.x.x.x.x.x.")),
    "campfire": ((KICK, "X...X...X...X..."), (CLAP, "....X.......X..."), (TAMBOURINE, "x.xxx.xxx.xxx.xx")),
    "toms": ((LOW_TOM, "X.......x......."), (KICK, "X...............")),
    "march": ((LOW_TOM, "X..x..x.X..x..x."), (KICK, "X.......X.......")),
    "battle": ((LOW_TOM, "X.xxX.xxX.xxX.xx"), (KICK, "X...X...X...X..."), (SNARE, "....x..x....x.xx")),
    "drive": ((KICK, "X.......X......."), (SNARE, "....X.......X..."), (HAT, "x...x...x...x...")),
    "retro": ((KICK, "X...X...X...X..."), (SNARE, "....X.......X..."), (HAT, "x.x.x.x.x.x.x.x.")),
    "retro busy": ((KICK, "X...X...X..xX..."), (SNARE, "....X.......X..."), (CLAP, "....X.......X..."),
                   (HAT, "xxxxxxxxxxxxxxxx")),
    "four soft": ((KICK, "X...X...X...X..."), (HAT, "..x...x...x...x.")),
    "four": ((KICK, "X...X...X...X..."), (CLAP, "....X.......X..."), (OPEN, "..X...X...X...X."),
             (HAT, "x...x...x...x...")),
    "four busy": ((KICK, "X...X...X...X..."), (CLAP, "....X.......X..x"), (OPEN, "..X...X...X...X."),
                  (HAT, "xx.xxx.xxx.xxx.x"), (SHAKER, "x.x.x.x.x.x.x.x.")),
}  # fmt: skip
# The last two beats of a section, from 16th step 8 on.
FILLS: tuple[tuple[tuple[int, str], ...], ...] = (
    ((SNARE, "....x.xX"),),
    ((HIGH_TOM, "....X.x."), (LOW_TOM, "......xX")),
    ((SNARE, "x.x.xxxX"),),
    ((HIGH_TOM, "x.x....."), (MID_TOM, "....xX.."), (LOW_TOM, "......xX")),
)
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
    "o-o-o---------..",
    "o---o---o-----..",
    "o-----o-----....",
)
