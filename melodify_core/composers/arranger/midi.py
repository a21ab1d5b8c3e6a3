"""Score -> standard MIDI file."""

import io
from collections.abc import Iterator
from operator import itemgetter

import mido

from melodify_core.composers.arranger.score import BEND, Key, Part, Score

TICKS = 480
VOLUME, PAN, REVERB, CHORUS = 7, 10, 91, 93
WHEEL_CENTS = 200  # how far the pitch wheel reaches, unless a file says otherwise


def midi_file(score: Score) -> bytes:
    """Return the score as a MIDI file of type 1 that lasts `score.seconds`."""
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS)
    file.tracks.append(_tempo_track(score))
    end = sum(message.time for message in file.tracks[0])
    file.tracks.extend(_track(part, end) for part in score.parts)
    data = io.BytesIO()
    file.save(file=data)
    return data.getvalue()


def _tempo_track(score: Score) -> mido.MidiTrack:
    track = mido.MidiTrack()
    beats, unit = map(int, score.time.name.split("/"))
    track.append(mido.MetaMessage("time_signature", numerator=beats, denominator=unit, time=0))
    track.append(mido.MetaMessage("key_signature", key=_signature(score.key), time=0))
    changes = [(beat, "set_tempo", {"tempo": mido.bpm2tempo(bpm)}) for beat, bpm in score.tempos]
    if score.lift:
        key = Key((score.key.tonic + score.lift.semitones) % 12, score.key.mode)
        changes.append((score.lift.start, "key_signature", {"key": _signature(key)}))
    now = 0
    for beat, kind, value in sorted(changes, key=itemgetter(0)):
        tick = round(beat * TICKS)
        track.append(mido.MetaMessage(kind, **value, time=tick - now))
        now = tick
    # The rest after the last tempo change; the synthesiser stops with the last event.
    passed_s = sum(
        (end - beat) * 60 / bpm for (beat, bpm), (end, _) in zip(score.tempos, score.tempos[1:], strict=False)
    )
    left = (score.seconds - passed_s) * score.tempos[-1][1] / 60
    track.append(mido.MetaMessage("end_of_track", time=round(left * TICKS)))
    return track


def _signature(key: Key) -> str:
    name = key.name.replace(" flat", "b").replace(" sharp", "#")
    return f"{name}m" if key.mode == "minor" else name


def _track(part: Part, end: int) -> mido.MidiTrack:
    channel = part.channel
    track = mido.MidiTrack([mido.MetaMessage("track_name", name=f"{part.role}: {part.name}", time=0)])
    track.append(mido.Message("program_change", channel=channel, program=part.program, time=0))
    for control, value in ((VOLUME, part.volume), (PAN, part.pan), (REVERB, part.reverb), (CHORUS, part.chorus)):
        track.append(mido.Message("control_change", channel=channel, control=control, value=value, time=0))
    now = 0
    for tick, _, message in sorted(_events(part, end), key=lambda event: event[:2]):
        message.time = tick - now
        track.append(message)
        now = tick
    return track


def _events(part: Part, end: int) -> Iterator[tuple[int, int, mido.Message]]:
    """Yield ticks, ranks and messages. At the same time, ends come before beginnings, so that they do not cut them."""
    for beat, control, value in part.controls:
        tick = min(end, round(beat * TICKS))
        if control == BEND:
            wheel = max(-8192, min(8191, round(value * 8192 / WHEEL_CENTS)))
            yield tick, 0, mido.Message("pitchwheel", channel=part.channel, pitch=wheel)
        else:
            yield tick, 0, mido.Message("control_change", channel=part.channel, control=control, value=value)
    for note in part.notes:
        on = round(note.start * TICKS)
        off = max(on + 1, min(end, round((note.start + note.length) * TICKS)))
        yield off, 1 + note.pitch, mido.Message("note_off", channel=part.channel, note=note.pitch, velocity=0)
        yield (
            on,
            200 + note.pitch,
            mido.Message("note_on", channel=part.channel, note=note.pitch, velocity=note.velocity),
        )
