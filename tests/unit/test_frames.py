"""Faces in frames: a drawn face in front of a wall, on it, and in front of a table."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from melodify_core.captioners.eyes.frames import Box, is_framed

FACE: Box = (200, 120, 230, 160)


def drawn(*shapes: tuple[Box, int], slant: float = 0.0) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    picture = Image.new("L", (480, 360), 120)
    draw = ImageDraw.Draw(picture)
    for box, light in shapes:
        draw.rectangle(box, fill=light)
    draw.ellipse(FACE, fill=200)
    picture = picture.rotate(slant, Image.Resampling.BILINEAR, center=(215, 140), fillcolor=120)
    return np.asarray(picture, dtype=np.float64)


PRINT: tuple[Box, int] = ((160, 70, 270, 230), 40)
BODY: tuple[Box, int] = ((190, 160, 240, 360), 80)


@pytest.mark.parametrize("slant", [0, 0.7, -0.7])
def test_a_face_on_a_print_is_framed(slant: float) -> None:
    assert is_framed(drawn(PRINT, slant=slant), FACE)


def test_who_stands_in_front_of_a_picture_or_behind_a_table_is_not() -> None:
    assert not is_framed(drawn(), FACE)
    assert not is_framed(drawn(PRINT, ((175, 160, 255, 360), 80)), FACE)
    assert not is_framed(drawn(BODY, ((0, 230, 480, 360), 30)), FACE)
    assert not is_framed(drawn(((150, 0, 280, 360), 60), BODY), FACE)  # in a doorway


def test_the_picture_s_own_border_is_no_frame() -> None:
    close = drawn(PRINT)[70:231, 160:271]
    assert not is_framed(close, (40, 50, 70, 90))
    assert not is_framed(close[:20, :20], (0, 0, 20, 20))
