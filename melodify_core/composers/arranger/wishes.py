"""What a hint's wishes do to the embedded composer: instruments that must not play or must, sounds around the notes."""

from melodify_core.hints import understand
from melodify_core.hints.concepts import DRUMS, concepts
from melodify_core.hints.numbers import tonic_of
from melodify_core.hints.playing import can_do_without, is_denied
from melodify_core.hints.words import ALONE, sounds_named
from melodify_core.models import Brief, Wish
from melodify_core.styles import Style
from melodify_core.styles.instruments import BASS, CHORDS, LEAD, PAD, instruments
from melodify_core.styles.style import Band, Drums

ROLES = (LEAD, CHORDS, PAD, BASS, "counter")
# Who plays where a wish to do without leaves nobody.
_INSTEAD = {
    LEAD: ("clarinet", "vibraphone", "acoustic guitar"),
    CHORDS: ("acoustic guitar", "felt piano", "vibraphone"),
    BASS: ("upright bass", "electric bass"),
}


def obeyed(brief: Brief, wish: Wish) -> Brief:
    """Return the brief with what it leaves open, as the hint's words and the soundscape's words say.

    Another provider's captioner knows neither of these fields.
    """
    if brief.sounds is not None:
        return brief
    wishes = understand(wish.hint, by_meaning=False)
    named = () if wishes.no_sounds else wishes.sounds or sounds_named(brief.soundscape)
    return brief.model_copy(
        update={
            "sounds": tuple(sound for sound in named if sound not in wishes.sounds_out)[:3],
            "meter": brief.meter or wishes.meter,
            "without": brief.without or wishes.without,
            "heard": brief.heard or tuple(key for key in wishes.heard if _alone_by(key)),
        }
    )


def alone(brief: Brief) -> str | None:
    """Return the only instrument that may play, where the hint asks for one."""
    return next(filter(None, map(_alone_by, brief.heard)), None)


def _alone_by(key: str) -> str | None:
    if key in concepts():
        return concepts()[key].alone
    name = key.removeprefix(ALONE)
    return name if key.startswith(ALONE) and name in instruments() else None


def demanded(brief: Brief) -> frozenset[str]:
    """Return the instruments that the hint names, and those of its concepts: they play in any style."""
    kind = "instrument."
    named = [key.removeprefix(kind) for key in brief.heard if key.startswith(kind)]
    meant = [name for key in brief.heard if key in concepts() for name in concepts()[key].instruments]
    return frozenset([*named, *meant])


def wished_tonic(brief: Brief) -> int | None:
    """Return the pitch class of the tonic that the hint names."""
    named = [key.removeprefix("key.") for key in brief.heard if key.startswith("key.")]
    return tonic_of(named[0]) if named else None


def allowed(brief: Brief) -> tuple[str, ...]:
    """Return the brief's instruments, less those that must not play."""
    return tuple(name for name in brief.instruments if not is_denied(name, brief.without))


def own_wishes(brief: Brief, style: Style) -> tuple[str, ...]:
    """Return the allowed instruments that picture or hint ask for, none where one plays alone.

    A brief that names a style's whole usual band, as those of the embedded captioner do, asks for nothing by it.
    """
    if alone(brief):
        return ()
    names, usual = allowed(brief), style.brief
    groups = [group for group in (usual.leads, usual.beds, usual.basses, usual.colours) if any(group)]
    if not all(set(group) & set(names) for group in groups):
        return names
    own = {name for group in (usual.leads, usual.beds, usual.colours) for name in group}
    return tuple(name for name in names if name in demanded(brief) or name not in own)


def style_without(style: Style, brief: Brief) -> Style:
    """Return the style without the instruments that must not play. Drums that were asked for do not stay away."""
    if only := alone(brief):
        band = {role: (only,) for role in ROLES if getattr(style.instruments, role)}
        return style.model_copy(update={"drums": Drums(), "instruments": style.instruments.model_copy(update=band)})
    changes: dict[str, object] = {}
    if DRUMS in brief.without:
        changes["drums"] = Drums()
    elif DRUMS in demanded(brief):
        changes["tempo"] = style.tempo.model_copy(update={"slows_down": False})
    if without := tuple(name for name in brief.without if can_do_without(style.instruments, name)):
        changes["instruments"] = _without(style.instruments, without)
    return style.model_copy(update=changes) if changes else style


def plays_no_bass(brief: Brief) -> bool:
    """Return whether there must be no bass at all: one kind of bass stands for all."""
    return any(BASS in instruments()[name].roles for name in brief.without if name in instruments())


def _without(band: Band, without: tuple[str, ...]) -> Band:
    def left(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if not is_denied(name, without))

    leads = left(band.lead) or left(band.counter) or left(_INSTEAD[LEAD])[:1] or band.lead
    chords = left(band.chords) or left(_INSTEAD[CHORDS])[:1] or band.chords
    if band.solo and leads != chords:
        leads = chords
    return band.model_copy(
        update={
            "lead": leads,
            "chords": chords,
            "pad": left(band.pad),
            "counter": left(band.counter),
            "bass": left(band.bass) or left(_INSTEAD[BASS])[:1] or band.bass,
        }
    )
