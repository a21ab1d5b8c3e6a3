"""render.py FILE NAME=VALUE ...: prints the file with each ${NAME} filled in. A name without a value is an error."""

import sys
from pathlib import Path
from string import Template


def main(arguments: list[str]) -> str:
    """Return the filled file. Raises KeyError for a missing value."""
    values = dict(pair.split("=", 1) for pair in arguments[1:])
    return Template(Path(arguments[0]).read_text(encoding="utf-8")).substitute(values)


if __name__ == "__main__":
    sys.stdout.write(main(sys.argv[1:]))
