"""The answer to /queue: the member's songs that are not finished, and when a new one would start."""

from bot.i18n.messages import say, sentence
from bot.posts.destinations import link_to
from melodify_core.errors import Rejected
from melodify_core.models import Forecast, Language
from melodify_core.studio import OpenSong, QueueReport

MOST_SONGS = 10


def queue_text(language: Language, report: QueueReport, refusal: Rejected | None = None) -> str:
    """Return the answer, one line each; `refusal` is why a new song would not even be queued."""
    lines = [_own(language, song) for song in report.own[:MOST_SONGS]]
    if report.waiting or report.running:
        lines.append(say(language, "queue.all", waiting=report.waiting, running=report.running))
    else:
        lines.append(say(language, "queue.empty"))
    lines.append(sentence(language, refusal) if refusal else _next(language, report.next_song))
    return "\n".join(lines)


def _own(language: Language, song: OpenSong) -> str:
    place, forecast = song.place, song.forecast
    link = link_to(place.guild_id, place.channel_id, place.status_id) if place and place.status_id else ""
    if forecast is None:
        return say(language, "queue.own_running", link=link).rstrip()
    at = forecast.starts_at
    key = "queue.own_waiting" if at is None else "queue.own_waiting_until"
    return say(language, key, position=forecast.position, until=at or 0, link=link).rstrip()


def _next(language: Language, forecast: Forecast) -> str:
    if forecast.position == 0:
        return say(language, "queue.next_now")
    if forecast.starts_at is None:
        return say(language, "queue.next", position=forecast.position)
    return say(language, "queue.next_until", until=forecast.starts_at)
