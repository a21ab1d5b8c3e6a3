"""What a text of the catalogues may ask of a value: a plural form, or the Korean particle that its last letter takes.

"{songs} {songs:song|songs}" chooses a word by the number, "{name:을/를}" adds the particle to the name, and
"{millions:만}" counts as Koreans do, in ten thousands.
"""

import re
import string
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from gettext import c2py
from typing import Any

from melodify_core.models import Language

# As in the header Plural-Forms of gettext: gnu.org/software/gettext/manual/html_node/Plural-forms.html
PLURAL_FORMS: Mapping[Language, str] = {"en": "n != 1", "ko": "0"}
# After a consonant, and after a vowel.
PARTICLES = {"은/는", "이/가", "을/를", "과/와", "으로/로"}
# The letters and digits whose Korean names end in a consonant: 엘, 엠, 엔, 알; 영, 일, 삼, 육, 칠, 팔. In "Jazz" and
# "MP3" the name of the last sign decides; an English word that is read otherwise is rare enough.
CLOSED, ENDS_IN_RIEUL = "lmnr013678", "lr178"
SYLLABLES, FINALS, RIEUL = 0xAC00, 28, 8  # unicode.org/versions/latest, "Hangul Syllable Decomposition"


class Grammar(string.Formatter):
    """Inserts values into texts of one language."""

    def __init__(self, language: Language) -> None:
        self._form: Callable[[int], int] = c2py(PLURAL_FORMS[language])

    def format_field(self, value: Any, format_spec: str) -> str:
        """Return the value for "a|b", "을/를" or "만" as the module says, else what Python's format returns."""
        if "|" in format_spec:
            forms = format_spec.split("|")
            return forms[self._form(int(value))]
        if format_spec in PARTICLES:
            return with_particle(str(value), format_spec)
        if format_spec == "만":
            return f"{round(value * 100):,}만"
        return str(super().format_field(value, format_spec))


@cache
def grammar_of(language: Language) -> Grammar:
    """Return the language's grammar."""
    return Grammar(language)


def with_particle(word: str, pair: str) -> str:
    """Return the Korean word with that particle of the pair, such as "으로/로", that its last letter takes."""
    closed, open_ = pair.split("/")
    # A remark in brackets and Markdown's marks are not spoken.
    spoken = re.sub(r"\([^)]*\)\W*$", "", unicodedata.normalize("NFC", word))
    letters = [letter for letter in spoken if letter.isalnum()]
    last = letters[-1].casefold() if letters else ""
    final = (ord(last) - SYLLABLES) % FINALS if "가" <= last <= "힣" else -1
    ends_closed, rieul = (final > 0, final == RIEUL) if final >= 0 else (last in CLOSED, last in ENDS_IN_RIEUL)
    takes_closed = bool(last) and ends_closed and not (pair == "으로/로" and rieul)
    return word + (closed if takes_closed else open_)
