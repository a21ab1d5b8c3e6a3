"""Titles that say nothing of the picture, whichever captioner has read it: those that only the song's mood chooses."""

from melodify_core.captioners.palette.feeling import Feeling, mood_of, mood_of_song
from melodify_core.captioners.palette.words import Texts, Words, words_of
from melodify_core.models import Brief, Language


def mood_titles(brief: Brief, language: Language) -> Texts:
    """Return the titles of the mood of a Brief."""
    mood = mood_of(Feeling(brief.valence, brief.arousal))
    return _words_in(language).lines[mood_of_song(mood, brief.mode, brief.bpm)]


def is_mood_title(title: str, language: Language) -> bool:
    """Return whether a title is one of any mood."""
    return any(title in titles for titles in _words_in(language).lines.values())


def _words_in(language: Language) -> Words:
    return words_of("korean" if language == "ko" else "english")
