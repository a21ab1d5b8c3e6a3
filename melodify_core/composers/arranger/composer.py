"""The Composer port on the arranger. The work runs in a worker process: the synthesiser holds the interpreter lock."""

from melodify_core.composers.arranger.fonts import synthesiser
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Brief, RawTake, Wish
from melodify_core.ports import ProviderContext


class ArrangerComposer:
    """Composes and plays. The same Brief, wish and seed give the same take, byte for byte."""

    name = "arranger"

    def __init__(self, pool: WorkerPool, deadline_s: float) -> None:
        self._pool = pool
        self._deadline_s = deadline_s

    async def check(self) -> None:
        """Check that a synthesiser and its font are installed. Raises Misconfigured."""
        synthesiser()

    def describe(self) -> str:
        """Return the synthesiser and its font, such as "midirenderer with TimGM6mb.sf2"."""
        return synthesiser()

    async def close(self) -> None:
        """Do nothing: the pool belongs to the caller."""

    async def compose(self, brief: Brief, wish: Wish, context: ProviderContext) -> RawTake:
        """Compose and play. Raises Unavailable when it takes too long."""
        return await self._pool.run(self._deadline_s, make_take, brief, wish, context.seed)


def make_take(brief: Brief, wish: Wish, seed: int) -> RawTake:
    """Return the take; runs in a worker process, which alone needs these modules."""
    from melodify_core.composers.arranger.composition import score_of
    from melodify_core.composers.arranger.midi import midi_file
    from melodify_core.composers.arranger.soundscape import soundscape
    from melodify_core.composers.arranger.synthesis import RATE, wav_of
    from melodify_core.composers.arranger.wishes import obeyed

    brief = obeyed(brief, wish)
    score = score_of(brief, wish, seed)
    around = soundscape(brief.sounds, score.seconds, seed, RATE) if brief.sounds else None
    return RawTake(
        audio=wav_of(score, around=around),
        content_type="audio/wav",
        bpm=score.beats_a_minute,
        key=score.key.name,
        mode=score.key.mode,
        instruments=tuple(dict.fromkeys(part.name for part in score.parts)),
        model="arranger",
        midi=midi_file(score),
        meter=score.time.name,
    )
