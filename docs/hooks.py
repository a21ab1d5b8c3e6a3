"""Gives mkdocs the repository's own documents, each at its place: one link serves on a forge and on the site."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
SHOWN = (".md", ".png", ".svg", ".webp", ".mp3", ".css")
# Beside docs/, which mkdocs reads itself.
OTHERS = ("*.md", "LICENSE", "config.example.toml", "deploy/**/*.md")


def on_files(files: Files, *, config: MkDocsConfig) -> None:
    """Place what lies in docs/ under that name, and add the documents from elsewhere."""
    for file in files.documentation_pages() + files.media_files():
        if file.generated_by is None and file.src_dir == config.docs_dir:
            files.remove(file)
    inside = [path for path in (ROOT / "docs").rglob("*") if path.suffix in SHOWN]
    for path in sorted({*inside, *(path for pattern in OTHERS for path in ROOT.glob(pattern))}):
        name = path.relative_to(ROOT).as_posix()
        files.append(File.generated(config, name, abs_src_path=str(path)))
