"""Score -> WAV: a synthesiser plays the MIDI file, finish.py has the last word on its sound."""

import io
import subprocess
import tempfile
import wave
from pathlib import Path

import midirenderer
import numpy as np

from melodify_core.composers.arranger.finish import Played, finished
from melodify_core.composers.arranger.fonts import Synthesiser, chosen
from melodify_core.composers.arranger.midi import midi_file
from melodify_core.composers.arranger.score import Score
from melodify_core.errors import Unavailable

RATE = 48_000  # that of midirenderer, which knows no other
FLUIDSYNTH_S = 60
FLUIDSYNTH_GAIN = 0.35


def wav_of(score: Score, synthesiser: Synthesiser | None = None) -> bytes:
    """Return the played score as 16-bit stereo WAV of exactly `score.seconds`; its peak is below full scale."""
    played, rate = played_by(synthesiser or chosen(), score)
    data = io.BytesIO()
    with wave.open(data, "wb") as target:
        target.setnchannels(played.shape[1])
        target.setsampwidth(2)
        target.setframerate(rate)
        for block in finished(played, round(score.seconds * rate), rate, score.brightness):
            target.writeframes(block.tobytes())
    return data.getvalue()


def played_by(synthesiser: Synthesiser, score: Score) -> tuple[Played, int]:
    """Return the bare sound, frames by channels, and its rate. Raises Unavailable when FluidSynth fails."""
    midi = midi_file(score, synthesiser.trims)
    if synthesiser.command:
        rendered = _fluidsynth(synthesiser.command, synthesiser.font, midi)
    else:
        rendered = midirenderer.render_wave_from(synthesiser.font.read_bytes(), midi)
    with wave.open(io.BytesIO(rendered)) as source:
        if source.getsampwidth() != 2:
            raise ValueError(f"the synthesiser gave {8 * source.getsampwidth()} bits")
        channels, rate, count = source.getnchannels(), source.getframerate(), source.getnframes()
    # Seen in place: a copy of two minutes is 21 MB.
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
            # No shell, and no word that came from outside.
            subprocess.run(arguments, check=True, capture_output=True, timeout=FLUIDSYNTH_S)  # noqa: S603
            return sound.read_bytes()
        except (OSError, subprocess.SubprocessError) as error:
            raise Unavailable("music.failed") from error
