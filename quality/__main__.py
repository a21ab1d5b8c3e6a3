"""Prints every figure beside its target, or the given ones: `python -m quality written sound speed`."""

import argparse
from importlib import import_module

# In this order; those that are False run only when they are named.
PARTS = {
    "written": True,
    "casts": True,
    "human": True,
    "mixes": True,
    "tagger": True,
    "counting": False,
    "sound": True,
    "speed": True,
    "hints": True,
    "recognition": True,
    "sexual": True,
}
MODULES = {"human": "human_tunes"}


def main() -> None:
    """Run the given parts, else all; only `sound` needs essentia."""
    parser = argparse.ArgumentParser("quality", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"one of {', '.join(PARTS)}")
    # The parts themselves read these.
    parser.add_argument("-v", action="store_true", help="sound: print every song")
    parser.add_argument("--songs", type=int, help="mixes: how many songs to measure, as --songs=42")
    parser.add_argument("--font", help="mixes: another SoundFont, as --font=/its/path.sf2")
    parser.add_argument("--words", action="store_true", help="hints: compare words only, without the text model")
    parser.add_argument("--write", action="store_true", help="hints: write quality/hints.txt anew")
    named = frozenset(parser.parse_args().parts)
    if unknown := named - PARTS.keys():
        parser.error(f"{', '.join(sorted(unknown))}: no such part; there are {', '.join(PARTS)}")
    for part, usual in PARTS.items():
        if part in named or (usual and not named):
            import_module(f"quality.{MODULES.get(part, part)}").main()


if __name__ == "__main__":
    main()
