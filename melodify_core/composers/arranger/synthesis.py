"""Score -> WAV: a synthesiser plays the MIDI file, and finish.py finishes the sound."""

import io
import subprocess
import sys
import tempfile
import wave
from dataclasses import replace
from pathlib import Path

import midirenderer
import numpy as np

from melodify_core.composers.arranger.finish import Played, finished
from melodify_core.composers.arranger.fonts import Synthesiser, chosen
from melodify_core.composers.arranger.midi import midi_file
from melodify_core.composers.arranger.score import Score
from melodify_core.errors import Unavailable
from melodify_core.styles.instruments import instruments

RATE = 48_000  # the only one that midirenderer supports
FLUIDSYNTH_S = 60
FLUIDSYNTH_GAIN = 0.35
# midirenderer holds the interpreter's lock and works in one thread. For pieces of this many seconds and for dense ones
# another process plays every other note. That costs a tenth of a second to start, and a second reverb.
LONG_S = 60.0
DENSE = 30  # notes of slow strings: one costs as much as ten of other instruments
OTHER_S = 60.0
_OTHER = """
import sys, midirenderer
with open(sys.argv[1], "rb") as font:
    sys.stdout.buffer.write(midirenderer.render_wave_from(font.read(), sys.stdin.buffer.read()))
"""


def wav_of(score: Score, synthesiser: Synthesiser | None = None, around: Played | None = None) -> bytes:
    """Return the played score as a 16-bit stereo WAV of exactly `score.seconds`; its peak is below full scale.

    `around` is a soundscape at RATE, as long as the score.
    """
    played, rate = played_by(synthesiser or chosen(), score)
    data = io.BytesIO()
    with wave.open(data, "wb") as target:
        target.setnchannels(played.shape[1])
        target.setsampwidth(2)
        target.setframerate(rate)
        for block in finished(played, round(score.seconds * rate), rate, score.brightness, around):
            target.writeframes(block.tobytes())
    return data.getvalue()


def played_by(synthesiser: Synthesiser, score: Score) -> tuple[Played, int]:
    """Return the unfinished sound, frames by channels, and its rate. Raises Unavailable when a synthesiser fails."""
    if synthesiser.command:
        return _samples(_fluidsynth(synthesiser.command, synthesiser.font, midi_file(score, synthesiser.trims)))
    if score.seconds < LONG_S and not _is_dense(score):
        return _samples(midirenderer.render_wave_from(synthesiser.font.read_bytes(), midi_file(score)))
    return played_by_two(synthesiser.font, score)


def _is_dense(score: Score) -> bool:
    """Return whether instruments play whose tones are slow, and therefore pile up."""
    slow = [part for part in score.parts if part.role != "drums" and instruments()[part.name].quick]
    return sum(len(part.notes) for part in slow) > DENSE


def played_by_two(font: Path, score: Score, python: str = sys.executable) -> tuple[Played, int]:
    """Return the sum of midirenderer in this process and in another. Raises Unavailable when the other one fails."""
    command = [python, "-I", "-c", _OTHER, str(font)]
    try:
        # A file, because a pipe would have to be fed while the lock is held. No shell, and no input from outside.
        with tempfile.TemporaryFile() as midi:
            midi.write(midi_file(_half(score, 1)))
            midi.seek(0)
            # Its only error is that this process was killed and nobody reads: not worth a traceback on the terminal.
            quiet = subprocess.DEVNULL
            with subprocess.Popen(command, stdin=midi, stdout=subprocess.PIPE, stderr=quiet) as other:  # noqa: S603
                try:
                    here, rate = _samples(midirenderer.render_wave_from(font.read_bytes(), midi_file(_half(score, 0))))
                    there, _ = _samples(other.communicate(timeout=OTHER_S)[0])
                finally:
                    other.kill()
    except (OSError, EOFError, wave.Error, subprocess.SubprocessError) as error:
        raise Unavailable("music.failed") from error
    length = min(len(here), len(there))
    return np.clip(here[:length].astype(np.int32) + there[:length], -32768, 32767).astype(np.int16), rate


def _half(score: Score, which: int) -> Score:
    """Return the score with every other note of each part."""
    return replace(score, parts=tuple(replace(part, notes=part.notes[which::2]) for part in score.parts))


def _samples(rendered: bytes) -> tuple[Played, int]:
    """Return a view of a WAV's samples without a copy, which would take 21 MB for two minutes."""
    with wave.open(io.BytesIO(rendered)) as source:
        if source.getsampwidth() != 2:
            raise ValueError(f"the synthesiser gave {8 * source.getsampwidth()} bits")
        channels, rate, count = source.getnchannels(), source.getframerate(), source.getnframes()
    samples = np.frombuffer(rendered, "<i2", count * channels, rendered.index(b"data", 12) + 8)
    return samples.reshape(-1, channels), rate


def _fluidsynth(command: str, font: Path, midi: bytes) -> bytes:
    with tempfile.TemporaryDirectory(prefix="melodify-") as folder:
        score, sound = Path(folder, "score.mid"), Path(folder, "sound.wav")
        score.write_bytes(midi)
        options = ("synth.dynamic-sample-loading=1", f"synth.gain={FLUIDSYNTH_GAIN}", "synth.cpu-cores=1")
        settings = [part for option in options for part in ("-o", option)]
        arguments = [command, "-ni", "-q", *settings, "-r", str(RATE), "-F", str(sound), str(font), str(score)]
        try:
            # No shell, and no input from outside.
            subprocess.run(arguments, check=True, capture_output=True, timeout=FLUIDSYNTH_S)  # noqa: S603
            return sound.read_bytes()
        except (OSError, subprocess.SubprocessError) as error:
            raise Unavailable("music.failed") from error
