"""The site of `make docs`: every document is in it, a dead link fails it, and it loads nothing from elsewhere."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import expect

from docs.showcase.songs import SAMPLES, SECONDS
from tests.process.browser import AUTOPLAY, CHROMIUM, chromium

ROOT = Path(__file__).parents[2]
MKDOCS = ROOT / ".venv-docs/bin/mkdocs"
DOCUMENTS = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("deploy/**/*.md")})

# Wider than the window, or a picture that does not load.
FAULTS = """() => [
  document.documentElement.scrollWidth > innerWidth ? `${document.documentElement.scrollWidth} wide` : "",
  ...[...document.images].filter(image => !image.complete || !image.naturalWidth).map(image => image.src),
].join(" ").trim()"""

pytestmark = pytest.mark.skipif(not MKDOCS.exists(), reason="no .venv-docs: `make docs` makes it")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder with all that the site is made of."""
    folder = tmp_path / "checkout"
    others = [ROOT / name for name in ("mkdocs.yml", "LICENSE", "config.example.toml")]
    for path in (*DOCUMENTS, *others, *(path for path in (ROOT / "docs").rglob("*") if path.is_file())):
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return folder


def build(checkout: Path) -> subprocess.CompletedProcess[str]:
    """Build the site as the Makefile does."""
    (command,) = re.findall(r"\$\(DOCS\)/bin/mkdocs (.*) \$\(ARGS\)", (ROOT / "Makefile").read_text())
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [str(MKDOCS), *command.split()],
        cwd=checkout,
        env=environment | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_document_is_a_page_that_loads_nothing_from_elsewhere(checkout: Path) -> None:
    done = build(checkout)
    assert done.returncode == 0, done.stderr
    site = checkout / "build/site"
    pages = {path.relative_to(site).as_posix(): path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    for document in DOCUMENTS:
        name = document.relative_to(ROOT).as_posix()
        assert name.replace("README.md", "index.html").replace(".md", ".html") in pages
    loaded = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)=[\"']?((?:https?:)?//[^\"'\s>]+)")
    assert {address for page in pages.values() for address in loaded.findall(page)} == set()
    styles = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    assert styles
    assert not any(re.search(r"url\([\"']?(?:https?:)?//|@import", style) for style in styles)
    # The theme fetches mermaid from another server for a page that has a diagram of it.
    assert not any('class="mermaid"' in page for page in pages.values())


@pytest.mark.skipif(CHROMIUM is None, reason="needs google-chrome, or the chromium that .ci/run installs")
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
async def test_every_page_fits_its_window_and_shows_its_pictures(
    checkout: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    assert build(checkout).returncode == 0
    site = checkout / "build/site"
    faults = {}
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        for path in sorted(site.rglob("*.html")):
            await page.goto(path.as_uri())
            fault = await page.evaluate(FAULTS)
            if fault:
                faults[path.relative_to(site).as_posix()] = fault
        assert faults == {}


@pytest.mark.skipif(CHROMIUM is None, reason="needs google-chrome, or the chromium that .ci/run installs")
async def test_the_songs_of_the_site_can_be_heard(checkout: Path) -> None:
    assert build(checkout).returncode == 0
    async with chromium(AUTOPLAY) as browser:
        page = await browser.new_page()
        await page.goto((checkout / "build/site/docs/listen.html").as_uri())
        for audio in await page.locator("audio").all():
            await audio.evaluate("element => element.play()")
            assert await audio.evaluate("element => element.duration") == pytest.approx(SECONDS, abs=0.2)
            await expect(audio).to_have_js_property("paused", value=False)
            await audio.evaluate("element => element.pause()")
        assert await page.locator("audio").count() == len(SAMPLES)


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("[x](nowhere.md)", "'nowhere.md'"),
        ("[x](members.md#nothing)", "'#nothing'"),
        ("[x](#nothing)", "'#nothing'"),
        ("[x](/docs/members.md)", "absolute link"),
        ("[x](../melodify_core)", "unrecognized"),
    ],
)
def test_a_dead_link_fails_the_build(link: str, said: str, checkout: Path) -> None:
    page = checkout / "docs/operations.md"
    page.write_text(f"{page.read_text(encoding='utf-8')}\n{link}\n", encoding="utf-8")
    done = build(checkout)
    assert done.returncode == 1
    assert said in done.stderr
    assert "docs/operations.md" in done.stderr


def test_a_page_outside_the_menu_fails_the_build(checkout: Path) -> None:
    (checkout / "docs/forgotten.md").write_text("# Forgotten\n")
    done = build(checkout)
    assert done.returncode == 1
    assert "docs/forgotten.md" in done.stderr
