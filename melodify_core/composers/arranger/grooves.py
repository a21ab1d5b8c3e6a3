"""What drums beat, as data: grooves of one bar and fills of half a bar. Who uses which stands in the styles.

16 steps a bar: `X` loud, `x` soft, `.` silent.
"""

KICK, STICK, SNARE, CLAP, BRUSH = 36, 37, 38, 39, 40
HAT, PEDAL, OPEN, RIDE, CRASH = 42, 44, 46, 51, 49
LOW_TOM, MID_TOM, HIGH_TOM, TAMBOURINE, SHAKER = 45, 47, 50, 54, 82
FLOOR, SLAP, HIGH_CONGA, LOW_CONGA, BLOCK = 41, 62, 63, 64, 76
Pattern = tuple[tuple[int, str], ...]  # a drum (General MIDI's key) and its steps
GROOVES: dict[str, Pattern] = {
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
    "pulse": ((KICK, "X.......X......."), (SNARE, "........X.......")),
    "drive": ((KICK, "X.......X......."), (SNARE, "....X.......X..."), (HAT, "x...x...x...x...")),
    "retro": ((KICK, "X...X...X...X..."), (SNARE, "....X.......X..."), (HAT, "x.x.x.x.x.x.x.x.")),
    "retro busy": ((KICK, "X...X...X..xX..."), (SNARE, "....X.......X..."), (CLAP, "....X.......X..."),
                   (HAT, "xxxxxxxxxxxxxxxx")),
    "four soft": ((KICK, "X...X...X...X..."), (HAT, "..x...x...x...x.")),
    "four": ((KICK, "X...X...X...X..."), (CLAP, "....X.......X..."), (OPEN, "..X...X...X...X."),
             (HAT, "x...x...x...x...")),
    "four busy": ((KICK, "X...X...X...X..."), (CLAP, "....X.......X..x"), (OPEN, "..X...X...X...X."),
                  (HAT, "xx.xxx.xxx.xxx.x"), (SHAKER, "x.x.x.x.x.x.x.x.")),
    "bossa shaken": ((SHAKER, "x...x...x...x..."),),
    "bossa soft": ((KICK, "x.......x......."), (STICK, "X..X..X...X..X..")),
    "bossa": ((KICK, "X.....x.X.....x."), (STICK, "X..X..X...X..X.."), (HAT, "x.x.x.x.x.x.x.x.")),
    "bossa busy": ((KICK, "X..x..x.X..x..x."), (STICK, "X..X..X...X..X.."), (SHAKER, "XxxXXxxXXxxXXxxX"),
                   (PEDAL, "....x.......x...")),
    "rock bare": ((KICK, "X.........x....."), (SNARE, "........X.......")),
    "rock slow": ((KICK, "X.........x....."), (SNARE, "........X......."), (RIDE, "x...x...x...x...")),
    "rock": ((KICK, "X.....x.X.x....."), (SNARE, "....X.......X..."), (HAT, "X.x.X.x.X.x.X.x.")),
    "rock busy": ((KICK, "X.x...x.X.x...x."), (SNARE, "....X..x....X..."), (OPEN, "X.x.X.x.X.x.X.x."),
                  (TAMBOURINE, "..x...x...x...x.")),
    "rock double": ((KICK, "X.xxX.x.X.xxX.x."), (SNARE, "....X.......X..X"), (RIDE, "X.x.X.x.X.x.X.x."),
                    (HAT, "xxxxxxxxxxxxxxxx")),
    "chip slow": ((KICK, "X.......X......."), (HAT, "....x.......x...")),
    "chip": ((KICK, "X..x..X.X..x...."), (SNARE, "....X.......X..."), (HAT, "x.x.x.x.x.x.x.x.")),
    "chip busy": ((KICK, "X..x..X.X..x..X."), (SNARE, "....X..x....X.xx"), (HAT, "xxxxxxxxxxxxxxxx")),
    # After gutgeori and jajinmori: the low skin opens, the high one answers; the swing makes 12/8 of it.
    "janggu slow": ((FLOOR, "X..............."), (HIGH_CONGA, "......x.....x..."), (LOW_CONGA, "........X.......")),
    "gutgeori": ((FLOOR, "X.......X......."), (HIGH_CONGA, "X.....x...x.x.x."), (LOW_CONGA, "....X.......X..."),
                 (BLOCK, "x...............")),
    "jajinmori": ((FLOOR, "X.....X.X.....X."), (SLAP, "..x.x...x.x.x.x."), (LOW_CONGA, "X...X.x.X...X.x."),
                  (HIGH_CONGA, "..x...x...x.x.x."), (BLOCK, "X...X...X...X...")),
    "funk bare": ((KICK, "X.........X....."), (STICK, "....X.......X...")),
    "funk slow": ((KICK, "X.....x...x....."), (STICK, "....X.......X..."), (HAT, "x...x...x...x...")),
    "funk": ((KICK, "X.x...x...X..x.."), (SNARE, "....X..x.x..X..x"), (HAT, "X.x.X.x.X.x.X.x.")),
    "funk busy": ((KICK, "X.X...x...X..X.."), (SNARE, "....X..x.x..X..x"), (HAT, "XxxxXxxxXxxxXxxx"),
                  (TAMBOURINE, "....X.......X...")),
    "one drop bare": ((KICK, "........X......."), (STICK, "........X......."), (HAT, "x.......x.......")),
    "one drop": ((KICK, "........X......."), (STICK, "........X......."), (HAT, "x...x...x...x...")),
    "rockers": ((KICK, "X.......X......."), (STICK, "........X......."), (HAT, "x.x.x.x.x.x.x.x.")),
    "steppers": ((KICK, "X...X...X...X..."), (SNARE, "........X..x...."), (HAT, "x.xxx.xxx.xxx.xx"),
                 (HIGH_CONGA, "...x..x....x..x.")),
    "house sparse": ((KICK, "X.......X......."), (HAT, "....x.......x...")),
}  # fmt: skip
# The last two beats of a section, from 16th step 8 on: by the hands of a style.
FILLS: dict[str, tuple[Pattern, ...]] = {
    "kit": (
        ((SNARE, "....x.xX"),),
        ((HIGH_TOM, "....X.x."), (LOW_TOM, "......xX")),
        ((SNARE, "x.x.xxxX"),),
        ((HIGH_TOM, "x.x....."), (MID_TOM, "....xX.."), (LOW_TOM, "......xX")),
    ),
    "brushes": (((BRUSH, "x.x.x.xx"),), ((BRUSH, "....xxxX"),), ((SNARE, "..x..x.x"), (KICK, ".......X"))),
    "machine": (((CLAP, "....X.XX"),), ((SNARE, "x.xxxxXX"),), ((KICK, "........"), (SNARE, "X..X..X."))),
    "rock": (
        ((SNARE, "XxxXxxXX"),),
        ((SNARE, "Xx......"), (HIGH_TOM, "..Xx...."), (MID_TOM, "....Xx.."), (LOW_TOM, "......XX")),
        ((SNARE, "X..X..XX"), (KICK, ".X..X...")),
    ),
    "orchestra": (((LOW_TOM, "x.x.xxXX"),), ((LOW_TOM, "xxxxxxXX"), (CRASH, "........"))),
    "hands": (((HIGH_CONGA, "x.xxx.xX"),), ((LOW_CONGA, "X..x..x."), (HIGH_CONGA, ".x..x..X")), ((SLAP, "....X.XX"),)),
    "latin": (((STICK, "X..X..X."),), ((HIGH_CONGA, "..x.x.xx"), (LOW_CONGA, "......x.")), ((SNARE, "...x..xX"),)),
}
