"""Prints every figure beside its target, or the given ones: `python -m quality written sound speed`."""

import sys


def main() -> None:
    """Run the given parts, else all; only `sound` needs essentia."""
    named = [name for name in sys.argv[1:] if not name.startswith("-")] or [
        "written",
        "human",
        "mixes",
        "sound",
        "speed",
        "hints",
        "recognition",
        "sexual",
    ]
    if "written" in named:
        from quality import written

        written.main()
    if "human" in named:
        from quality import human_tunes

        human_tunes.main()
    if "mixes" in named:
        from quality import mixes

        mixes.main()
    if "counting" in named:
        from quality import counting

        counting.main()
    if "sound" in named:
        from quality import sound

        sound.main()
    if "speed" in named:
        from quality import speed

        speed.main()
    if "hints" in named:
        from quality import hints

        hints.main()
    if "recognition" in named:
        from quality import recognition

        recognition.main()
    if "sexual" in named:
        from quality import sexual

        sexual.main()


if __name__ == "__main__":
    main()
