"""What Chromium shows of peculiar pictures: the values that tests/picture_faults.py has, measured again."""

import base64
from collections.abc import AsyncIterator

import numpy as np
import pytest
from playwright.async_api import Page

from tests.picture_faults import SHOWN
from tests.process.browser import CHROMIUM, chromium

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (which .ci/run installs) or google-chrome")
LOOK = """async address => {
  const image = new Image();
  image.src = address;
  await new Promise(done => { image.onload = image.onerror = done; });
  const [wide, high] = [image.naturalWidth, image.naturalHeight];
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [wide, high];
  const painter = canvas.getContext("2d");
  painter.fillStyle = "white";
  painter.fillRect(0, 0, wide, high);
  painter.drawImage(image, 0, 0);
  const colour = (x, y) => Array.from(painter.getImageData(x * wide >> 2, y * high >> 2, 1, 1).data.slice(0, 3));
  return [[wide, high], [colour(1, 1), colour(3, 1), colour(1, 3), colour(3, 3)]];
}"""


@pytest.fixture(scope="module")
async def page() -> AsyncIterator[Page]:
    """One page for all: each of its own is a process more."""
    async with chromium() as browser:
        yield await browser.new_page()


@pytest.mark.parametrize("name", SHOWN)
async def test_chromium_shows_what_was_measured(page: Page, name: str) -> None:
    peculiar = SHOWN[name]
    address = "data:image/x;base64," + base64.b64encode(peculiar.make()).decode()
    size, colours = await page.evaluate(LOOK, address)
    assert tuple(size) == peculiar.size
    assert np.abs(np.array(colours) - np.array(peculiar.colours)).max() <= 4, colours
