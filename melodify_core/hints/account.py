"""What a Brief may say of its hint: what was heard and came true, and the phrases that did not."""

from collections.abc import Callable

from melodify_core.hints.playing import can_do_without, has_tempo, with_parts
from melodify_core.hints.wishes import MOST_NOT_USED, PHRASE_CHARACTERS, Wishes
from melodify_core.models import Mode, Wish
from melodify_core.styles import all_styles

_MODES = frozenset({"major", "minor"})


def account_of(wishes: Wishes, wish: Wish, style: str, mode: Mode) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what was heard, and what was not used: a chosen style and length overrule the hint's."""
    playing = with_parts(style, wishes.demanded)
    heard = [key for key in wishes.heard if _is_true(key, wish, style, mode, playing)]
    # Of two styles in a hint, one wins, and it need not be said.
    silent = () if wish.style in all_styles() else "style."
    lost = [
        wishes.phrases[key][:PHRASE_CHARACTERS]
        for key in wishes.heard
        if key not in heard and not key.startswith(silent)
    ]
    return tuple(heard), tuple(dict.fromkeys([*wishes.not_used, *filter(None, lost)]))[:MOST_NOT_USED]


def _is_true(key: str, wish: Wish, style: str, mode: Mode, playing: frozenset[str]) -> bool:
    kind, _, name = key.rpartition(".")
    said: dict[str, Callable[[], bool]] = {
        "style": lambda: name == style,
        "without.style": lambda: name != style,
        "instrument": lambda: name in playing,
        "without.instrument": lambda: can_do_without(all_styles()[style].instruments, name),
        "mode": lambda: name == mode,
        "without.mode": lambda: name != mode,
        "key": lambda: name.rpartition(" ")[2] not in _MODES - {mode},
        "without.key": lambda: False,
        "seconds": lambda: int(name) == wish.seconds,
        "bpm": lambda: has_tempo(style, int(name)),
        "without.bpm": lambda: False,
    }
    return kind not in said or said[kind]()
