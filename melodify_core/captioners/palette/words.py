"""The words of titles and captions, as english.toml and korean.toml have them. The sentences are made beside those."""

from dataclasses import dataclass
from functools import cache

from pydantic import TypeAdapter

from melodify_core.captioners.palette.feeling import Mood
from melodify_core.captioners.palette.notable import Tone
from melodify_core.captioners.palette.scenery import Scene
from melodify_core.data_files import read_table

Texts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """One language's words. Where there are several, the picture's fingerprint chooses."""

    titles: Texts
    openings: tuple[tuple[str, str], ...]  # before a word on the light, and without one
    whole: tuple[tuple[str, str], ...]  # the same where one colour fills the picture
    sure: Texts
    likely: Texts
    night: Texts
    people: tuple[tuple[str, str], ...]  # by the number of faces
    colours: dict[str, Texts]  # as a noun, then as adjectives for titles
    nouns: dict[Mood, Texts]
    tones: dict[Tone, Texts]
    light: dict[str, Texts]
    notable: dict[str, Texts]
    feelings: dict[Mood, Texts]
    things: dict[str, Texts]  # in a sentence; in a title, where that differs

    def thing(self, scene: Scene) -> str:
        """Return what is seen, as a part of a sentence."""
        return self._seen(scene)[0]

    def title_noun(self, scene: Scene) -> str:
        """Return what is seen, as a noun for a title; nothing where it is not sure."""
        return self._seen(scene)[-1] if scene.certainty == "sure" else ""

    def _seen(self, scene: Scene) -> Texts:
        return self.people[scene.people - 1] if scene.people else self.things[scene.subject or scene.kind or ""]


@cache
def words_of(language: str) -> Words:
    """Return the words of "english" or "korean"."""
    table = read_table("melodify_core.captioners.palette", f"{language}.toml")
    return TypeAdapter(Words).validate_python(table)
