"""The drawn scenes as the embedded captioner reads them."""

import re
from collections.abc import Iterator, Mapping

from melodify_core.captioners.palette.reading import Reading, measure
from melodify_core.media.picture import PictureLimits, prepare
from melodify_core.models import Brief, Language
from tests import pictures

# Genre words that identify a style, and sounds that do not fit into it.
FOREIGN = {
    "piano": ("drum", "synth", "pad", "guitar", "bass"),
    "ambient": ("drum", "guitar", "saw"),
    "folk": ("synth", "pad", "drum machine"),
    "jazz": ("synth", "pad", "drum machine"),
    "cinematic": ("synth", "guitar", "drum machine"),
    "lofi": ("saw", "drum machine", "flute"),
    "synthwave": ("guitar", "flute", "upright", "brushed"),
    "house": ("guitar", "flute", "upright", "brushed"),
    "bossa": ("synth", "pad", "drum machine"),
    "korean": ("synth", "pad", "guitar", "drum machine", "piano"),
    "rock": ("flute", "pad", "drum machine"),
    "funk": ("flute", "pad", "drum machine"),
    "reggae": ("saw", "pad", "drum machine"),
    "chiptune": ("piano", "guitar", "flute", "strings"),
}


def jpeg_of(data: bytes) -> bytes:
    return prepare(data, PictureLimits()).jpeg


def reading_of(data: bytes) -> Reading:
    return measure(jpeg_of(data))


class Readings(Mapping[str, Reading]):
    """The readings by the scene's name; each scene is drawn and read when it is first asked for."""

    def __init__(self) -> None:
        self._known: dict[str, Reading] = {}

    def __getitem__(self, name: str) -> Reading:
        if name not in self._known:
            self._known[name] = reading_of(pictures.SCENES[name]())
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(pictures.SCENES)

    def __len__(self) -> int:
        return len(pictures.SCENES)


SCENES = Readings()


def assert_speaks(brief: Brief, language: Language) -> None:
    assert 0 < len(brief.title) <= 40
    assert 0 < len(brief.caption) <= 300
    for text in (brief.title, brief.caption):
        assert not re.search(r"[{}]|None|\s\s|\.\.|, ,| ,", text)
        assert text == text.strip()
        if language == "ko":
            assert re.search("[가-힣]", text)
            assert not re.search("[A-Za-z]", text)
        else:
            assert text.isascii()
            assert text[0].isupper()
    assert brief.caption.endswith(".")
    for text in (brief.genre, brief.arrangement, brief.soundscape, *brief.instruments, *brief.mood):
        assert text.isascii()
