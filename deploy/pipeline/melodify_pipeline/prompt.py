"""A prompt read back as music, for the arranger: the pipeline is handed nothing but text.

Understands what `melodify_core.brief.music_prompt` writes, and finds what it can in any other text.
"""

import re
from typing import cast

from melodify_core.models import Brief, Energy, Mode, Wish
from melodify_core.styles import AUTO, all_styles
from melodify_core.styles.instruments import instruments

# How excited each energy is, -1..1, and a tempo for a prompt that names none.
ENERGIES: dict[Energy, tuple[float, int]] = {
    "calm": (-0.7, 66),
    "gentle": (-0.35, 80),
    "moderate": (0.0, 98),
    "lively": (0.45, 118),
    "intense": (0.8, 136),
}
_CHEERFUL = re.compile(
    r"\b(bright|cheerful|content|dreamy|happy|hopeful|joyful|loving|nostalgic|peaceful|playful|proud|romantic|serene|"
    r"sunny|tender|triumphant|uplifting|warm)\b",
    re.IGNORECASE,
)
_GLOOMY = re.compile(
    r"\b(angry|anxious|bleak|brooding|cold|dark|eerie|gloomy|grim|lonely|melancholic|melancholy|menacing|mournful|"
    r"ominous|sad|somber|sombre|sorrowful|tense|tragic)\b",
    re.IGNORECASE,
)

_BPM = re.compile(r"\b(\d{2,3})\s*bpm\b", re.IGNORECASE)
_MINOR = re.compile(r"\bminor\b", re.IGNORECASE)
_ENERGY = re.compile(rf"\b({'|'.join(ENERGIES)})\b", re.IGNORECASE)
_ENERGY_NAMED = re.compile(rf"\b({'|'.join(ENERGIES)}) energy\b", re.IGNORECASE)
_MOOD = re.compile(r"([^.]*?) mood\b", re.IGNORECASE)
_GENRE = re.compile(r"^\s*(?:instrumental\s+)?([^.]+)", re.IGNORECASE)
_FEATURING = re.compile(r"\bfeaturing ([^.]+)", re.IGNORECASE)
_LIST = re.compile(r"\s*(?:,|;|\band\b)\s*")


def read(prompt: str, seconds: int) -> tuple[Brief, Wish]:
    """Return the music that a prompt asks for. Never fails: what is not said is chosen to fit what is."""
    energy, mode, mood = _energy(prompt), _mode(prompt), _mood(prompt)
    arousal, usual_bpm = ENERGIES[energy]
    found = _BPM.search(prompt)
    brief = Brief(
        title="Pipeline",
        caption="Music of a prompt.",
        mood=mood,
        valence=_valence(mode, mood),
        arousal=arousal,
        energy=energy,
        genre=_genre(prompt),
        instruments=_instruments(prompt),
        bpm=min(220, max(40, int(found[1]) if found else usual_bpm)),
        mode=mode,
        arrangement="",
        soundscape="",
    )
    return brief, Wish(seconds=seconds, style=_style(prompt))


def _energy(prompt: str) -> Energy:
    found = _ENERGY_NAMED.search(prompt) or _ENERGY.search(prompt)
    return cast("Energy", found[1].lower()) if found else "moderate"


def _mode(prompt: str) -> Mode:
    return "minor" if _MINOR.search(prompt) else "major"


def _mood(prompt: str) -> tuple[str, ...]:
    found = _MOOD.search(prompt)
    return _words(found[1])[:4] if found and _words(found[1]) else ("neutral",)


def _valence(mode: Mode, mood: tuple[str, ...]) -> float:
    """Return how pleasant it is, -1..1: the mode decides the half, the words of the mood how far."""
    base = -0.3 if mode == "minor" else 0.3
    words = " ".join(mood)
    return max(-1.0, min(1.0, base + 0.2 * (len(_CHEERFUL.findall(words)) - len(_GLOOMY.findall(words)))))


def _genre(prompt: str) -> str:
    found = _GENRE.match(prompt)
    return found[1].strip()[:60] if found and found[1].strip() else "cinematic"


def _style(prompt: str) -> str:
    return next((name for name, style in all_styles().items() if style.prompt in prompt), AUTO)


def _instruments(prompt: str) -> tuple[str, ...]:
    """Return the listed instruments, else those that the text names, the longest names first."""
    found = _FEATURING.search(prompt)
    listed = _words(found[1]) if found else ()
    text = prompt.lower()
    named = [
        name for name in sorted(instruments(), key=len, reverse=True) if re.search(rf"\b{re.escape(name)}\b", text)
    ]
    return (listed or tuple(named) or ("piano",))[:6]


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in _LIST.split(text.strip()) if word)
