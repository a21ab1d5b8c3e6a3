"""The lines of a song's message: for whom it is, what was wished, what was changed, and how it sounds."""

from collections.abc import Iterator

from bot.i18n.messages import key_name, name_of, say
from bot.i18n.style_names import style_of
from bot.posts.hint_lines import hint_lines
from bot.posts.wording import safe
from melodify_core.models import Job, Language, Song, Wish

HINT = 200
INSTRUMENTS = 300
NAME = 60


def asker_line(job: Job) -> str:
    """Return the line that names the member; "" where nobody else reads it, or the member does not want to be named."""
    direct = job.place.guild_id is None and job.place.token is None
    named = job.named and not job.private and not direct
    return say(job.wish.language, "song.for", user=job.user_id) if named else ""


def lines_of(job: Job, song: Song) -> list[str]:
    """Return the lines under the caption, each safe to show, without those that say nothing."""
    language = job.wish.language
    # The line of the changes says what it was and what it is.
    changed = job.parent_wish is not None and job.parent_wish.hint != job.wish.hint
    hint = "" if changed else safe(job.wish.hint, HINT)
    texts = [say(language, "song.hint", hint=hint)] if hint else []
    texts += hint_lines(language, song, safe).splitlines()
    lines = [
        # Discord hides what is between the bars: a hint may give the picture away.
        *(f"||{line}||" if job.spoiler or job.wish.covered else line for line in texts),
        _origin(job),
        " · ".join(_facts(job, song)),
    ]
    if song.instruments:
        names = ", ".join(name_of(language, "instrument", name) for name in song.instruments)
        lines.append(f"🎶 {safe(names, INSTRUMENTS)}")
    if song.instead_of:
        lines.append(_instead(language, song))
    return [line for line in lines if line]


def _origin(job: Job) -> str:
    """Return the line about the song of which this is another take; "" for a first song."""
    if job.parent_id is None:
        return ""
    changes = ", ".join(_changes(job.wish.language, job.parent_wish, job.wish)) if job.parent_wish else ""
    covered = job.spoiler or any(wish and wish.covered for wish in (job.parent_wish, job.wish))
    changes = f"||{changes}||" if changes and covered else changes
    kind = "song.changed" if changes else "song.take"
    key = f"{kind}_of" if job.parent_link else kind
    return say(job.wish.language, key, link=job.parent_link, changes=changes)


def _instead(language: Language, song: Song) -> str:
    """Return who plays, because the first composer could not."""
    names = {name: name_of(language, "composer", name) for name in (song.composer, song.instead_of)}
    return say(language, "song.instead", composer=names[song.composer], first=names[song.instead_of])


def _changes(language: Language, before: Wish, now: Wish) -> Iterator[str]:
    """Yield what a member has changed in the form, with the old and the new value."""
    none = say(language, "song.change.none")
    if before.style != now.style:
        keys = ("song.change.auto" if wish.style == "auto" else f"style.{wish.style}" for wish in (before, now))
        styles = [say(language, key) for key in keys]
        yield say(language, "song.change.style", before=styles[0], now=styles[1])
    if before.seconds != now.seconds:
        yield say(language, "song.change.length", before=before.seconds, now=now.seconds)
    if before.hint != now.hint:
        shown = (safe(wish.hint, HINT) for wish in (before, now))
        hints = [say(language, "song.phrase", phrase=hint) if hint else none for hint in shown]
        yield say(language, "song.change.hint", before=hints[0], now=hints[1])


def _facts(job: Job, song: Song) -> Iterator[str]:
    """Yield style, length, tempo and key."""
    language = job.wish.language
    if shown := safe(style_of(language, job.wish.style, song.genre), NAME):
        yield f"**{shown}**"
    yield say(language, "songs.seconds", seconds=round(song.duration_s))
    if song.bpm:
        yield say(language, "song.bpm", bpm=song.bpm)
    if song.key and (key := safe(key_name(language, song.key, song.mode), NAME)):
        yield key
