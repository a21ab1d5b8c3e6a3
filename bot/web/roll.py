"""What the piano roll of a song's page is drawn from: the notes of its score, as small JSON."""

import json
from functools import lru_cache

from bot.i18n.messages import name_of
from melodify_core.brief import clean
from melodify_core.media.notes import voices_of
from melodify_core.models import Language

MOST_BYTES = 512 * 1024  # of a MIDI file; a song of two minutes has 10 kB
_KEPT = 64
_NAME = 60


@lru_cache(_KEPT)
def roll_of(midi: bytes, language: Language) -> bytes:
    """Return a list with the name and the notes of each instrument.

    The notes are one flat list: start and length in hundredths of a second, pitch, and so on.
    """
    voices = [
        {
            "name": clean(name_of(language, "instrument", voice.name), _NAME),
            "drums": voice.drums,
            "notes": [
                value
                for start, length, pitch in voice.notes
                for value in (round(100 * start), max(1, round(100 * length)), pitch)
            ],
        }
        for voice in voices_of(midi[:MOST_BYTES])
    ]
    return json.dumps(voices, separators=(",", ":"), ensure_ascii=False).encode()
