"""Score -> WAV: a synthesiser plays the parts, each as a sound of its own, and mixing.py makes a song of them."""

import io
import logging
import subprocess
import sys
import tempfile
import wave
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import cast

import midirenderer
import numpy as np

from melodify_core.composers.arranger.fonts import chosen
from melodify_core.composers.arranger.midi import midi_file
from melodify_core.composers.arranger.mixing import MIXED_RATE, Played, Track, mixed
from melodify_core.composers.arranger.score import DRUM_CHANNEL, Part, Score
from melodify_core.composers.arranger.soundfont import KITS, Program, Wanted, opened, small_font
from melodify_core.composers.arranger.soundscape import LEVEL_DB, loudness_db
from melodify_core.styles.patterns import DRUMS
from melodify_core.styles.style import Stem

log = logging.getLogger(__name__)
# midirenderer supports this rate only. All is played faster and as much higher, as by a tape that runs too fast, and
# what comes out is taken for sound at PLAYED_RATE. That costs a quarter less; what is lost lies above 18 kHz.
RATE, PLAYED_RATE = MIXED_RATE, 36_000
SPEED = RATE / PLAYED_RATE
# midirenderer holds the interpreter's lock and works in one thread, and most of its time passes however few notes there
# are. So each two parts are played by a process of their own: without `site` it starts within ten milliseconds.
OTHER_S = 60.0
_OTHER = """
import sys
sys.path.append(sys.argv[1])
import midirenderer
given, size = sys.stdin.buffer.read(), int(sys.argv[2])
sys.stdout.buffer.write(midirenderer.render_wave_from(given[:size], given[size:]))
"""
PACKAGES = Path(midirenderer.__file__).parent.parent
# Two parts are played at once, one on each side. Without a mix's levels, so loud that no part clips.
SIDES, VOLUME = (0, 127), 110


def wav_of(score: Score, font: Path | None = None, around: Played | None = None) -> bytes:
    """Return the played score as a 16-bit stereo WAV of exactly `score.seconds`; its peak is below full scale.

    `around` is a soundscape at RATE, as long as the score, which is put quietly under it.
    """
    tracks = tracks_of(score, font or chosen())
    data = io.BytesIO()
    with wave.open(data, "wb") as target:
        target.setnchannels(2)
        target.setsampwidth(2)
        target.setframerate(RATE)
        frames = round(score.seconds * RATE)
        for block in mixed(tracks, score.mix, score.brightness, kicks_of(score), frames, PLAYED_RATE):
            target.writeframes(block.tobytes())
    if around is not None:
        music = np.frombuffer(data.getbuffer(), "<i2", 2 * frames, len(data.getbuffer()) - 4 * frames)
        _put_under(music.reshape(-1, 2), around)
        del music
    return data.getvalue()


def _put_under(music: Played, around: Played) -> None:
    """Add the soundscape to the music, in place; the mix's ceiling leaves room for it."""
    gain = np.float32(10 ** ((loudness_db(music, RATE) + LEVEL_DB - loudness_db(around, RATE)) / 20))
    for start in range(0, len(music), RATE):
        block = music[start : start + RATE]
        added = around[start : start + RATE] * gain
        block[: len(added)] = np.clip(block[: len(added)] + added, -32767, 32767)


def kicks_of(score: Score) -> list[float]:
    """Return the seconds at which the kick is struck."""
    drums = score.part("drums")
    beats = [note.start for note in drums.notes if note.pitch == DRUMS["kick"]] if drums else []
    changes = [beat for beat, _ in score.tempos]
    lengths = np.diff(changes) * [60 / bpm for _, bpm in score.tempos[:-1]]
    begins = np.concatenate(([0.0], np.cumsum(lengths)))
    places = np.searchsorted(changes, beats, side="right") - 1
    return [
        begins[at] + (beat - changes[at]) * 60 / score.tempos[at][1] for beat, at in zip(beats, places, strict=True)
    ]


def tracks_of(score: Score, font: Path) -> list[Track]:
    """Return the sound of each part at PLAYED_RATE."""
    small = _font_for(score, font)
    pairs = [score.parts[start : start + 2] for start in range(0, len(score.parts), 2)]
    fast = _faster(score)
    midis = [midi_file(replace(fast, parts=tuple(map(_aside, pair, SIDES)))) for pair in pairs]
    sounds = played_at_once(small, midis)
    return [
        Track(cast("Stem", part.role), sound[:, side])
        for pair, sound in zip(pairs, sounds, strict=True)
        for side, part in enumerate(pair)
    ]


def _font_for(score: Score, path: Path) -> bytes:
    """Return the font of the score's programs. One that the font lacks is played by the nearest."""
    font = opened(path)
    wanted: dict[Program, Wanted] = {}
    for part in score.parts:
        program = (KITS if part.channel == DRUM_CHANNEL else 0, part.program)
        pitches = {note.pitch for note in part.notes} | (wanted[program].pitches if program in wanted else set())
        wanted[program] = Wanted(font.nearest(program), frozenset(pitches))
    return small_font(font, wanted, SPEED)


def _faster(score: Score) -> Score:
    tempos = tuple((beat, SPEED * bpm) for beat, bpm in score.tempos)
    return replace(score, tempos=tempos, seconds=score.seconds / SPEED)


def _aside(part: Part, pan: int) -> Part:
    """Return the part as the mix wants it: on one side, dry."""
    return replace(part, pan=pan, volume=VOLUME, reverb=0, chorus=0)


def played_at_once(font: bytes, midis: Sequence[bytes], python: str = sys.executable) -> list[Played]:
    """Return what midirenderer plays: the last here, the rest elsewhere, or here as well where that fails."""
    with ExitStack() as running:
        others = [_other(font, midi, python, running) for midi in midis[:-1]]
        here = [_played(font, midi) for midi in midis[-1:]]
        elsewhere = [
            found if (found := _played_by(other)) is not None else _played(font, midi)
            for other, midi in zip(others, midis, strict=False)
        ]
        return elsewhere + here


def _other(font: bytes, midi: bytes, python: str, running: ExitStack) -> subprocess.Popen[bytes] | None:
    """Start a process that writes what it plays; it ends with `running`. None where none can be started."""
    try:
        # A file, because a pipe would have to be fed while the lock is held.
        given = running.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - `running` closes it
        given.write(font + midi)
        given.seek(0)
        command = [python, "-I", "-S", "-c", _OTHER, str(PACKAGES), str(len(font))]
        # No shell, and no input from outside.
        other = running.enter_context(subprocess.Popen(command, stdin=given, stdout=subprocess.PIPE))  # noqa: S603
    except OSError as error:
        log.warning("no process could be started to play: %s", error)
        return None
    running.callback(other.kill)
    return other


def _played_by(other: subprocess.Popen[bytes] | None) -> Played | None:
    """Return what the process has played; None where it did not play all."""
    if other is None:
        return None
    try:
        rendered, _ = other.communicate(timeout=OTHER_S)
    except (OSError, subprocess.SubprocessError) as error:
        log.warning("a process that plays does not answer: %s", error)
        return None
    if other.returncode:
        log.warning("a process that plays ended with %d", other.returncode)
        return None
    return _samples(rendered)


def _played(font: bytes, midi: bytes) -> Played:
    return _samples(midirenderer.render_wave_from(font, midi))


def _samples(rendered: bytes) -> Played:
    """Return a view of a WAV's samples without a copy, which would take 21 MB for two minutes."""
    with wave.open(io.BytesIO(rendered)) as source:
        if source.getsampwidth() != 2:
            raise ValueError(f"the synthesiser gave {8 * source.getsampwidth()} bits")
        channels, count = source.getnchannels(), source.getnframes()
    samples = np.frombuffer(rendered, "<i2", count * channels, rendered.index(b"data", 12) + 8)
    return samples.reshape(-1, channels)
