"""The embed that Details shows: how the song was made."""

import discord

from bot.i18n.messages import catalogue, key_name, name_of, say
from bot.posts.delivery import asked_at
from bot.posts.hint_lines import not_used
from bot.posts.song_embed import COLOUR, title_of
from bot.posts.wording import FIELD, safe
from melodify_core.brief import music_prompt
from melodify_core.models import Adjustment, Entry, Language, Song, Wish

# Do not show a smaller difference: the tempo changes by a few per cent, so that whole bars fill the length.
SAME_TEMPO = 0.05


def details_of(language: Language, entry: Entry) -> discord.Embed:
    """Return the embed with the song's prompt, tempo, metre, key, providers and cost."""
    song = entry.song
    embed = discord.Embed(title=title_of(language, song), colour=discord.Colour(COLOUR))
    facts = {
        "prompt": music_prompt(song.brief, song.wish or Wish()) if song.brief else "",
        "mood": ", ".join(name_of(language, "mood", name) for name in song.mood),
        "tempo": say(language, "song.bpm", bpm=song.bpm) if song.bpm else "",
        "meter": song.meter or "",
        "key": key_name(language, song.key, song.mode) if song.key else "",
        "adjusted": " · ".join(_adjustment_text(language, each) for each in _adjusted(song)),
        "not_used": not_used(language, song, safe),
        "seed": str(song.seed),
        "made_by": " · ".join(dict.fromkeys(filter(None, (song.captioner, song.composer, song.model)))),
        "licence": catalogue(language).get(f"licence.{song.composer}", ""),
        "sound": say(
            language, "details.sound_value", seconds=round(song.duration_s), lufs=song.lufs, kbps=song.bitrate_kbps
        ),
        "cost": _cost(language, song.dollars),
    }
    covered = song.spoiler or (song.wish is not None and song.wish.covered)
    for name, value in facts.items():
        # As in the song's message: a part of the hint may give away what is covered.
        bars = "||" if covered and name == "not_used" else ""
        if shown := safe(value, FIELD - 2 * len(bars)):
            embed.add_field(name=say(language, f"details.{name}"), value=f"{bars}{shown}{bars}", inline=len(shown) < 60)
    # Discord's ids contain their time; Discord shows timestamps in the reader's time zone.
    asked, done = asked_at(song.job_id), int(entry.created_at)
    times = say(language, "details.times_value", asked=asked, took=max(done - asked, 0))
    embed.add_field(name=say(language, "details.times"), value=times, inline=False)
    return embed.set_footer(text=say(language, "song.footer", job_id=song.job_id))


def _cost(language: Language, dollars: float) -> str:
    if not dollars:
        return say(language, "details.cost_free")
    return say(language, "details.cost_value", dollars=f"{dollars:.4f}")


def _adjusted(song: Song) -> list[Adjustment]:
    """Return each wish for the music that could not be met, with what was used instead."""
    adjusted = song.brief.adjusted if song.brief else ()
    # A chosen style overrides any genre.
    hidden = {"bpm"} if song.wish is None or song.wish.style == "auto" else {"bpm", "genre"}
    return [*_tempo(song), *(each for each in adjusted if each.name not in hidden)]


def _tempo(song: Song) -> list[Adjustment]:
    """Return the song's tempo if it differs from the one that was asked for: a list with one item or none."""
    if song.brief is None or song.bpm is None:
        return []
    said = next((each.said for each in song.brief.adjusted if each.name == "bpm"), "")
    if not said and abs(song.bpm / song.brief.bpm - 1) <= SAME_TEMPO:
        return []
    return [Adjustment(name="bpm", said=said or str(song.brief.bpm), used=str(song.bpm))]


def _adjustment_text(language: Language, each: Adjustment) -> str:
    name = say(language, f"details.adjusted_{each.name}")
    if each.name == "genre" and not each.used:
        return say(language, "details.genre_left_open", name=name, said=each.said)
    text = "details.adjusted_to" if each.used else "details.left_out"
    return say(language, text, name=name, said=each.said, used=name_of(language, "details.used", each.used))
