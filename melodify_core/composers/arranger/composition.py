"""Brief -> Score: the decisions of mood, and the order in which the parts are written."""

import hashlib
from dataclasses import dataclass
from functools import partial
from random import Random

from melodify_core.composers.arranger import harmony, melody, rhythm
from melodify_core.composers.arranger.casting import Cast, cast
from melodify_core.composers.arranger.critic import flaws
from melodify_core.composers.arranger.form import Plan, plan, tempo_for
from melodify_core.composers.arranger.instruments import INSTRUMENTS
from melodify_core.composers.arranger.performance import humanise, swells
from melodify_core.composers.arranger.score import DRUM_CHANNEL, Chord, Key, Note, Part, Score
from melodify_core.composers.arranger.styles import STYLES, Style, style_of
from melodify_core.models import Brief, Wish

DRAFTS = 5
# Volume (controller 7) before the instrument's trim, pan, and share of the style's reverb.
_MIX = {
    "lead": (104, 68, 1.0),
    "chords": (88, 50, 0.9),
    "pad": (72, 80, 1.2),
    "bass": (98, 64, 0.3),
    "drums": (92, 64, 0.5),
}


@dataclass(frozen=True, slots=True)
class Mood:
    """What valence and arousal do to the music, additive and linear, in the order of their weight: mode and tempo,
    register, dynamics, articulation, timbre (Eerola, Friberg & Bresin 2013). Mode and tempo are the Brief's own.
    """

    level: float  # arousal, 0..1: how busy the patterns are
    register: float  # semitones
    velocity: int
    legato: float  # share of a note's time that sounds
    brightness: float  # -1..1


def mood_of(brief: Brief, style: Style) -> Mood:
    """Return the mood of a brief in a style."""
    brightness = style.brightness + 0.65 * brief.arousal + 0.25 * brief.valence
    return Mood(
        level=(brief.arousal + 1) / 2,
        register=2.5 * brief.valence + 2.0 * brief.arousal,
        velocity=round(80 + 16 * brief.arousal),
        legato=0.9 - 0.14 * brief.arousal,
        brightness=max(-1.0, min(1.0, brightness)),
    )


def score_of(brief: Brief, wish: Wish, seed: int) -> Score:
    """Return the piece, the same for the same arguments: the first of a few drafts that has no flaw, or the best."""
    name = style_of(wish.style, brief.genre)
    random = Random(_seed(brief, name, seed))
    drafts = [_draft(random, brief, name, wish.seconds)]
    while flaws(drafts[-1]) > 0 and len(drafts) < DRAFTS:
        drafts.append(_draft(random, brief, name, wish.seconds))
    return min(drafts, key=flaws)


def _draft(random: Random, brief: Brief, name: str, seconds: int) -> Score:
    style = STYLES[name]
    mood = mood_of(brief, style)
    key = harmony.key_for(random, brief.mode, brief.valence)
    form = plan(random, seconds, tempo_for(brief.bpm, style.bpm), style)
    chords = harmony.progression(random, key, form.bars, style.vocabulary)
    players = cast(random, style, brief.instruments, mood.level)
    written = _write(random, style, mood, key, form, chords, players)
    parts = tuple(_part(random, style, form, role, players, notes) for role, notes in written.items() if notes)
    return Score(name, form.bpm, float(seconds), key, form.sections, chords, parts, form.tempos, mood.brightness)


def _seed(brief: Brief, style: str, seed: int) -> int:
    # The Brief counts too: two pictures must not begin alike because they share a seed. Its words do not: a caption in
    # another language is the same music.
    music = brief.model_copy(update={"title": "", "caption": ""}).model_dump_json()
    return int.from_bytes(hashlib.sha256(f"{seed} {style} {music}".encode()).digest()[:8])


def _write(
    random: Random, style: Style, mood: Mood, key: Key, form: Plan, chords: tuple[Chord, ...], players: Cast
) -> dict[str, list[Note]]:
    """Return the notes of each role."""
    choose = partial(rhythm.calm_to_busy, random, level=mood.level)
    voicings = harmony.voice(chords, _middle(players.chords, 57 + 0.6 * mood.register), style.voices)
    low = rhythm.bass(key, form.bars, chords, choose(style.bass_lines), mood.velocity)
    tune = melody.compose(random, key, form.bars, chords, low, form.bpm, _voice(style, mood, players.lead))
    bass_bars = {bar.index for bar in form.bars if "bass" in bar.section.roles or bar.final}
    notes = {
        "lead": tune,
        "chords": rhythm.comping(form.bars, chords, voicings, choose(style.comping), mood.velocity - 10),
        "pad": [],
        "bass": [note for note in low if int(note.start // 4) in bass_bars],
        "drums": [],
    }
    if players.pad:
        high = harmony.voice(chords, _middle(players.pad, 62 + 0.6 * mood.register), 3)
        notes["pad"] = rhythm.pads(form.bars, chords, high, mood.velocity - 14)
    # Calm pieces do without drums in styles that can.
    if style.grooves and (mood.level > 0.2 or not style.slows_down):
        notes["drums"] = rhythm.drums(random, form.bars, choose(style.grooves), mood.velocity)
    return notes


def _voice(style: Style, mood: Mood, lead: str) -> melody.Voice:
    instrument = INSTRUMENTS[lead]
    calm, excited = style.notes_a_second
    centre = _middle(lead, 70 + mood.register)
    return melody.Voice(
        notes_a_second=calm + (excited - calm) * mood.level,
        centre=centre,
        low=max(instrument.low, round(centre) - 9),
        high=min(instrument.high, round(centre) + 12),
        syncopated=style.syncopated,
        strict=style.strict,
        legato=mood.legato if instrument.held else 1.0,
        velocity=mood.velocity + 6,
    )


def _middle(name: str, wished: float) -> float:
    """Return the wished middle of the register, kept where the instrument has an octave of room on both sides."""
    instrument = INSTRUMENTS[name]
    room = min(10, (instrument.high - instrument.low) / 2)
    return min(max(wished, instrument.low + room), instrument.high - room)


def _part(random: Random, style: Style, form: Plan, role: str, players: Cast, notes: list[Note]) -> Part:
    volume, pan, wet = _MIX[role]
    played = humanise(random, style, role, notes, form.bpm)
    reverb = min(127, round(style.reverb * wet))
    if role == "drums":
        return Part(style.kit_name, role, style.kit, DRUM_CHANNEL, pan, volume, reverb, 0, played)
    names = {"lead": players.lead, "chords": players.chords, "pad": players.pad or "", "bass": players.bass}
    instrument = INSTRUMENTS[names[role]]
    # Controller 7 acts on amplitude with its square: 40 dB for a factor of ten.
    level = min(127, round(volume * 10 ** (instrument.trim / 40)))
    return Part(
        names[role],
        role,
        instrument.program,
        list(_MIX).index(role),
        pan,
        level,
        reverb,
        0 if role == "bass" else 20,
        played,
        swells(form.bars) if instrument.held and role in ("chords", "pad") else (),
    )
