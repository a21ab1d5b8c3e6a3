"""The rooms that styles name: how long they ring, and how dark. They are synthetic; no room was recorded."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from pydantic import TypeAdapter

from melodify_core.data_files import read_table


@dataclass(frozen=True, slots=True)
class RoomSize:
    """A room. `seconds` is the time in which its middle frequencies fall by 60 dB."""

    seconds: float
    delay_s: float  # before its first reflection
    damping: float  # how much faster high frequencies fall: 1 not at all


@cache
def rooms() -> Mapping[str, RoomSize]:
    """Return the rooms by name."""
    return TypeAdapter(dict[str, RoomSize]).validate_python(read_table("melodify_core.styles", "material/rooms.toml"))
