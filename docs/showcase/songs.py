"""The eight songs of the page that plays them: each picture becomes a song as for a member who posts it.

The page itself is written here too, since titles and captions are the program's own.
"""

import io
import json
import tempfile
import textwrap
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import Progress

from bot.cli.demo import embedded
from bot.cli.render import ConsoleDelivery, RenderLedger, RenderRequest
from bot.i18n.messages import LANGUAGES, key_name, name_of
from docs.showcase.paintings import PAINTINGS
from melodify_core.bootstrap import make_one
from melodify_core.config.settings import Settings
from melodify_core.jobs.workflow import MESSAGE_BYTES
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Language, Order, Place, Song, Wish

SECONDS = 20
# An upload limit, which makes 128 kbit/s of the usual 192.
MAX_SONG_BYTES = 362_000
MAX_PICTURE_BYTES = 60_000
QUALITIES = (84, 80, 75, 70, 60, 50, 40)
FACTS = "songs.json"

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture, what it shows, and what a member asks with it."""

    picture: str
    shows: str
    style: str
    hint: str
    language: Language = "en"


SAMPLES = (
    Sample("evening-sea", "A low sun over the sea, a sailing boat and a palm", "reggae", "a slow evening on the beach"),
    Sample("rainy-city", "A wet street between lit houses at night", "lofi", "rainy night, with a saxophone"),
    Sample("misty-forest", "A forest in the morning mist, with the sun's rays", "folk", "early morning, with a flute"),
    Sample("moon-palace", "The roofs of a Korean palace under the full moon", "korean", "달 밝은 봄밤, 가야금", "ko"),
    Sample("cafe", "A cup of coffee before a café's window", "bossa", "a lazy Sunday morning"),
    Sample("storm", "A lighthouse in a thunderstorm at sea", "cinematic", "a wild storm, fast"),
    Sample("snow-mountain", "A white mountain, firs and falling snow", "piano", "first snow, calm"),
    Sample("ringed-planet", "A planet with rings before a nebula", "synthwave", "flying through space"),
)


async def make_songs(folder: Path, only: Collection[str] = ()) -> None:
    """Write picture and song of each sample (or of some) into the folder, and the facts about all that are there."""
    folder.mkdir(parents=True, exist_ok=True)
    known = {str(facts["name"]): facts for facts in (read_facts(folder) if (folder / FACTS).exists() else ())}
    for sample in SAMPLES:
        if not only or sample.picture in only:
            known[sample.picture] = await _make(sample, folder)
            print(f"{sample.picture}: {known[sample.picture]['en']['title']}", flush=True)
    text = json.dumps(
        [known[sample.picture] for sample in SAMPLES if sample.picture in known], ensure_ascii=False, indent=1
    )
    (folder / FACTS).write_text(f"{text}\n", encoding="utf-8")


def read_facts(folder: Path) -> list[Facts]:
    """Return what is known of the samples in the folder."""
    facts: list[Facts] = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    return facts


async def _make(sample: Sample, folder: Path) -> Facts:
    picture = folder / f"{sample.picture}.webp"
    picture.write_bytes(painted(sample))
    song, other = await _both(sample, picture)
    words = {sample.language: song, _other(sample.language): other}
    return {
        "name": sample.picture,
        "shows": sample.shows,
        "style": sample.style,
        "hint": sample.hint,
        "seconds": SECONDS,
        "bpm": song.bpm,
        "key": song.key,
        "mode": song.mode,
        "seed": song.seed,
        "instruments": song.instruments,
        **{language: {"title": words[language].title, "caption": words[language].caption} for language in LANGUAGES},
    }


def painted(sample: Sample) -> bytes:
    """Return the picture as WebP, as good as the bound allows."""
    picture = PAINTINGS[sample.picture]()
    for quality in QUALITIES:
        data = io.BytesIO()
        picture.save(data, "WEBP", quality=quality, method=6)
        if data.tell() <= MAX_PICTURE_BYTES:
            return data.getvalue()
    raise ValueError(f"{sample.picture} does not fit into {MAX_PICTURE_BYTES} bytes")


async def _both(sample: Sample, picture: Path) -> tuple[Song, Song]:
    """Make the song, then once more for a reader of the other language: of that only the words are kept."""
    with tempfile.TemporaryDirectory(prefix="melodify-") as scratch:
        song, _ = await made(sample, picture, picture.with_suffix(".mp3"), sample.language)
        other, _ = await made(sample, picture, Path(scratch) / "other.mp3", _other(sample.language))
    return song, other


async def made(sample: Sample, picture: Path, out: Path, language: Language) -> tuple[Song, bytes]:
    """Make the song of the picture's file, write it to `out`, and return it with its score as MIDI."""
    wish = Wish(style=sample.style, hint=sample.hint, seconds=SECONDS, language=language)
    request = RenderRequest(picture, out, wish)
    place = Place(channel_id=0, max_bytes=MAX_SONG_BYTES + MESSAGE_BYTES)
    order = Order(job_id="sample", user_id=0, place=place, picture=picture.read_bytes(), wish=wish)
    with closing(WorkerPool(1)) as pool, Progress(disable=True) as bar:
        delivery = ConsoleDelivery(request, bar, bar.add_task(""))
        score = await make_one(order, embedded(Settings(), out.parent), delivery, RenderLedger(), pool)
    if delivery.song is None or score is None:
        raise delivery.error or RuntimeError(f"{picture.name} became no song")
    return delivery.song, score


def _other(language: Language) -> Language:
    return "ko" if language == "en" else "en"


def page(folder: Path) -> str:
    """Return docs/listen.md, which plays what is in the folder beside it."""
    return "\n\n".join([HEAD, *(_section(song, f"{folder.name}/{song['name']}") for song in read_facts(folder))]) + "\n"


def _section(song: Facts, place: str) -> str:
    style, key = name_of("en", "style", song["style"]), key_name("en", song["key"], song["mode"])
    return "\n\n".join(
        [
            f"## {song['en']['title']}",
            f"![{song['shows']}]({place}.webp)",
            f'<audio controls preload="none" style="width: 100%" src="{place}.mp3"></audio>',
            _quoted(song["en"]["caption"]),
            _quoted(f"**{song['ko']['title']}** {song['ko']['caption']}"),
            f"Style *{style}*, hint “{song['hint']}”; {song['bpm']} BPM, {key} ([MP3]({place}.mp3))",
        ]
    )


def _quoted(text: str) -> str:
    return textwrap.fill(text, 118, initial_indent="> ", subsequent_indent="> ")


HEAD = """# Listen

Eight pictures and the songs that Melodify made of them, 20 seconds each, with style and hint as a member chooses them.
No key and no network were used: the embedded captioner looked at the pictures, and the embedded composer played.

Pictures and songs are the project's own, under its MIT licence. `make samples ARGS=songs` paints the pictures and
makes the songs anew, and writes this page."""
