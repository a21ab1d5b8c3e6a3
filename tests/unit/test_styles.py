"""The files of the styles: a mistake is a sentence, and a new file with its two display names is a new style."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bot
import melodify_core
from bot.i18n.style_names import MOST_CHOICES, offered_styles
from melodify_core.errors import Misconfigured
from melodify_core.styles import all_styles, load, style_choices
from tests.pictures import sunset

FOLDER = Path(melodify_core.__file__).parent / "styles"
JAZZ = (FOLDER / "jazz.toml").read_text(encoding="utf-8")
PIANO = (FOLDER / "piano.toml").read_text(encoding="utf-8")
NEW = {"en": "Tango", "ko": "탱고"}
# Run where only the copy is importable: found by its words, offered in the menu, read and played.
FIND = """
import json
from bot.requests.definitions import melodify_command
from melodify_core.hints import understand as steering_of
from melodify_core.composers.arranger.composition import midi_of
from melodify_core.composers.arranger.styles import style_of
from melodify_core.brief import music_prompt
from melodify_core.models import Wish
from melodify_core.styles import all_styles
from tests.briefs import a_brief

read_at_import = all_styles.cache_info().currsize
menu = melodify_command(lambda *_: None)._params["style"].choices
brief = a_brief(genre="argentine tango", instruments=("accordion",))
print(json.dumps({
    "read at import": read_at_import,
    "english": steering_of("a slow tango please").style,
    "korean": steering_of("느린 탱고로").style,
    "genre": style_of("auto", brief),
    "prompt": music_prompt(brief, Wish(style="tango")),
    "menu": {choice.value: str(choice.name) for choice in menu},
    "song": len(midi_of(brief, Wish(style="tango", seconds=10), 1)),
}))
"""


def problems_of(folder: Path, **texts: str) -> tuple[str, ...]:
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    with pytest.raises(Misconfigured) as caught:
        load(folder)
    return caught.value.problems


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('lead = ["vibraphone"', 'lead = ["lute"', r'instruments\.lead\.0: "lute" is not a known instrument.*'),
        ('comping = ["late"', 'comping = ["later"', r'accompaniment\.comping\.0: "later" is not a known comping.*'),
        ('bass = ["two",', 'bass = ["too",', r'accompaniment\.bass\.0: "too" is not a known bass line; .*'),
        ('"band", "beat"', '"bend", "beat"', r'form\.intros\.0: "bend" is not a known intro; .*'),
        ('fills = "brushes"', 'fills = "combs"', r'drums\.fills: "combs" is not a known set of fills; allowed are .*'),
        ('families = ["piano"', 'families = ["pianos"', r'.*"pianos" is not a known family of instruments.*'),
        ("brush = ", "broom = ", r"drums\.grooves\.brushes: broom is not a drum; allowed are kick, stick, .*"),
        ('brush = "x...', 'brush = "y...', r'drums\.grooves\.brushes: "y\.\.\..*" must be 16 steps of X, x and "\.".*'),
        ('"Imaj7 vi7 ii7 V7"', '"Imaj7 vi7 ii7"', r'harmony\.major\.home\.0: "Imaj7 vi7 ii7" must have 4 bars'),
        ('"Imaj7 vi7 ii7 V7"', '"Cmaj7 vi7 ii7 V7"', r'harmony\.major\.home\.0: "Cmaj7" is not a chord; write .*'),
        ("bpm = [84, 176]", "bpm = [176, 84]", r"tempo\.bpm: the lower bound must come first"),
        ("bpm = [84, 176]", "bpm = [0, 176]", r"tempo\.bpm\.0: input should be greater than or equal to 20"),
        ("bpm = [84, 150]", "bpm = [84, 9000]", r"brief\.bpm\.1: input should be less than or equal to 300"),
        ("notes_a_second = [1.0", "notes_a_second = [nan", r"tune\.notes_a_second\.0: input should be a finite number"),
        ('bass = ["upright bass"]', 'bass = ["kazoo"]', r'instruments\.bass\.0: "kazoo" is not a known instrument.*'),
        ('"4/4" = 5, "3/4" = 1', '"4/4" = 0', r"form\.meters: one metre must have a chance above 0"),
        ('bass = ["upright bass"]', 'bass = ["flute"]', r'instruments: "flute" plays no bass'),
        ('brush = "x...', 'brush = "#...', r"drums\.grooves\.brushes: .*; # is for crashes"),
        ("reverb = 40", 'reverb = "wet"', r"mix\.reverb: input should be a valid integer.*"),
        ("reverb = 40", "reverb = 400", r"mix\.reverb: input should be less than or equal to 127"),
        ("reverb = 40", "revreb = 40", r"mix\.revreb is not a key of a style; .*"),
        ('rooms = ["club"', 'rooms = ["pub"', r'mix\.rooms\.0: "pub" is not a known room; .*'),
        ("levels = { lead = -4", "levels = { lead = 4", r"mix\.levels\.lead: input should be less than or equal to 0"),
        ("levels = { lead", "levels = { leed", r"mix\.levels\.leed.*: input should be 'lead', 'counter', .*"),
        ("swing = 0.3", 'swung = "thirds"', r"tempo\.swung: input should be 'eighths' or 'sixteenths'"),
        ("english = ['jazz\\w*'", "english = ['jazz(*'", r'words\.english\.0: "jazz\(\*" is not a regular exp.*'),
        ('korean = ["재즈", "스윙"]', "korean = []", r"words\.korean: .*at least 1 item.*"),
        ('scenes = ["city"', 'scenes = ["town"', r"picture\.scenes\.0: input should be 'animal', 'bird', .*"),
        ('genre = "jazz trio"', 'genre = "trio"', r"brief\.genre must contain jazz or one of words\.genres"),
        ("[mood]\n", "[moood]\n", r"moood is not a key of a style; .*"),
        ('last = "I6"\n', "", r"harmony\.major\.last is missing"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_file_is_a_sentence_with_file_key_and_what_is_allowed(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    assert old in JAZZ
    problems = problems_of(tmp_path, jazz=JAZZ.replace(old, new, 1))
    assert any(re.fullmatch(rf"jazz\.toml: {sentence}\.", problem) for problem in problems), problems


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, jazz=JAZZ.replace("reverb = 40", "reverb = 400"), auto=JAZZ, rag="menu =")
    assert [problem.partition(":")[0].partition(" ")[0] for problem in problems] == [
        "auto.toml",
        "rag.toml",
        "jazz.toml",
    ]


def test_a_harmony_as_in_no_style_is_a_mistake(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, piano=PIANO)
    assert "piano.toml: harmony.as_in names no style that has chords of its own." in problems
    (tmp_path / "cinematic.toml").write_text((FOLDER / "cinematic.toml").read_text(encoding="utf-8"), encoding="utf-8")
    styles = load(tmp_path)
    assert styles["piano"].harmony == styles["cinematic"].harmony


def test_menus_have_room_for_the_styles() -> None:
    assert offered_styles() == style_choices() == ("auto", *all_styles())
    assert len(style_choices()) <= MOST_CHOICES


def test_a_style_that_no_menu_can_show_is_a_sentence() -> None:
    with pytest.raises(Misconfigured, match=r"has no display name: add it to \[style\] in bot/i18n/locales/ko\.toml"):
        offered_styles(("auto", "tango"))
    with pytest.raises(
        Misconfigured, match="at most 24 styles, and melodify_core/styles has 25: remove 1 of its files"
    ):
        offered_styles(["auto"] * 26)


def test_a_new_style_is_one_file_and_its_two_display_names(tmp_path: Path) -> None:
    """What docs/adding-a-style.md says, done in a copy of the program."""
    for package in (bot, melodify_core):
        source = Path(package.__file__ or "").parent
        shutil.copytree(source, tmp_path / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    tango = JAZZ.replace('genre = "jazz trio"', 'genre = "tango trio"').replace(
        "['jazz\\w*', \"swing\"]", '["tangos?"]'
    )
    tango = tango.replace('["재즈", "스윙"]', '["탱고"]').replace('prompt = "jazz trio', 'prompt = "tango trio')
    (tmp_path / "melodify_core" / "styles" / "tango.toml").write_text(tango, encoding="utf-8")
    for language, name in NEW.items():
        catalogue = tmp_path / "bot" / "i18n" / "locales" / f"{language}.toml"
        text = catalogue.read_text(encoding="utf-8")
        catalogue.write_text(text.replace("[style]\n", f'[style]\ntango = "{name}"\n', 1), encoding="utf-8")
    (tmp_path / "picture.jpg").write_bytes(sunset())

    def run(*arguments: str) -> str:
        # The tests' own helpers come from here, the program from the copy.
        path = f"{tmp_path}:{Path(__file__).parents[2]}"
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env={"PYTHONPATH": path}, check=True, capture_output=True, text=True
        ).stdout

    found = json.loads(run("-c", FIND))
    assert found["read at import"] == 0
    assert (found["english"], found["korean"], found["genre"]) == ("tango", "tango", "tango")
    assert found["prompt"].startswith("Instrumental tango trio with piano")
    assert found["menu"]["tango"] == "Tango"
    assert found["song"] > 500
    song = json.loads(run("-m", "bot", "render", "picture.jpg", "--style", "tango", "--seconds", "10", "--json"))
    assert "tango" in json.dumps(song)
