"""The notes of a MIDI file, instrument by instrument. How they are drawn is the song page's matter."""

import io
from dataclasses import dataclass, field

import mido

DRUM_CHANNEL = 9
# What mido raises for a file that is damaged or none.
_DAMAGED = (EOFError, OSError, ValueError, LookupError, mido.KeySignatureError)


@dataclass(frozen=True, slots=True)
class Voice:
    """What one instrument plays."""

    name: str  # such as "felt piano"; "" where the file does not say it
    drums: bool
    notes: list[tuple[float, float, int]] = field(default_factory=list)  # start and length in seconds, pitch


def voices_of(midi: bytes) -> list[Voice]:
    """Return the instruments that play something, in the file's order; none for a file that cannot be read."""
    try:
        file = mido.MidiFile(file=io.BytesIO(midi))
        voices = _voices(file)
        _play(file, voices)
    except _DAMAGED:
        return []
    return [voice for voice in voices.values() if voice.notes]


def _voices(file: mido.MidiFile) -> dict[int, Voice]:
    """Return a voice for each channel. A track's name is its role and its instrument: "lead: felt piano"."""
    voices: dict[int, Voice] = {}
    for track in file.tracks:
        for message in track:
            if message.type == "note_on":
                name = track.name.rpartition(": ")[2]
                voices.setdefault(message.channel, Voice(name, message.channel == DRUM_CHANNEL))
    return voices


def _play(file: mido.MidiFile, voices: dict[int, Voice]) -> None:
    """Add the notes to the voices; the file's tempos make seconds of its ticks."""
    now, sounding = 0.0, dict[tuple[int, int], float]()
    for message in file:
        now += message.time
        if message.type not in ("note_on", "note_off"):
            continue
        key = (message.channel, message.note)
        start = sounding.pop(key, None)
        if start is not None:
            voices[message.channel].notes.append((start, now - start, message.note))
        if message.type == "note_on" and message.velocity:
            sounding[key] = now
