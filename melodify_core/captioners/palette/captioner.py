"""The Captioner port on the palette: JPEG and wish -> Brief, in a worker process."""

from melodify_core.captioners.eyes import are_installed, look
from melodify_core.captioners.palette import english, korean
from melodify_core.captioners.palette.feeling import Feeling, Mood, energy_of, feeling_of, mood_of, mood_of_song
from melodify_core.captioners.palette.music import (
    arrangement_for,
    bpm_for,
    instruments_for,
    soundscape_for,
    style_for,
)
from melodify_core.captioners.palette.notable import telling_colour
from melodify_core.captioners.palette.reading import Reading, measure
from melodify_core.captioners.palette.scenery import UNKNOWN, Scene, scene_of, touches_of
from melodify_core.captioners.palette.sounds import sounds_of
from melodify_core.hints import Wishes, account_of, understand
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Brief, Mode, Picture, Wish
from melodify_core.ports import ProviderContext
from melodify_core.styles import all_styles

MOOD_WORDS: dict[Mood, tuple[str, ...]] = {
    "content": ("warm", "content", "tender"),
    "joyful": ("joyful", "playful", "uplifting"),
    "excited": ("energetic", "exhilarating", "driving"),
    "tense": ("tense", "restless", "edgy"),
    "sombre": ("sombre", "brooding", "grave"),
    "melancholic": ("melancholic", "wistful", "introspective"),
    "still": ("still", "hushed", "meditative"),
    "serene": ("serene", "peaceful", "dreamy"),
    "balanced": ("balanced", "patient", "reflective"),
}
_WORDS = {"en": english, "ko": korean}


class PaletteCaptioner:
    """Reads pictures without a key and network access; the same picture and wish give the same Brief."""

    name = "palette"

    def __init__(self, pool: WorkerPool, deadline_s: float) -> None:
        self._pool = pool
        self._deadline_s = deadline_s

    async def check(self) -> None:
        """Do nothing: nothing can be missing."""

    def describe(self) -> str:
        """Return whether it recognises what photos show, or only light and colour."""
        return "light and colour, and what photos show (extra eyes)" if are_installed() else "light and colour only"

    async def close(self) -> None:
        """Do nothing: the pool belongs to the caller."""

    async def caption(self, picture: Picture, wish: Wish, context: ProviderContext) -> Brief:
        """Return the reading. Raises Unavailable when it takes too long."""
        del context  # costs nothing and reports no progress
        return await self._pool.run(self._deadline_s, read, picture.jpeg, wish)


def read(jpeg: bytes, wish: Wish) -> Brief:
    """Return the Brief of a picture; runs in a worker process."""
    reading = measure(jpeg)
    return brief_of(reading, wish, scene_of(reading, look(jpeg)))


def brief_of(reading: Reading, wish: Wish, scene: Scene = UNKNOWN) -> Brief:
    """Return the Brief of a reading, steered by the scene and by what the hint asks for."""
    wishes = understand(wish.hint)
    feeling = _steered(_touched(feeling_of(reading), scene), wishes)
    style = style_for(reading, feeling, wishes, wish.style, scene)
    valence, arousal = round(feeling.valence, 3), round(feeling.arousal, 3)
    mode: Mode = wishes.mode or ("major" if valence >= 0 else "minor")
    bpm = bpm_for(style, reading, feeling, wishes)
    mood, words = mood_of_song(mood_of(feeling), mode, bpm), _WORDS[wish.language]
    title, *spare_titles = words.titles(reading, telling_colour(reading), mood, scene)
    caption, *spare_captions = words.captions(reading, mood, style, scene)
    heard, not_used = account_of(wishes, wish, style, mode)
    return Brief(
        title=title,
        spare_titles=tuple(spare_titles),
        caption=caption,
        spare_captions=tuple(spare_captions),
        mood=MOOD_WORDS[mood],
        valence=valence,
        arousal=arousal,
        energy=energy_of(feeling),
        genre=all_styles()[style].brief.genre,
        instruments=instruments_for(style, reading, feeling, wishes, scene),
        bpm=bpm,
        mode=mode,
        arrangement=arrangement_for(style, reading),
        soundscape=soundscape_for(style, reading, scene, wishes),
        meter=wishes.meter,
        without=wishes.without,
        sounds=sounds_of(wishes, scene),
        heard=heard,
        not_used=not_used,
    )


def _touched(feeling: Feeling, scene: Scene) -> Feeling:
    touches = touches_of(scene)
    valence, arousal = sum(touch.valence for touch in touches), sum(touch.arousal for touch in touches)
    return Feeling(_within(feeling.valence + valence), _within(feeling.arousal + arousal))


def _steered(feeling: Feeling, wishes: Wishes) -> Feeling:
    levels = zip((feeling.valence, feeling.arousal), (wishes.valence, wishes.arousal), strict=True)
    bounds = zip(wishes.least, wishes.most, strict=True)
    return Feeling(*(max(low, min(high, _within(a + b))) for (a, b), (low, high) in zip(levels, bounds, strict=True)))


def _within(level: float) -> float:
    return max(-1.0, min(1.0, level))
