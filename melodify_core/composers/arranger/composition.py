"""Brief -> Score: what the mood decides, and the order in which the parts are written."""

import hashlib
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import itemgetter
from random import Random

from melodify_core.composers.arranger import counter, harmony, melody, rhythm, walking
from melodify_core.composers.arranger.casting import Cast, cast
from melodify_core.composers.arranger.critic import flaws
from melodify_core.composers.arranger.density import DRUMLESS, Arrangement, arrangement
from melodify_core.composers.arranger.form import Plan, bar_at, lift_of, plan, tempo_for
from melodify_core.composers.arranger.midi import midi_file
from melodify_core.composers.arranger.performance import humanise, ringing, slides, strokes, swells, vibrato
from melodify_core.composers.arranger.score import DRUM_CHANNEL, TIMES, Chord, Key, Lift, Note, Part, Score, Time
from melodify_core.composers.arranger.styles import style_of
from melodify_core.composers.arranger.wishes import (
    demanded,
    own_wishes,
    plays_no_bass,
    style_without,
    wished_tonic,
)
from melodify_core.models import Brief, Wish
from melodify_core.styles import Style, all_styles
from melodify_core.styles.instruments import Instrument, instruments

DRAFTS = 8
SPREAD = 4.0  # semitones
# A mood is played with this share more of what it differs by from the style's own, up to this valence: then short notes
# are a quarter of their length.
BEYOND, MOST_VALENCE = 0.5, 1.4
LILT = 0.35  # from this valence on the tune is syncopated in every style
# The shortest bars of 3/4 and 6/8 that the calmest and the most excited picture get by chance.
UNHURRIED_S = (1.85, 0.8)
# What must not change the rest of a piece: without its drums it is the same piece.
_NOT_SEEDED = {"spare_titles", "spare_captions", "adjusted", "meter", "without", "sounds", "heard", "not_used"}
# Of struck notes, in beats: as long ones are held, shorter ones are short enough. A sad picture binds them, up to a
# multiple of their length: an off-beat stroke stays one.
LONGEST, SHORTEST, BOUND = 2.0, 0.25, 2.0
# Under a tune whose tones decay, the other parts are this much softer, so that it is as clear as one of held tones.
UNDER_DB = 2.5
# Volume (controller 7) before the instrument's trim, pan, and share of the style's reverb.
_MIX = {
    "lead": (104, 70, 1.0),
    "chords": (88, 40, 0.9),
    "pad": (72, 88, 1.2),
    "bass": (98, 64, 0.3),
    "drums": (92, 64, 0.5),
    "counter": (80, 98, 1.1),
}


_ALONE = {"lead", "counter", "bass"}  # their tones come one by one, so that their pitch can slide


@dataclass(frozen=True, slots=True)
class Mood:
    """What valence and arousal do to the music, additive and linear.

    In the order of their weight: mode and tempo, which are the Brief's own, register, dynamics, articulation, timbre
    (Eerola, Friberg & Bresin 2013). A listener's model hears valence by drums, notes of the tune and short tones too:
    `make quality ARGS=tagger`.
    """

    level: float  # arousal, 0..1: how busy the patterns are
    register: float  # semitones
    velocity: int
    legato: float  # share of a note's time that sounds
    brightness: float  # -1..1
    drumless: float  # up to this level a style that slows down may go without drums
    tune_level: float  # as `level`, for how many notes the tune has
    lean: float  # towards drums (1) or chords (-1), of the same number of strokes
    short: float  # share of the length of struck chords and of the bass that sounds
    bound: float  # share of the pauses after them that sounds too
    lilt: bool  # light syncopation


def mood_of(brief: Brief, style: Style) -> Mood:
    """Return the mood of a brief in a style."""
    # Whoever listens hears the style first, so a mood that is not the style's own is played with more of it.
    valence = brief.valence + BEYOND * (brief.valence - style.mood.valence)
    valence = max(-MOST_VALENCE, min(MOST_VALENCE, valence))
    light = brief.arousal + BEYOND * (brief.arousal - style.mood.arousal)
    brightness = 0.5 * style.mix.brightness + 0.85 * light + 0.5 * brief.valence
    level = max(0.0, min(1.0, (brief.arousal + 1) / 2 + 0.18 * valence))
    return Mood(
        level=level,
        register=8.0 * valence + 1.5 * brief.arousal,
        velocity=round(80 + 16 * brief.arousal),
        legato=max(0.45, min(0.98, 0.78 - 0.12 * brief.arousal - 0.3 * valence)),
        brightness=max(-1.0, min(1.0, brightness)),
        drumless=DRUMLESS - 0.3 * valence,
        lean=valence,
        short=1 - 0.55 * max(0.0, valence) * style.accompaniment.articulated,
        bound=min(1.0, max(0.0, -valence)) * style.accompaniment.articulated,
        tune_level=max(0.0, min(1.0, level + 0.2 * valence)),
        lilt=valence > LILT,
    )


def score_of(brief: Brief, wish: Wish, seed: int) -> Score:
    """Return the piece: the first draft without flaws, or the best one. The same arguments give the same piece."""
    name = style_of(wish.style, brief)
    random = Random(_seed(brief, name, seed))
    drafts: list[tuple[float, Score]] = []
    while len(drafts) < DRAFTS and (not drafts or drafts[-1][0] > 0):
        draft = _draft(random, brief, name, wish.seconds)
        drafts.append((flaws(draft), draft))
    return min(drafts, key=itemgetter(0))[1]


def midi_of(brief: Brief, wish: Wish, seed: int) -> bytes:
    """Return the piece as a standard MIDI file. The same arguments give the same file."""
    return midi_file(score_of(brief, wish, seed))


def _draft(random: Random, brief: Brief, name: str, seconds: int) -> Score:
    style = style_without(all_styles()[name], brief)
    mood = mood_of(brief, style)
    key = harmony.key_for(random, brief.mode, brief.valence, wished_tonic(brief))
    tempo = tempo_for(brief.bpm, style.tempo.bpm, brief.arousal)
    time = _time(random, brief, style, tempo)
    named = any(key.startswith("bpm.") for key in brief.heard)
    form = plan(random, seconds, time.beat * tempo, style, time, named=named)
    chords = harmony.progression(random, key, form.bars, style, time)
    chosen = arrangement(random, style, mood.level, form.bpm, time, mood.drumless, mood.lean)
    players = cast(
        random, style.instruments, own_wishes(brief, style), mood.level, chosen.home.strokes, demanded(brief)
    )
    lift = lift_of(random, form, seconds, style)
    written = _write(random, style, mood, key, form, chords, players, chosen, lift.semitones if lift else 0)
    if plays_no_bass(brief):
        written["bass"] = []
    if lift:
        written = {role: _lifted(notes, lift) if role != "drums" else notes for role, notes in written.items()}
        chords = tuple(replace(c, classes=_raised(c.classes, lift)) if c.start >= lift.start else c for c in chords)
    written["drums"] = rhythm.tuned(written["drums"], chords)
    parts = tuple(_part(random, style, form, role, players, notes) for role, notes in written.items() if notes)
    mix = style.mix.in_mood(brief.valence - style.mood.valence, brief.arousal - style.mood.arousal)
    return Score(
        name, form.bpm, float(seconds), key, form.sections, chords, parts, form.tempos, mood.brightness, time, lift, mix
    )


def _within_reach(notes: list[Note], instrument: Instrument) -> list[Note]:
    """Return the notes, those that the instrument does not reach in the nearest octave where it does."""
    low, high = instrument.low, instrument.high
    reached = [
        replace(note, pitch=low + (note.pitch - low) % 12 if note.pitch < low else high - (high - note.pitch) % 12)
        if not low <= note.pitch <= high
        else note
        for note in notes
    ]
    return list({(note.start, note.pitch): note for note in reached}.values())


def _lifted(notes: list[Note], lift: Lift) -> list[Note]:
    return [replace(note, pitch=note.pitch + lift.semitones) if note.start >= lift.start else note for note in notes]


def _raised(classes: tuple[int, ...], lift: Lift) -> tuple[int, ...]:
    return tuple((one + lift.semitones) % 12 for one in classes)


def _time(random: Random, brief: Brief, style: Style, tempo: float) -> Time:
    """Return the brief's metre, or one of the style's whose bars do not rush past a calm picture."""
    shortest_s = UNHURRIED_S[0] + (UNHURRIED_S[1] - UNHURRIED_S[0]) * (brief.arousal + 1) / 2
    fitting = {
        name: count
        for name, count in style.form.meters.items()
        if 60 / tempo * TIMES[name].bar / TIMES[name].beat >= shortest_s or name == "4/4"
    }
    drawn = random.choices(list(fitting), list(fitting.values()))[0] if any(fitting.values()) else "4/4"
    return TIMES[brief.meter or drawn]


def _seed(brief: Brief, style: str, seed: int) -> int:
    # The Brief counts too: two pictures with the same seed must not begin alike. Its words do not count: a caption in
    # another language gives the same music.
    music = brief.model_copy(update={"title": "", "caption": ""}).model_dump_json(exclude=_NOT_SEEDED)
    return int.from_bytes(hashlib.sha256(f"{seed} {style} {music}".encode()).digest()[:8])


def _write(
    random: Random,
    style: Style,
    mood: Mood,
    key: Key,
    form: Plan,
    chords: tuple[Chord, ...],
    players: Cast,
    chosen: Arrangement,
    lift: int,
) -> dict[str, list[Note]]:
    """Return the notes of each role."""
    # The mood decides half of the register, the seed the other half: pieces with the same first chords should differ.
    spread = random.uniform(-SPREAD, SPREAD)
    middle = _middle(players.chords, 57 + 0.6 * mood.register + spread)
    voicings = harmony.voice(chords, middle, style.accompaniment.voices)
    lows = walking.under(random, key, form.bars, chords, style.accompaniment.colour)
    low = rhythm.bass(key, form.bars, chords, lows, chosen, mood.velocity)
    voice = _voice(style, mood, players.lead, form.time, lift)
    tune = melody.compose(random, key, form.bars, chords, low, form.bpm, voice, form.time)
    bass_bars = {bar.index for bar in form.bars if "bass" in bar.section.roles or bar.final}
    notes = {
        "lead": tune,
        "chords": rhythm.comping(random, form.bars, chords, voicings, chosen, mood.velocity - 10),
        "pad": [],
        "bass": [note for note in low if bar_at(form.bars, note.start) in bass_bars],
        "drums": [],
        "counter": [],
    }
    notes["bass"] = _articulated(notes["bass"], mood, form)
    if chosen.home.strokes > 1:
        notes["chords"] = _articulated(notes["chords"], mood, form)
    if players.pad:
        notes["pad"] = _pad(style, mood, form, chords, players.pad, chosen)
    if players.counter:
        compass = _compass(players.counter, mood)
        notes["counter"] = counter.second_voice(random, key, form.bars, chords, tune, compass)
    notes["drums"] = rhythm.drums(random, form.bars, chosen, style.drums.fills, mood.velocity)
    return notes


def _articulated(notes: list[Note], mood: Mood, form: Plan) -> list[Note]:
    """Return struck notes as short or as bound as the mood has them, but for long ones and the last."""
    end, starts = form.bars[-1].start, sorted({note.start for note in notes})
    following = dict(pairwise([*starts, end]))
    found = []
    for note in notes:
        room = min(following.get(note.start, 0.0) - note.start, BOUND * note.length)
        length = max(min(note.length, SHORTEST), note.length * mood.short) + mood.bound * max(0, room - note.length)
        found.append(note if note.length >= LONGEST or note.start >= end else replace(note, length=length))
    return found


def _pad(style: Style, mood: Mood, form: Plan, chords: tuple[Chord, ...], name: str, chosen: Arrangement) -> list[Note]:
    if style.accompaniment.rhythm:
        return _articulated(_rhythm_guitar(style, mood, form, chords, name, chosen), mood, form)
    high = harmony.voice(chords, _middle(name, 62 + 0.6 * mood.register), 3)
    return rhythm.pads(form.bars, chords, high, mood.velocity - 14)


def _rhythm_guitar(
    style: Style, mood: Mood, form: Plan, chords: tuple[Chord, ...], name: str, chosen: Arrangement
) -> list[Note]:
    playing = style.accompaniment
    voicings = (
        harmony.powers(chords, instruments()[name].low)
        if playing.power
        else harmony.voice(chords, _middle(name, 60 + 0.6 * mood.register), playing.voices)
    )
    return rhythm.strummed(form.bars, chords, voicings, chosen, playing.rhythm, mood.velocity - 8)


def _compass(name: str, mood: Mood) -> counter.Compass:
    instrument = instruments()[name]
    centre = round(_middle(name, 63 + 0.6 * mood.register))
    low, high = max(instrument.low, centre - 8), min(instrument.high, centre + 8)
    return counter.Compass(low, high, mood.velocity - 6, instrument.held)


def _voice(style: Style, mood: Mood, lead: str, time: Time, lift: int) -> melody.Voice:
    instrument = instruments()[lead]
    calm, excited = style.tune.notes_a_second
    centre = _middle(lead, 70 + mood.register)
    syncopated = style.tune.syncopated or mood.lilt
    return melody.Voice(
        notes_a_second=calm + (1.15 * excited - calm) * mood.tune_level,
        centre=centre,
        low=max(instrument.low, round(centre) - 10),
        high=min(instrument.high - lift, round(centre) + 12),
        family="syncopated" if syncopated and time.name == "4/4" else style.tune.moves,
        moves=style.tune.moves,
        strict=style.tune.strict,
        legato=mood.legato if instrument.held else 1.0,
        velocity=mood.velocity + 6,
        pentatonic=style.tune.pentatonic,
    )


def _middle(name: str, wished: float) -> float:
    """Return the wished middle of the register, kept where the instrument has an octave of room on both sides."""
    instrument = instruments()[name]
    room = min(10, (instrument.high - instrument.low) / 2)
    return min(max(wished, instrument.low + room), instrument.high - room)


def _part(random: Random, style: Style, form: Plan, role: str, players: Cast, notes: list[Note]) -> Part:
    volume, pan, wet = _MIX[role]
    tight = "chords" if role == "pad" and style.accompaniment.rhythm else role
    if role != "drums":
        notes = _within_reach(notes, instruments()[str(getattr(players, role))])
    played = humanise(random, style.tempo, tight, notes, form.bpm)
    reverb = min(127, round(style.mix.reverb * wet))
    if role == "drums":
        uneven = strokes(played)
        return Part(style.drums.name, role, style.drums.kit, DRUM_CHANNEL, pan, volume, reverb, 0, played, uneven)
    name = str(getattr(players, role))
    instrument = instruments()[name]
    under = UNDER_DB if role in ("chords", "pad") and not instruments()[players.lead].held else 0.0
    # Controller 7 acts on amplitude with its square: 40 dB for a factor of ten.
    level = min(127, round(volume * 10 ** ((instrument.trim - under) / 40)))
    return Part(
        name,
        role,
        instrument.program,
        list(_MIX).index(role),
        pan,
        level,
        reverb,
        0 if role == "bass" else 20,
        played,
        (
            *(_controls(style, form, role, played) if instrument.held else ()),
            *slides(played, instrument.slide if role in _ALONE else 0, form.bpm),
        ),
    )


def _controls(style: Style, form: Plan, role: str, played: tuple[Note, ...]) -> tuple[tuple[float, int, int], ...]:
    match role:
        case "chords" | "pad":
            return (*swells(form.bars), *ringing(form.bars))
        case "lead" | "counter":
            return (*vibrato(played, style.tune.vibrato, form.bpm), *ringing(form.bars))
        case _:
            return ringing(form.bars)
