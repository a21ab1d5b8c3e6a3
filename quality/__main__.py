"""Prints every figure beside its target, or the given ones: `python -m quality written sound speed`."""

import sys
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
    named = {name for name in sys.argv[1:] if name in PARTS}
    for part, usual in PARTS.items():
        if part in named or (usual and not named):
            import_module(f"quality.{MODULES.get(part, part)}").main()


if __name__ == "__main__":
    main()
