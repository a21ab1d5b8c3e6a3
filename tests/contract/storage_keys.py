"""Keys that no storage may take."""

HOSTILE = [
    "../secret",
    "songs/../../secret",
    "songs/..",
    "songs/.",
    "songs/",
    "/etc/passwd",
    "songs//x",
    "songs/a/b",
    "songs\\..\\x",
    "songs/.x.type",
    "songs/x\0",
    "songs/x\n",
    "Songs/x",
    "songs",
    "",
    "songs/" + "x" * 129,
    "songs/가",
    "songs/%2e%2e",
    "songs/\udc80",
]
