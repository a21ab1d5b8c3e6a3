"""Which instruments a style takes, and which ones a wish to do without excludes."""

from collections.abc import Iterable

from melodify_core.hints.concepts import DRUMS
from melodify_core.styles import all_styles
from melodify_core.styles.instruments import BASS, CHORDS, LEAD, PAD, instruments
from melodify_core.styles.style import Band

# Names that stand for more than instruments of the same last word.
_FAMILIES = {"string ensemble": ("strings",), "saw lead": ("synth", "pads", "chip"), "choir": ("voices",)}
_NAMES = {
    "brass section": ("trumpet", "trombone", "french horn", "muted trumpet", "synth brass"),
    "string ensemble": ("low strings", "synth strings"),
    "saw lead": ("synth bass", "square bass", "bass drone"),
}
_DRUMS = frozenset(
    {DRUMS, "brushed drums", "drum machine", "shaker", "timpani", "latin percussion", "janggu", "noise drums"}
)


def can_play(style: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return which of the instruments a style takes."""
    return tuple(name for name in names if _takes(style, name))


def _takes(style: str, name: str) -> bool:
    if name == DRUMS:
        return bool(all_styles()[style].drums.grooves)
    instrument = instruments()[name]
    return BASS in instrument.roles or instrument.family in all_styles()[style].instruments.families


def with_parts(style: str, names: Iterable[str]) -> frozenset[str]:
    """Return which instruments that were asked for get a part: the first free one each, as the composer's band has it.

    Drums need grooves. A second lead plays the second voice.
    """
    band = all_styles()[style].instruments
    # One player alone gives away the tune or all, not the bass.
    own = {
        LEAD: band.lead,
        CHORDS: band.chords,
        PAD: () if band.solo else band.pad,
        BASS: () if band.solo else band.bass,
    }
    found: dict[str, str] = {}
    others = [name for name in names if name != DRUMS]
    for name in others:
        free = [role for role in instruments()[name].roles if own.get(role) and role not in found]
        if free:
            found[free[0]] = name
    second = (name for name in others if name not in found.values() and LEAD in instruments()[name].roles)
    beaten = [DRUMS] if all_styles()[style].drums.grooves else []
    return frozenset([*found.values(), *list(second)[:1], *beaten])


def has_tempo(style: str, bpm: int) -> bool:
    """Return whether a style is played at that tempo; at another one, it is not what was asked for."""
    low, high = all_styles()[style].tempo.bpm
    return low <= bpm <= high


def can_do_without(band: Band, name: str) -> bool:
    """Return whether anybody is left of a style's band without a family: a chiptune without synths is none."""
    return band.solo or not all(is_denied(each, (name,)) for each in (*band.lead, *band.chords, *band.bass))


def is_denied(name: str, without: Iterable[str]) -> bool:
    """Return whether an instrument is one of those, or of their kind: "no guitar" excludes a nylon guitar too."""
    return any(_of_a_kind(name, other) for other in without)


def _of_a_kind(name: str, other: str) -> bool:
    if other == DRUMS or name in _DRUMS:
        return other == DRUMS and name in _DRUMS
    known = instruments().get(name)
    if known is not None and known.family in _FAMILIES.get(other, ()) and name != "harp":
        return True
    return name in _NAMES.get(other, ()) or name.rpartition(" ")[2] == other.rpartition(" ")[2]
