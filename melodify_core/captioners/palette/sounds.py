"""The sounds of a song's soundscape: those of the hint, else those of the scene."""

from melodify_core.captioners.palette.scenery import Scene, touches_of
from melodify_core.hints import Wishes
from melodify_core.hints.wishes import MOST_SOUNDS


def sounds_of(wishes: Wishes, scene: Scene) -> tuple[str, ...]:
    """Return the names of at most three sounds; none where the hint wants none."""
    if wishes.no_sounds:
        return ()
    seen = [sound for touch in touches_of(scene) for sound in touch.sounds if sound not in wishes.sounds_out]
    return tuple(dict.fromkeys(wishes.sounds or seen))[:MOST_SOUNDS]
