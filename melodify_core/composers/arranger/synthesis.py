"""Score -> MIDI -> WAV, with the SoundFont that ships inside the pretty_midi package (GPL-2: used where it lies)."""

import importlib.util
import io
import wave
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import midirenderer
import mido
import numpy as np
import numpy.typing as npt

from melodify_core.composers.arranger.score import Part, Score
from melodify_core.errors import Misconfigured

TICKS = 480
FADE_S = 0.3
CEILING = 0.89  # -1 dBFS
VOLUME, PAN, EXPRESSION, REVERB, CHORUS = 7, 10, 11, 91, 93
# Brightness is a shelf: at +-1 all above its middle is this much louder or softer. The synthesiser has no such control.
SHELF_DB, SHELF_HZ = 9.0, 1500.0
TAPS = 511
BLOCK = 1 << 14
Samples = npt.NDArray[np.float32]


@cache
def font_path() -> Path:
    """Return the SoundFont's place, without importing its package. Raises Misconfigured when it is not installed."""
    package = importlib.util.find_spec("pretty_midi")
    path = Path(package.origin or "").parent / "TimGM6mb.sf2" if package else Path()
    if not path.is_file():
        raise Misconfigured("The arranger's SoundFont is missing: install pretty_midi, or choose another composer.")
    return path


def midi_of(score: Score) -> bytes:
    """Return the score as a standard MIDI file of type 1 that lasts `score.seconds`."""
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS)
    file.tracks.append(_tempo_track(score))
    end = sum(message.time for message in file.tracks[0])
    file.tracks.extend(_track(part, end) for part in score.parts)
    data = io.BytesIO()
    file.save(file=data)
    return data.getvalue()


def wav_of(score: Score) -> bytes:
    """Return the played score as 16-bit stereo WAV of exactly `score.seconds`; its peak is below full scale."""
    rendered = midirenderer.render_wave_from(font_path().read_bytes(), midi_of(score))
    with wave.open(io.BytesIO(rendered)) as source:
        rate, channels, width = source.getframerate(), source.getnchannels(), source.getsampwidth()
        played = np.frombuffer(source.readframes(source.getnframes()), dtype="<i2").reshape(-1, channels)
    del rendered, source  # 12 MB a minute each
    if width != 2:
        raise ValueError(f"the synthesiser gave {8 * width} bits")
    data = io.BytesIO()
    with wave.open(data, "wb") as target:
        target.setnchannels(channels)
        target.setsampwidth(2)
        target.setframerate(rate)
        for block in _finished(played, round(score.seconds * rate), rate, score.brightness):
            target.writeframes(block.astype("<i2").tobytes())
    return data.getvalue()


def _tempo_track(score: Score) -> mido.MidiTrack:
    track = mido.MidiTrack()
    now = 0
    for beat, bpm in score.tempos:
        tick = round(beat * TICKS)
        track.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm), time=tick - now))
        now = tick
    # The rest after the last tempo change; the synthesiser stops with the last event.
    passed_s = sum(
        (end - beat) * 60 / bpm for (beat, bpm), (end, _) in zip(score.tempos, score.tempos[1:], strict=False)
    )
    left = (score.seconds - passed_s) * score.tempos[-1][1] / 60
    track.append(mido.MetaMessage("end_of_track", time=round(left * TICKS)))
    return track


def _track(part: Part, end: int) -> mido.MidiTrack:
    channel = part.channel
    track = mido.MidiTrack([mido.Message("program_change", channel=channel, program=part.program, time=0)])
    controls = ((VOLUME, part.volume), (PAN, part.pan), (REVERB, part.reverb), (CHORUS, part.chorus))
    for control, value in controls:
        track.append(mido.Message("control_change", channel=channel, control=control, value=value, time=0))
    now = 0
    for tick, _, message in sorted(_events(part, end), key=lambda event: event[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    return track


def _events(part: Part, end: int) -> Iterator[tuple[int, int, mido.Message]]:
    """Yield ticks, ranks and messages: an end goes before a beginning at the same time, or it would cut it."""
    for beat, value in part.swells:
        yield round(beat * TICKS), 0, mido.Message(
            "control_change", channel=part.channel, control=EXPRESSION, value=value
        )  # fmt: skip
    for note in part.notes:
        on = round(note.start * TICKS)
        off = max(on + 1, min(end, round((note.start + note.length) * TICKS)))
        yield off, 1 + note.pitch, mido.Message("note_off", channel=part.channel, note=note.pitch, velocity=0)
        yield on, 200 + note.pitch, mido.Message(
            "note_on", channel=part.channel, note=note.pitch, velocity=note.velocity
        )  # fmt: skip


def _finished(played: npt.NDArray[np.int16], frames: int, rate: int, brightness: float) -> Iterator[Samples]:
    """Yield the whole in blocks: filtered, brought below the ceiling, faded over the last moment, `frames` long."""
    taps = _shelf(brightness, rate)
    peak = max(1, int(played[:frames].max(initial=0)), -int(played[:frames].min(initial=0)))
    # No sample of a filtered sound can exceed its peak times the sum of the filter's taps.
    gain = CEILING * 32767 / (peak * float(np.abs(taps).sum()))
    spectrum = np.fft.rfft(taps, BLOCK) * np.float32(gain)
    half, step = TAPS // 2, BLOCK - TAPS + 1
    fade = min(frames, round(FADE_S * rate))
    for start in range(0, frames, step):
        length = min(step, frames - start)
        first, last = start - half, start + length + half
        part = np.zeros((played.shape[1], BLOCK), np.float32)
        inside = played[max(0, first) : max(0, min(last, len(played), frames))]
        part[:, max(0, -first) : max(0, -first) + len(inside)] = inside.T
        block = np.fft.irfft(np.fft.rfft(part) * spectrum)[:, TAPS - 1 : TAPS - 1 + length].T
        left = frames - start - np.arange(length)
        yield np.round(block * np.clip(left / fade, 0, 1)[:, None] ** 2)


def _shelf(brightness: float, rate: int) -> Samples:
    """Return the taps of a shelf with linear phase, unity at low frequencies."""
    hertz = np.fft.rfftfreq(4096, 1 / rate)
    share = hertz**2 / (hertz**2 + SHELF_HZ**2)
    response = 10 ** (SHELF_DB * brightness / 20 * share)
    taps = np.roll(np.fft.irfft(response), TAPS // 2)[:TAPS] * np.hanning(TAPS)
    return taps.astype(np.float32)
