"""What makes the image small leaves what is played and imported as it is."""

import random
from pathlib import Path

import numpy as np

from deploy.slim import delete, imported, write_font
from melodify_core.composers.arranger.composition import score_of
from melodify_core.composers.arranger.fonts import chosen
from melodify_core.composers.arranger.synthesis import tracks_of
from melodify_core.models import Wish
from melodify_core.styles import all_styles
from tests.briefs import a_brief


def test_the_image_s_font_plays_what_the_whole_one_plays(tmp_path: Path) -> None:
    small = tmp_path / "fonts" / "small.sf2"
    write_font(chosen(), small)
    assert small.stat().st_size < chosen().stat().st_size
    for style in random.sample(sorted(all_styles()), 3):
        score = score_of(a_brief(), Wish(style=style, seconds=10), random.randrange(1000))
        for mine, whole in zip(tracks_of(score, small), tracks_of(score, chosen()), strict=True):
            assert np.array_equal(mine.sound, whole.sound), style
            assert mine.sound.any()


def test_what_never_runs_is_deleted_and_nothing_else(tmp_path: Path) -> None:
    gone = ["a/tests/test_a.py", "a/b/tests/data.bin", "a/b.pyi", "a/__pycache__/b.pyc", "pip/__init__.py"]
    kept = ["a/b.py", "a/testing/c.py", "a/libs.so", "pipeline/__init__.py", "a-1.dist-info/METADATA"]
    for name in gone + kept:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for file in delete(tmp_path):
        file.unlink()
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()) == sorted(kept)


def test_imports_in_functions_are_found_too(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("import os, json.decoder\n\ndef f():\n    from email import message\n    import wave as w\n")
    assert sorted(imported(file)) == ["email", "json.decoder", "os", "wave"]
