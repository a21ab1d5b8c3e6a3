"""How a song was made, for whoever presses Details."""

import discord

from bot.delivery import asked_at
from bot.messages import key_name, say
from bot.song_card import COLOUR, FIELD, safe, title_of
from melodify_core.brief import music_prompt
from melodify_core.models import Brief, Entry, Language, Wish


def details_of(language: Language, entry: Entry) -> discord.Embed:
    """Return the embed."""
    song = entry.song
    embed = discord.Embed(title=title_of(language, song), colour=discord.Colour(COLOUR))
    facts = {
        "prompt": music_prompt(song.brief, song.wish or Wish()) if song.brief else "",
        "mood": ", ".join(song.mood),
        "tempo": say(language, "song.bpm", bpm=song.bpm) if song.bpm else "",
        "key": key_name(language, song.key, song.mode) if song.key else "",
        "adjusted": _adjusted(language, song.brief),
        "seed": str(song.seed),
        "made_by": " · ".join(filter(None, (song.captioner, song.composer, song.model))),
        "sound": say(
            language, "details.sound_value", seconds=round(song.duration_s), lufs=song.lufs, kbps=song.bitrate_kbps
        ),
        "cost": say(language, "details.cost_value", dollars=f"{song.dollars:.4f}"),
    }
    for name, value in facts.items():
        if shown := safe(value, FIELD):
            embed.add_field(name=say(language, f"details.{name}"), value=shown, inline=len(shown) < 60)
    # Ids that Discord gave carry their time; timestamps are shown in the reader's own.
    asked, done = asked_at(song.job_id), int(entry.created_at)
    times = say(language, "details.times_value", asked=asked, took=max(done - asked, 0))
    embed.add_field(name=say(language, "details.times"), value=times, inline=False)
    return embed.set_footer(text=say(language, "song.footer", job_id=song.job_id))


def _adjusted(language: Language, brief: Brief | None) -> str:
    """Return what of the reading could not be, and what was taken instead."""
    return " · ".join(
        say(
            language,
            "details.adjusted_to" if each.used else "details.left_out",
            name=say(language, f"details.adjusted_{each.name}"),
            said=each.said,
            used=each.used,
        )
        for each in (brief.adjusted if brief else ())
    )
