"""What a hint asks for, in musical terms, and what became of each of its phrases: words first, then meaning."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TypeVar

from melodify_core.brief import names_in, without_names
from melodify_core.hints import meaning
from melodify_core.hints.concepts import DRUMS, Concept, Sound, concepts, silence
from melodify_core.hints.denials import denial_of, denies, without_denials
from melodify_core.hints.leftovers import leftovers, telling
from melodify_core.hints.numbers import FASTEST, SLOWEST, is_possible, lengths_in
from melodify_core.hints.playing import has_tempo
from melodify_core.hints.words import Found, found_in, seconds_in
from melodify_core.models import Meter, Mode
from melodify_core.styles import all_styles

MOST_HEARD, MOST_NOT_USED, MOST_SOUNDS, MOST_WITHOUT = 12, 8, 3, 8
PHRASE_CHARACTERS = 60  # of a phrase that is named as not used
MOST_PHRASES = 6  # whose meaning is looked for: each takes 10 to 20 ms
# A denied mood this strong keeps the music on the other side.
_STRONG = 0.3
_SCENE = 4  # from this priority on, a concept's style is only what suits it
_OTHER_MODE: dict[Mode, Mode] = {"major": "minor", "minor": "major"}
_SPLIT = re.compile(
    r"[,;.!?\n、，。！？·+&]+|(?<!\d)/+|/+(?!\d)|"
    r"(?<!\bnothing)\s+(?:and|but|with|plus|then|그리고|근데|하지만|대신)\s+|(?<=[가-힣]하고)\s+"
)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a hint asks for. The levels are shifts and bounds of a mood, -1..1; `pace` multiplies the tempo."""

    valence: float = 0.0
    arousal: float = 0.0
    least: tuple[float, float] = (-1.0, -1.0)  # of valence and arousal
    most: tuple[float, float] = (1.0, 1.0)
    pace: float = 1.0
    bpm: int | None = None
    mode: Mode | None = None
    meter: Meter | None = None
    style: str | None = None
    styles_out: frozenset[str] = frozenset()
    demanded: tuple[str, ...] = ()  # instruments that the hint names
    instruments: tuple[str, ...] = ()  # those, and then those that suit its concepts
    without: tuple[str, ...] = ()
    alone: str | None = None  # the only instrument
    sounds: tuple[Sound, ...] = ()
    sounds_out: frozenset[str] = frozenset()
    no_sounds: bool = False
    seconds: int | None = None
    heard: tuple[str, ...] = ()
    not_used: tuple[str, ...] = ()
    # The phrase in which each heard thing stands, to say what could not be used after all.
    phrases: dict[str, str] = field(default_factory=dict)


@lru_cache(maxsize=64)
def understand(hint: str, *, by_meaning: bool = True) -> Wishes:
    """Return what a cleaned hint asks for.

    `by_meaning` looks for the meaning of phrases whose words are unknown, where the extra is installed: call it in a
    worker process then. The first such hint of a process loads the model.
    """
    if not hint.strip():
        return Wishes()
    text = without_names(hint).casefold()
    words = found_in(text)
    heard, said = list(words), [_with_denial(text, word) for word in words]
    silent = [name[:PHRASE_CHARACTERS] for name in names_in(hint)]
    asked = 0
    for start, end in _phrases(text):
        if any(word.start < end and start < word.end for word in said):
            silent += [_as_written(hint, text[first:last]) for first, last in leftovers(text, start, end, said)]
            continue
        if not telling(text[start:end]):
            continue
        asked += 1
        meant = _meant(text[start:end].strip()) if by_meaning and asked <= MOST_PHRASES else ()
        heard += [Found(start, end, "concept", name, denied) for name, denied in meant]
        if not meant:
            # A name has left its place empty: "like BTS Dynamite".
            parts = re.split(r"\s{2,}", text[start:end].strip())
            silent += [_as_written(hint, part) for part in parts if telling(part)]
    if not heard and not silent:
        silent.append(hint.strip()[:PHRASE_CHARACTERS])
    heard.sort(key=lambda each: (each.start, each.end))
    silent += _impossible_lengths(hint, text)
    return _wishes(_with_one_alone(heard), silent, text, hint)


def length_of(hint: str) -> int | None:
    """Return the seconds that the hint's words ask for, if any: "1 minute", "짧게". Quick."""
    return next((seconds for _, _, seconds in seconds_in(hint.casefold())), None)


def _phrases(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _SPLIT.finditer(text):
        yield start, match.start()
        start = match.end()
    yield start, len(text)


def _as_written(hint: str, phrase: str) -> str:
    place = hint.casefold().find(phrase)
    return (hint[place : place + len(phrase)] if place >= 0 else phrase)[:PHRASE_CHARACTERS]


def _impossible_lengths(hint: str, text: str) -> list[str]:
    return [
        _as_written(hint, text[said.start : said.end])
        for said in lengths_in(text)
        if not is_possible(said.value) and not denial_of(text, said.start, said.end)
    ]


def _phrase_of(hint: str, text: str, word: Found) -> str:
    wide = _with_denial(text, word)
    return _as_written(hint, text[wide.start : wide.end].strip())


def _with_denial(text: str, word: Found) -> Found:
    start, end = word.reach(text) or (word.start, word.end)
    return replace(word, start=start, end=end)


def _meant(phrase: str) -> tuple[tuple[str, bool], ...]:
    """Return what a phrase means, and whether it is denied. The model hardly sees a "not"."""
    # A number alone, and two syllables, have no meaning that could be trusted.
    if re.fullmatch(r"[\W\d_]*\d[\W\d_]*|[가-힣]{1,2}", phrase):
        return ()
    found = _concepts_of(phrase)
    if not denies(phrase):
        return tuple((name, False) for name in found if not concepts()[name].is_denial)
    plain = _concepts_of(without_denials(phrase))
    return tuple((name, name in plain and not concepts()[name].is_denial) for name in found)


def _concepts_of(phrase: str) -> tuple[str, ...]:
    examples = {name: concept.examples for name, concept in concepts().items()}
    found = meaning.concepts_of(phrase, {**examples, **silence()})
    return () if set(found) & silence().keys() else found


def _wishes(heard: list[Found], silent: list[str], text: str, hint: str) -> Wishes:
    wanted = [word for word in heard if not word.denied]
    denied = [word for word in heard if word.denied]
    asked = [concepts()[name] for name in _once(word.name for word in wanted if word.kind == "concept")]
    refused = [concepts()[name] for name in _once(word.name for word in denied if word.kind == "concept")]
    alone = _first([*(word.name for word in wanted if word.alone), *(concept.alone for concept in asked)])
    without = _without(denied, asked, alone=bool(alone))
    # "Rock but not metal" is rock.
    styles_out = frozenset(word.name for word in denied if word.kind == "style" and not _is_wanted(word, wanted))
    others = [concept for concept in asked if concept not in refused]
    sounds_out = _sounds_out(refused, others)
    own = [word.name for word in wanted if word.kind == "instrument" and word.name not in without]
    played = [*own, *(name for concept in asked for name in concept.instruments if name not in without)]
    no_sounds = any(concept.no_sounds for concept in asked)
    sounds = [sound for concept in asked for sound in concept.sounds if sound not in sounds_out]
    shown = [word for word in heard if not _is_beside(word, heard) and not _is_part(word, wanted)]
    silent += [_phrase_of(hint, text, word) for word in denied if _is_part(word, wanted) and not sounds_out]
    return Wishes(
        valence=sum(concept.valence for concept in asked),
        arousal=sum(concept.arousal for concept in asked),
        least=_least(*_moods(refused, others)),
        most=_most(*_moods(refused, others)),
        pace=max(0.6, min(1.5, _product(concept.pace for concept in asked))),
        bpm=_first([_named_tempo(wanted), *(concept.bpm for concept in asked)]),
        mode=_mode(wanted, denied, asked),
        meter=_first(concept.meter for concept in asked),
        style=_style(wanted, asked, styles_out),
        styles_out=styles_out,
        demanded=tuple(_once(own)),
        instruments=tuple(_once(played)),
        without=tuple(_once(without))[:MOST_WITHOUT],
        alone=alone,
        sounds=() if no_sounds else tuple(_once(sounds))[:MOST_SOUNDS],
        sounds_out=sounds_out,
        no_sounds=no_sounds,
        seconds=_first(int(word.name) for word in wanted if word.kind == "seconds"),
        heard=tuple(_once(word.key for word in shown))[:MOST_HEARD],
        not_used=tuple(_once(silent))[:MOST_NOT_USED],
        phrases={word.key: _phrase_of(hint, text, word) for word in reversed(shown)},
    )


def _without(denied: list[Found], asked: list[Concept], *, alone: bool) -> list[str]:
    """Return the instruments that must not play; beside one that plays `alone` there are no drums."""
    names = [word.name for word in denied if word.kind == "instrument"]
    names += [name for concept in asked for name in concept.without]
    return [*names, DRUMS] if alone else names


def _with_one_alone(heard: list[Found]) -> list[Found]:
    """Return what was heard; where several instruments are named, none is alone."""
    wanted = [word for word in heard if not word.denied]
    named = {name for word in wanted if (name := word.name if word.kind == "instrument" else _alone(word))}
    return heard if len(named) < 2 else [_not_alone(word) for word in heard]


def _alone(word: Found) -> str | None:
    return concepts()[word.name].alone if word.kind == "concept" else None


def _not_alone(word: Found) -> Found:
    """Return the word as that of one instrument among others: "only piano and violin" names two."""
    player = None if word.denied else _alone(word)
    return replace(word, kind="instrument", name=player) if player else replace(word, alone=False)


def _is_wanted(word: Found, wanted: list[Found]) -> bool:
    return any((word.kind, word.name) == (other.kind, other.name) for other in wanted)


def _is_part(word: Found, wanted: list[Found]) -> bool:
    """Return whether a part of a scene is refused: of "beach, no waves" it is still the beach that is heard."""
    scene = word.kind == "concept" and not concepts()[word.name].is_mood
    return word.denied and scene and _is_wanted(word, wanted)


def _is_beside(word: Found, heard: list[Found]) -> bool:
    """Return whether a style is named by the same word as a concept or an instrument, which say more."""
    return word.kind == "style" and any(
        other.kind in ("concept", "instrument") and (other.start, other.end) == (word.start, word.end)
        for other in heard
    )


def _style(wanted: list[Found], asked: list[Concept], out: frozenset[str]) -> str | None:
    bpm = _named_tempo(wanted)
    named = [
        (concept.priority, concept.style)
        for concept in asked
        # A scene does not choose the style against a tempo that was named; "metal" does.
        if concept.style and (bpm is None or concept.priority < _SCENE or has_tempo(concept.style, bpm))
    ]
    named += [(all_styles()[word.name].words.hint_priority, word.name) for word in wanted if word.kind == "style"]
    fitting = [each for each in named if each[1] not in out]
    return min(fitting, key=lambda each: each[0])[1] if fitting else None


def _mode(wanted: list[Found], denied: list[Found], asked: list[Concept]) -> Mode | None:
    said = [*_modes(wanted), *(_OTHER_MODE[mode] for mode in _modes(denied))]
    if said:
        return said[0] if len(set(said)) == 1 else None
    # Of moods that contradict each other, the stronger ones decide by their sum.
    moods: set[Mode] = {concept.mode for concept in asked if concept.mode}
    return next(iter(moods)) if len(moods) == 1 else None


def _modes(words: list[Found]) -> list[Mode]:
    said = [word.name.rpartition(" ")[2] for word in words if word.kind in ("mode", "key")]
    return ["major" if name == "major" else "minor" for name in said if name in ("major", "minor")]


def _named_tempo(wanted: list[Found]) -> int | None:
    return _first(int(word.name) for word in wanted if word.kind == "bpm" and SLOWEST <= int(word.name) <= FASTEST)


def _sounds_out(refused: list[Concept], asked: list[Concept]) -> frozenset[str]:
    """Return the sounds that must not be heard: "rain but no storm" leaves the rain, "snow but no wind" no wind."""
    kept = {sound for concept in asked for sound in concept.sounds}
    return frozenset(
        sound for concept in refused for sound in concept.sounds if sound not in kept or len(concept.sounds) == 1
    )


def _moods(*groups: list[Concept]) -> list[list[Concept]]:
    return [[concept for concept in group if concept.is_mood] for group in groups]


def _least(refused: list[Concept], asked: list[Concept]) -> tuple[float, float]:
    """Return the bounds below: what is refused ends there, but not what another wish asks for outright."""
    sad = any(concept.valence <= -_STRONG for concept in refused) and all(concept.valence >= 0 for concept in asked)
    calm = any(concept.arousal <= -_STRONG for concept in refused) and all(concept.arousal >= 0 for concept in asked)
    return (0.05 if sad else -1.0), (0.0 if calm else -1.0)


def _most(refused: list[Concept], asked: list[Concept]) -> tuple[float, float]:
    """Return the bounds above, as `_least` does below."""
    happy = any(concept.valence >= _STRONG for concept in refused) and all(concept.valence <= 0 for concept in asked)
    wild = any(concept.arousal >= _STRONG for concept in refused) and all(concept.arousal <= 0 for concept in asked)
    return (-0.05 if happy else 1.0), (0.0 if wild else 1.0)


def _once(names: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(names))


def _first(values: Iterable[T | None]) -> T | None:
    return next((value for value in values if value is not None), None)


def _product(factors: Iterable[float]) -> float:
    product = 1.0
    for factor in factors:
        product *= factor
    return product
