"""Reading, feeling and wishes -> the musical fields: style, genre, instruments, tempo, arrangement, soundscape."""

from melodify_core.captioners.palette.feeling import EASY_BPM, QUICK_BPM, Feeling, texture_score
from melodify_core.captioners.palette.notable import MIRRORED
from melodify_core.captioners.palette.reading import Reading
from melodify_core.captioners.palette.scenery import UNKNOWN, Scene, pull, touches_of, voices
from melodify_core.hints import Wishes
from melodify_core.hints.playing import can_play, has_tempo, is_denied, with_parts
from melodify_core.styles import all_styles

MOST_INSTRUMENTS = 6
SLOWEST, FASTEST = 50, 180
SLOW, FAST = 0.8, 1.2  # the paces of hints that ask for it
NO_WISHES = Wishes()


# What each axis of a home weighs: emptiness little, or all that is of one colour would sound alike.
_WEIGHTS = (1.0, 1.5, 1.0, 1.0, 0.8, 0.25)
# Below this arousal a style with a beat of its own is out of place.
_CALM = -0.5
_LIGHT = {
    "above": "the melody keeps to the high register", "below": "the low voices lead", "left": "calls with late answers",
    "right": "answers that come early", "centre": "one voice stands in the middle", "even": "all voices are blended",
}  # fmt: skip


def style_for(reading: Reading, feeling: Feeling, wishes: Wishes, wished: str, scene: Scene = UNKNOWN) -> str:
    """Return the wished style, else the hinted one, else the one whose home lies nearest; the scene pulls."""
    styles = all_styles()
    if wished in styles:
        return wished
    if wishes.style:
        return wishes.style
    place = (
        feeling.valence,
        feeling.arousal,
        reading.warmth,
        (reading.brightness - 0.55) / 0.35,
        min(1.2, (reading.saturation - 0.06) / 0.08),
        min(1.0, (reading.emptiness - 0.15) / 0.4),
    )

    def distance(style: str) -> float:
        axes = zip(_WEIGHTS, place, styles[style].picture.home, strict=True)
        return sum(weight * (a - b) ** 2 for weight, a, b in axes) - pull(scene, style)

    fitting = [name for name, style in styles.items() if style.picture.still or feeling.arousal >= _CALM]
    allowed = [name for name in fitting if name not in wishes.styles_out] or fitting
    if wishes.bpm:
        every = [name for name in styles if name not in wishes.styles_out and has_tempo(name, wishes.bpm)]
        allowed = [name for name in every if name in fitting] or every or allowed
    # Wished instruments play only in styles that take them.
    return min(allowed, key=lambda name: (-len(can_play(name, wishes.demanded)), distance(name)))


def instruments_for(
    style: str, reading: Reading, feeling: Feeling, wishes: Wishes, scene: Scene = UNKNOWN
) -> tuple[str, ...]:
    """Return one to six names: those that were asked for first, then one that is seen, the style's, the scene's."""
    if wishes.alone:
        return (wishes.alone,)
    profile = all_styles()[style].brief
    moving, light = feeling.arousal > 0, reading.brightness > 0.5
    third = 0 if feeling.valence < -0.2 else 1 if feeling.valence < 0.3 else 2
    own = [
        profile.leads[third],
        profile.beds[reading.warmth > 0],
        _one_of(profile.basses, moving),
        _one_of(profile.drums, moving),
        _one_of(profile.colours, light),
    ]
    seen, joining = voices(scene, style)
    wanted = [
        name
        for name in dict.fromkeys([*_wished(style, wishes), *seen, *own, *joining])
        if name and not is_denied(name, wishes.without)
    ]
    return tuple(wanted[:MOST_INSTRUMENTS]) or (profile.leads[third],)


def _wished(style: str, wishes: Wishes) -> list[str]:
    """Return the wished instruments: all that get a part in the style, and others up to four."""
    playing = with_parts(style, wishes.instruments)
    found = [name for name in wishes.instruments if name in playing]
    return [*found, *[name for name in wishes.instruments if name not in playing][: max(0, 4 - len(found))]]


def bpm_for(style: str, reading: Reading, feeling: Feeling, wishes: Wishes) -> int:
    """Return the tempo from arousal, then texture and valence, or the wished one, within the style's range."""
    if wishes.bpm:
        low, high = all_styles()[style].tempo.bpm
        return max(low, min(high, wishes.bpm))
    bpm = wishes.pace * _own_bpm(style, reading, feeling)
    # What was asked to be slow or fast is it, whatever the picture is.
    if wishes.pace <= SLOW:
        bpm = min(bpm, EASY_BPM - 1)
    elif wishes.pace >= FAST:
        bpm = max(bpm, QUICK_BPM)
    return round(max(SLOWEST, min(FASTEST, bpm)))


def _own_bpm(style: str, reading: Reading, feeling: Feeling) -> int:
    low, high = all_styles()[style].brief.bpm
    drive = 0.5 + 0.36 * feeling.arousal + 0.06 * feeling.valence + 0.05 * texture_score(reading)
    return round(low + (high - low) * max(0.0, min(1.0, drive)))


def arrangement_for(style: str, reading: Reading) -> str:
    """Return the form and how the parts behave, as the picture's layout suggests."""
    clauses = [all_styles()[style].brief.shape]
    if not all_styles()[style].instruments.solo:
        clauses.append(_LIGHT[reading.light])
    if reading.symmetry > MIRRORED and reading.contrast > 0.05:
        clauses.append("phrases are mirrored")
    if reading.level_line is not None:
        clauses.append("a long pedal note lies under the theme")
    if reading.emptiness > 0.7:
        clauses.append("few notes and long rests")
    elif reading.edges > 0.25:
        clauses.append("busy inner voices")
    clauses.append("strong dynamic contrasts" if reading.contrast > 0.2 else "even dynamics")
    return "; ".join(clauses)


def soundscape_for(style: str, reading: Reading, scene: Scene = UNKNOWN, wishes: Wishes = NO_WISHES) -> str:
    """Return the sound around the notes, as the scene, light, warmth and texture suggest."""
    room = (
        "wide reverb" if reading.emptiness > 0.5 else "medium reverb" if reading.edges < 0.25 else "dense, near space"
    )
    tone = (
        "warm rounded highs"
        if reading.warmth > 0.15
        else "cool glassy highs"
        if reading.warmth < -0.15
        else "neutral tone"
    )
    top = "dark muffled top" if reading.brightness < 0.35 else "open airy top" if reading.brightness > 0.7 else ""
    grain = "fine grain" if texture_score(reading) > 0.5 else "smooth surface" if texture_score(reading) < -0.8 else ""
    scenery = [] if wishes.no_sounds else [*(touch.sound for touch in touches_of(scene)), *wishes.sounds]
    return ", ".join(part for part in (all_styles()[style].brief.sound, *scenery, room, tone, top, grain) if part)


def _one_of(choices: tuple[str, ...], second: bool) -> str:
    return choices[second and len(choices) > 1] if choices else ""
