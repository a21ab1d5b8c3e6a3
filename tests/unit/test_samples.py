"""What docs/listen.md shows and plays is there, is what it says, and is small. `make samples` makes it anew."""

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence

from docs.showcase.film import MAX_BYTES as MAX_FILM_BYTES
from docs.showcase.songs import MAX_PICTURE_BYTES, MAX_SONG_BYTES, SAMPLES, SECONDS, page, read_facts
from melodify_core.styles import all_styles

DOCS = Path(__file__).parents[2] / "docs"
FOLDER = DOCS / "samples"
# All that the documents show and play.
MEDIA = (".webp", ".mp3", ".png", ".gif", ".mp4")
MOST_BYTES = 4_000_000


def test_the_samples_are_of_eight_styles() -> None:
    assert len({sample.picture for sample in SAMPLES}) == len({sample.style for sample in SAMPLES}) == 8
    assert {sample.style for sample in SAMPLES} <= set(all_styles())


def test_the_facts_are_of_these_samples() -> None:
    named = [(facts["name"], facts["style"], facts["hint"]) for facts in read_facts(FOLDER)]
    assert named == [(sample.picture, sample.style, sample.hint) for sample in SAMPLES]


@pytest.mark.parametrize("name", [sample.picture for sample in SAMPLES])
def test_each_sample_is_a_picture_and_a_song_of_twenty_seconds(name: str) -> None:
    picture, song = FOLDER / f"{name}.webp", FOLDER / f"{name}.mp3"
    assert picture.stat().st_size <= MAX_PICTURE_BYTES
    assert song.stat().st_size <= MAX_SONG_BYTES
    with Image.open(picture) as seen:
        seen.load()
        assert (seen.format, seen.size) == ("WEBP", (960, 640))
    with av.open(str(song)) as heard:
        assert heard.format.name == "mp3"
        frames = [np.asarray(frame.to_ndarray()) for frame in heard.decode(audio=0)]
        rate = heard.streams.audio[0].rate
    assert sum(frame.shape[1] for frame in frames) / rate == pytest.approx(SECONDS, abs=0.2)
    assert max(np.abs(frame).max() for frame in frames) > 0.1


def test_the_page_is_what_the_facts_say() -> None:
    assert (DOCS / "listen.md").read_text(encoding="utf-8") == page(FOLDER)
    for facts in read_facts(FOLDER):
        for words in (facts["name"], facts["en"]["title"], facts["ko"]["title"], facts["hint"]):
            assert words in page(FOLDER)


def test_the_readme_s_moving_picture_is_small_and_moves() -> None:
    film = DOCS / "demo.webp"
    assert film.stat().st_size <= MAX_FILM_BYTES
    with Image.open(film) as seen:
        assert seen.n_frames >= 8  # type: ignore[attr-defined]  # of an animated WebP
        pictures = [frame.convert("RGB").tobytes() for frame in ImageSequence.Iterator(seen)]
    assert len(set(pictures)) == len(pictures)


def test_each_picture_of_a_screen_is_shown_in_a_document() -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in DOCS.glob("*.md"))
    screens = {path.name for path in (DOCS / "screens").iterdir()}
    assert len(screens) > 10
    assert {name for name in screens if f"](screens/{name})" not in pages} == set()


def test_all_that_the_documents_show_and_play_takes_at_most_four_megabytes() -> None:
    sizes = [path.stat().st_size for path in DOCS.rglob("*") if path.suffix in MEDIA]
    assert len(sizes) > 2 * len(SAMPLES)
    assert sum(sizes) <= MOST_BYTES
