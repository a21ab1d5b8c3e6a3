"""What a hint says in numbers and letters: lengths, tempos, keys. "1 minute", "90 to 120 bpm", "D minor", "라단조"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from melodify_core.brief import LEAST_SECONDS, MOST_SECONDS
from melodify_core.models import Mode

SLOWEST, FASTEST = 40, 220  # what a Brief can say
_COUNTS = {
    "a": 1.0, "an": 1.0, "one": 1.0, "two": 2.0, "three": 3.0, "five": 5.0, "half a": 0.5,
    "un": 1.0, "una": 1.0, "une": 1.0, "eine": 1.0, "medio": 0.5,
    "일": 1.0, "한": 1.0, "이": 2.0, "두": 2.0, "삼": 3.0, "一": 1.0, "二": 2.0, "两": 2.0, "三": 3.0,
}  # fmt: skip
_TENS = {
    "ten": 10, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "forty-five": 45, "fifty": 50, "sixty": 60,
    "ninety": 90, "십": 10, "십오": 15, "이십": 20, "삼십": 30, "사십": 40, "오십": 50, "육십": 60, "구십": 90,
}  # fmt: skip
_COUNT, _TEN = ("|".join(sorted(names, key=len, reverse=True)) for names in (_COUNTS, _TENS))
# "4분의 3" and "4分の3" are metres.
_MINUTES = (
    rf"(?<![\d/])(?:(?<!\w)({_COUNT})|(?<!\.)(\d{{1,3}}(?:\.\d)?))"
    r"\s*(?:-?\s*(?:mins?|minutes?|minutos?|minuti|minuten?)\b|분(?!의|위|홍|노|수)|分(?!の ?\d)钟?)"
)
# "80s" is a decade.
_SECONDS = (
    rf"(?<![\d/])(?![5-9]0s\b)(?:(?<!\w)({_TEN})|(\d{{1,3}}))"
    r"\s*(?:-?\s*(?:s|secs?|secondes?|seconds?|segs?|segundos?|sekunden?)\b|초(?!등|록|원|코)|秒)"
)
_CLOCK = r"(?<![\d:/])([0-2]):([0-5]\d)(?![\d:])(?!\s*[ap]\.?m)"
_LENGTH = re.compile(rf"{_MINUTES}(?:\s*(?:and |y |et |und )?{_SECONDS})?|{_SECONDS}|{_CLOCK}")
# "140 bpm", "140 비트" ("8비트" and "16비트" are sounds), "tempo 140", "템포는 140", "♩=120"; of a range the middle.
_RANGE = r"(?:(\d{2,3})\s*(?:bpm)?\s*(?:[-–~]|to|and|bis|a|à|에서|부터|から)?\s*(?<=[\D])(?=\d))?"
_BPM = re.compile(
    rf"(?<!\d){_RANGE}(?:(\d{{2,3}})\s*(?:bpm|비피엠)|([4-9]\d|\d{{3}})\s*"
    r"(?:비트|beats(?: per minute| a minute)?|tempo|템포))"
    r"|(?:bpm|비피엠|tempo|템포|♩)(?:\s*(?:of|at|is|[는은를을:=]))?\s*(\d{2,3})(?!\d)"
)
_STEPS = (0, 2, 4, 5, 7, 9, 11)
_TONICS = {
    **dict(zip("cdefgab", _STEPS, strict=True)), **dict(zip("다라마바사가나", _STEPS, strict=True)),
    **dict(zip("ハニホヘトイロ", _STEPS, strict=True)), "h": 11,
    **dict(zip(("do", "re", "mi", "fa", "sol", "la", "si"), _STEPS, strict=True)), "ré": 2, "dó": 0,
}  # fmt: skip
_SHARP, _FLAT = r"#|♯|sharp|샵|is|sostenido|dièse|올림|嬰", r"♭|flat|b|플랫|e?s|bemol|bémol|내림|変"
_MAJOR, _MINOR = (
    r"major|maj|장조|메이저|dur|mayor|majeur|maggiore|長調|大调",
    r"minor|min|단조|마이너|moll|menor|mineur|minore|短調|小调",
)
_KEY = re.compile(
    rf"(?<![\w'’])(?:key of )?(?P<before>올림|내림|嬰|変)?\s?"
    r"(?P<tonic>d[oó]|re|ré|mi|fa|sol|la|si|[a-h다라마바사가나ハニホヘトイロ])"
    rf"(?:[ -]?(?P<sign>{_SHARP}|{_FLAT}))?[ -]?(?:(?P<major>{_MAJOR})|(?P<minor>{_MINOR}))(?![a-z]|롭|로[운움])"
    rf"|(?<!\w)key of (?P<bare>[a-g])(?:[ -]?(?P<bare_sign>{_SHARP}|{_FLAT}))?(?!\w)"
)
_SHARPS, _FLATS = re.compile(_SHARP), re.compile(_FLAT)
_NAMES = {
    "major": ("C", "D flat", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B"),
    "minor": ("C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "G sharp", "A", "B flat", "B"),
}


@dataclass(frozen=True, slots=True)
class Said:
    """A number in a text: where it stands, and what it is. A key's tonic is a pitch class."""

    start: int
    end: int
    value: int
    mode: Mode | None = None

    @property
    def key(self) -> str:
        """The name of a key, such as "B flat minor", or "D" where no mode is said."""
        name = _NAMES[self.mode or "major"][self.value]
        return f"{name} {self.mode}" if self.mode else name


def lengths_in(text: str) -> Iterator[Said]:
    """Yield the lengths in seconds, as they are said."""
    for match in _LENGTH.finditer(text):
        word, minutes, ten, rest, alone_ten, alone, clock, clock_rest = match.groups()
        seconds = 60 * (_COUNTS[word] if word else float(minutes or clock or 0))
        seconds += float(rest or alone or clock_rest or 0) + _TENS.get(ten or alone_ten or "", 0)
        if seconds:
            yield Said(match.start(), match.end(), round(seconds))


def is_possible(seconds: int) -> bool:
    """Return whether a song can have that length."""
    return LEAST_SECONDS <= seconds <= MOST_SECONDS


def possible(seconds: int) -> int:
    """Return the nearest length that a song can have."""
    return max(LEAST_SECONDS, min(MOST_SECONDS, seconds))


def tempo_in(text: str) -> Said | None:
    """Return the tempo in beats a minute, if one is said."""
    if not (match := _BPM.search(text)):
        return None
    least, *rest = match.groups()
    bpm = int(next(filter(None, rest)))
    return Said(match.start(), match.end(), (int(least) + bpm) // 2 if least else bpm)


def key_in(text: str) -> Said | None:
    """Return the key of a folded text, if one with its tonic is said."""
    if not (match := _KEY.search(text)):
        return None
    tonic, said = match["tonic"] or match["bare"], match["major"] or match["minor"] or ""
    if _is_article(text, match) or (len(tonic) > 1 and said.startswith(("major", "minor", "maj", "min"))):
        return None
    sign = match["before"] or match["sign"] or match["bare_sign"] or ""
    step = 1 if _SHARPS.fullmatch(sign) else -1 if _FLATS.fullmatch(sign) else 0
    if tonic == "b" and said in ("dur", "moll"):
        step = -1  # Germans call it H
    pitch = (_TONICS[tonic] + step) % 12
    mode: Mode | None = "major" if match["major"] else "minor" if match["minor"] else None
    return Said(match.start(), match.end(), pitch, mode)


def _is_article(text: str, match: re.Match[str]) -> bool:
    """Return whether "a minor" goes on as "a minor key" does."""
    return match[0].strip() in ("a minor", "a major") and bool(re.match(r"\s+[a-z]", text[match.end() :]))


def tonic_of(name: str) -> int:
    """Return the pitch class of a key's name: "B flat minor" is 10."""
    tonic = name.removesuffix(" major").removesuffix(" minor")
    return next(names.index(tonic) for names in _NAMES.values() if tonic in names)
