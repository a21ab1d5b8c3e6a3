"""The image, built and run for real. It takes minutes, so only where Debian's buildah and debootstrap are there."""

import pytest

from tests.process.container import make_base, missing
from tests.process.image_check import check

REASON = missing()


@pytest.mark.skipif(bool(REASON), reason=REASON)
@pytest.mark.timeout(900)
def test_the_image_is_small_and_makes_a_song_on_a_read_only_root() -> None:
    make_base()
    size, synthesiser, used = check("image")
    assert "(target: <= 450 MB)" in size
    assert "FluidR3_GM.sf2" in synthesiser
    assert used.startswith("as user 10001: checked, made a song, drained")
