"""The rhythms of tunes, by metre: cells that themes are put together from, and bars that close a phrase."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Annotated

from pydantic import AfterValidator, Field, TypeAdapter

from melodify_core.data_files import read_table
from melodify_core.models import Meter

STEPS_A_BEAT = 4  # a beat is a quarter
# The length of cells in steps: half a bar of 4/4 and of 6/8, a whole one of 3/4.
SIZES: dict[Meter, int] = {"4/4": 8, "3/4": 12, "6/8": 6}


def _rhythm(text: str) -> str:
    if not re.fullmatch(r"[o.-]+", text):
        raise ValueError(f'"{text}" must be steps of "o" (a note begins), "-" (it is held) and "." (rest)')
    return text


Rhythm = Annotated[str, AfterValidator(_rhythm)]


@dataclass(frozen=True, slots=True)
class Cells:
    """Of one metre: cells by family, each with how often it is taken, and closes. A first "-" holds the note before."""

    families: dict[str, dict[Rhythm, int]]
    closes: Annotated[tuple[Rhythm, ...], Field(min_length=3)]


@cache
def cells(meter: Meter) -> Cells:
    """Return the cells of a metre."""
    table = read_table("melodify_core.styles", "material/cells.toml")
    return TypeAdapter(dict[Meter, Cells]).validate_python(table)[meter]
