"""Takes from a SoundFont what a song needs: some programs with their samples, as a small font of their own.

A whole font of 148 MB would be read again for every rendering. The small one has no pan and no effects of its own: the
mix decides both. It may play faster than the font, and as much higher: synthesis.py says why. The chunks and records
are those of the SoundFont 2.04 specification, chapter 7.
"""

import io
import math
import mmap
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from melodify_core.errors import Misconfigured
from melodify_core.styles.patterns import DRUMS

Program = tuple[int, int]  # bank and program; drum kits are in bank 128
Pitches = frozenset[int]
Table = npt.NDArray[Any]  # records of one kind

KITS = 128
FAMILY = 8  # General MIDI's programs are in families of eight
_RECORDS = {
    b"phdr": [("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("rest", "V12")],
    b"pbag": [("gen", "<u2"), ("mod", "<u2")],
    b"pgen": [("kind", "<u2"), ("amount", "<u2")],
    b"inst": [("name", "S20"), ("bag", "<u2")],
    b"ibag": [("gen", "<u2"), ("mod", "<u2")],
    b"igen": [("kind", "<u2"), ("amount", "<u2")],
    b"shdr": [
        ("name", "S20"), ("start", "<u4"), ("end", "<u4"), ("loop", "<u4"), ("loop_end", "<u4"), ("rate", "<u4"),
        ("rest", "V2"), ("link", "<u2"), ("type", "<u2"),
    ],
}  # fmt: skip
_INSTRUMENT, _SAMPLE = 41, 53  # generators that name what a zone plays
_UNWANTED = (15, 16, 17)  # chorus, reverb, pan
_FILTER, _LOWEST_FILTER = 8, 1500
# The format has soft notes duller (8.4.2: the filter falls by 2400 cents until velocity 0), but not midirenderer. So
# each sample gets layers: up to a velocity, the filter falls by so much, two thirds of the format's (`quality mixes`).
_LAYERS = ((49, 1150), (69, 850), (84, 620), (99, 420), (113, 220), (127, 50))
# Generators of instruments that a faster font changes: how long something takes, and frequencies, with their defaults.
_TIMES = (21, 23, 25, 26, 27, 28, 30, 33, 34, 35, 36, 38)
_FREQUENCIES = {_FILTER: 13500, 22: 0, 24: 0}
_OCTAVE = 1200  # cents of pitch, and "timecents" of time
# A hand stops a crash where its note ends: the generator of release, and its time, a quarter of a second. A stroke on
# the hat ends the one before: the generator of groups of which one sounds.
_RELEASE, _BY_HAND = 38, -2 * _OCTAVE
_GROUP, _HAT_GROUP = 57, 1
_CRASH, _HATS = {DRUMS["crash"]}, {DRUMS["hat"], DRUMS["pedal"], DRUMS["open"]}
_KEYS, _VELOCITIES = 43, 44  # the generators of a zone's lowest and highest key and velocity
_RIGHT, _PACKED = 2, 16  # types of samples
_GAP = 46  # silent samples that must follow each sample
_MODULATORS = 10  # bytes of the empty list


@dataclass(frozen=True, slots=True)
class Font:
    """The tables of a font, and its samples where they are on the disk."""

    tables: Mapping[bytes, Table]
    samples: npt.NDArray[np.int16]

    @property
    def programs(self) -> frozenset[Program]:
        """The programs of the font."""
        return frozenset((int(one["bank"]), int(one["program"])) for one in self.tables[b"phdr"][:-1])

    def nearest(self, program: Program) -> Program:
        """Return the program, else another kit, or another instrument of its family, else the font's first."""
        bank, number = program
        family = range(number // FAMILY * FAMILY, number // FAMILY * FAMILY + FAMILY)
        others = [(bank, 0)] if bank == KITS else [(bank, other) for other in (*family, 0)]
        return next((one for one in (program, *others) if one in self.programs), min(self.programs))


@cache
def opened(path: Path) -> Font:
    """Return a font of the disk. Raises Misconfigured for a file that is none."""
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        chunks = dict(_chunks(data))
        tables = {name: np.frombuffer(data[slice(*chunks[name])], kinds) for name, kinds in _RECORDS.items()}
        start, end = chunks[b"smpl"]
        return Font(tables, np.frombuffer(data, "<i2", (end - start) // 2, start))
    except (OSError, ValueError, KeyError, struct.error) as error:
        raise Misconfigured(f"{path} is not a SoundFont that can be read.") from error


def _chunks(data: mmap.mmap) -> Iterable[tuple[bytes, tuple[int, int]]]:
    """Yield the names of the chunks, lists opened, and where their content begins and ends."""
    if data[:4] != b"RIFF" or data[8:12] != b"sfbk":
        raise ValueError("no SoundFont")
    place = 12
    while place + 8 <= len(data):
        name, size = data[place : place + 4], struct.unpack_from("<I", data, place + 4)[0]
        if name == b"LIST":
            place += 12
            continue
        yield name, (place + 8, min(len(data), place + 8 + size))
        place += 8 + size + size % 2


@dataclass(frozen=True, slots=True)
class Wanted:
    """A program that is wanted: which of the font's it is, and the pitches that it plays."""

    source: Program
    pitches: Pitches


def small_font(font: Font, wanted: Mapping[Program, Wanted], speed: float = 1.0) -> bytes:
    """Return a font of the wanted programs, by their new bank and number, with the samples of the wanted pitches."""
    presets, instruments = _Zones(font, b"p", _INSTRUMENT), _Zones(font, b"i", _SAMPLE, speed)
    samples: dict[int, Pitches] = {}
    played: dict[int, Pitches] = {}
    kits: set[int] = set()  # their instruments: kits come last
    headers = font.tables[b"phdr"]
    places = {(int(one["bank"]), int(one["program"])): place for place, one in reversed([*enumerate(headers[:-1])])}
    new_headers = []
    for (bank, number), one in sorted(wanted.items(), key=itemgetter(0)):
        place = places[one.source]
        header = headers[place].copy()
        header["bank"], header["program"], header["bag"] = bank, number, presets.count
        known = frozenset(played)
        presets.take(headers["bag"][place], headers["bag"][place + 1], one.pitches, played)
        kits |= (played.keys() - known) if bank == KITS else set()
        new_headers.append(header)
    last = headers[-1].copy()
    last["bag"] = presets.count
    new_instruments, names = [], font.tables[b"inst"]
    for place, pitches in played.items():
        header = names[place].copy()
        header["bag"] = instruments.count
        instruments.take(names["bag"][place], names["bag"][place + 1], pitches, samples, place in kits)
        new_instruments.append(header)
    end = names[-1].copy()
    end["bag"] = instruments.count
    sound, shdr = _sampled(font, samples, speed)
    lists = {
        b"phdr": np.array([*new_headers, last]), **presets.tables(), b"inst": np.array([*new_instruments, end]),
        **instruments.tables(), b"shdr": shdr,
    }  # fmt: skip
    return _riff(sound, lists)


class _Zones:
    """Collects zones of presets or instruments, and numbers what they play anew."""

    def __init__(self, font: Font, letter: bytes, plays: int, speed: float = 1.0) -> None:
        self._letter, self._plays, self._cents = letter, plays, round(_OCTAVE * math.log2(speed))
        self._bags, self._generators = font.tables[letter + b"bag"], font.tables[letter + b"gen"]
        self._headers = font.tables[b"shdr"]
        self._taken: list[Table] = []
        self._starts: list[int] = []
        self._length = 0

    @property
    def count(self) -> int:
        """How many zones were taken."""
        return len(self._starts)

    def take(self, first: int, end: int, pitches: Pitches, played: dict[int, Pitches], kit: bool = False) -> None:
        """Take the zones of the pitches. `played` gives what they play its new numbers: its order.

        Where none is left, take all: the synthesiser accepts nothing without a zone.
        """
        zones = [
            self._generators[self._bags["gen"][bag] : self._bags["gen"][bag + 1]] for bag in range(int(first), int(end))
        ]
        fitting = [zone for zone in zones if self._fits(zone, pitches)]
        if not any(self._played(zone) for zone in fitting):
            fitting = zones
        if kit:
            fitting = [_as_a_drummer_does(zone) for zone in fitting]
        for zone in self._layered(fitting) if self._plays == _SAMPLE else fitting:
            kept = zone[~np.isin(zone["kind"], _UNWANTED)].copy()
            for what in self._played(zone):
                played[what] = played.get(what, frozenset()) | pitches.intersection(_keys(zone))
                kept["amount"][kept["kind"] == self._plays] = list(played).index(what)
            self._starts.append(self._length)
            self._taken.append(kept)
            self._length += len(kept)

    def _layered(self, zones: list[Table]) -> Iterator[Table]:
        """Yield the zones of an instrument at its speed, in layers. The first one holds for all, and gets defaults."""
        whole, parts = (zones[0][:0], zones) if self._played(zones[0]) else (zones[0], zones[1:])
        missing = [(kind, value) for kind, value in _FREQUENCIES.items() if kind not in whole["kind"]]
        whole = self._faster(np.append(whole, np.array(missing, whole.dtype)))
        yield whole
        for zone in parts:
            yield from _layers(self._faster(zone), _amount(whole, _FILTER, 0))

    def _faster(self, zone: Table) -> Table:
        amounts = zone["amount"].astype(np.int16).astype(int)
        amounts -= self._cents * np.isin(zone["kind"], _TIMES)
        amounts += self._cents * np.isin(zone["kind"], list(_FREQUENCIES))
        faster = zone.copy()
        faster["amount"] = np.maximum(amounts, -32768).astype(np.int16).astype(np.uint16)
        return faster

    def _played(self, zone: Table) -> list[int]:
        """Return what a zone plays; nothing for the one that holds for all others."""
        return [int(generator["amount"]) for generator in zone if generator["kind"] == self._plays]

    def _fits(self, zone: Table, pitches: Pitches) -> bool:
        return all(pitches.intersection(_keys(zone)) and not self._is_right_half(what) for what in self._played(zone))

    def _is_right_half(self, sample: int) -> bool:
        """Return whether it is a sample whose left half plays too: the mix makes its own sides."""
        return self._plays == _SAMPLE and int(self._headers["type"][sample]) & ~_PACKED == _RIGHT

    def tables(self) -> dict[bytes, Table]:
        """Return the records of the zones, with the empty last ones that the format wants."""
        bags = np.zeros(self.count + 1, _RECORDS[b"pbag"])
        bags["gen"] = [*self._starts, self._length]
        end = np.zeros(1, _RECORDS[b"pgen"])
        generators = np.concatenate([*self._taken, end])
        return {
            self._letter + b"bag": bags, self._letter + b"mod": np.zeros(_MODULATORS, np.uint8),
            self._letter + b"gen": generators,
        }  # fmt: skip


def _layers(zone: Table, usual: int) -> Iterator[Table]:
    """Yield a zone once for each of its layers; `usual` is the filter of a zone without one."""
    if _VELOCITIES in zone["kind"]:  # the font has layers of its own
        yield zone
        return
    cutoff, low = _amount(zone, _FILTER, usual), 0
    rest = zone[~np.isin(zone["kind"], (_KEYS, _FILTER))]
    for high, cents in _LAYERS:
        # The order is the format's: first the ranges, last what is played.
        first = np.array([(_VELOCITIES, high << 8 | low), (_FILTER, max(_LOWEST_FILTER, cutoff - cents))], zone.dtype)
        yield np.concatenate((zone[zone["kind"] == _KEYS], first, rest))
        low = high + 1


def _as_a_drummer_does(zone: Table) -> Table:
    """Return the zone of a kit, with a crash that ends soon after its note, and with one hat at a time."""
    keys = set(_keys(zone))
    if keys <= _CRASH:
        return _with(zone, _RELEASE, _BY_HAND)
    return _with(zone, _GROUP, _HAT_GROUP) if keys <= _HATS else zone


def _with(zone: Table, kind: int, amount: int) -> Table:
    rest = zone[zone["kind"] != kind]
    one = np.array([(kind, amount % (1 << 16))], zone.dtype)
    return np.concatenate((rest[:-1], one, rest[-1:]))  # what is played stands last


def _amount(zone: Table, kind: int, usual: int) -> int:
    found = zone["amount"][zone["kind"] == kind]
    return int(found[-1]) if len(found) else usual


def _keys(zone: Table) -> range:
    """Return the keys of a zone."""
    keys = _amount(zone, _KEYS, 127 << 8)
    return range(keys & 255, (keys >> 8) + 1)


def _sampled(font: Font, taken: Iterable[int], speed: float) -> tuple[npt.NDArray[np.int16], Table]:
    """Return the sound of the samples and their headers."""
    headers = font.tables[b"shdr"]
    new, sounds, place = [], [], 0
    for index in taken:
        header = headers[index].copy()
        start, end = int(header["start"]), int(header["end"])
        sounds += [font.samples[start:end], np.zeros(_GAP, np.int16)]
        for field in ("start", "end", "loop", "loop_end"):
            header[field] = place + int(header[field]) - start
        # A stereo pair is two zones; each half is played as a sample of its own.
        header["link"], header["type"] = 0, 1
        header["rate"] = round(int(header["rate"]) * speed)
        new.append(header)
        place += end - start + _GAP
    return np.concatenate(sounds), np.array([*new, headers[-1].copy()])


def _riff(sound: npt.NDArray[np.int16], lists: Mapping[bytes, Table]) -> bytes:
    info = _chunk(b"ifil", struct.pack("<HH", 2, 1)) + _chunk(b"isng", b"EMU8000\0") + _chunk(b"INAM", b"song\0\0")
    tables = b"".join(_chunk(name, table.tobytes()) for name, table in lists.items())
    body = io.BytesIO()
    body.write(b"sfbk")
    body.write(_chunk(b"LIST", b"INFO" + info))
    body.write(_chunk(b"LIST", b"sdta" + _chunk(b"smpl", sound.tobytes())))
    body.write(_chunk(b"LIST", b"pdta" + tables))
    return _chunk(b"RIFF", body.getvalue())


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
