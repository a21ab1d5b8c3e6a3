"""The text of an answer -> the fields of a reading, however a model has written them. normalising.py checks the values.

What is not JSON is read by json-repair: quotes, commas, comments and brackets that are wrong or missing. Here is only
what concerns our fields: which object counts, and what was thought aloud before it.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import json_repair

from melodify_core.captioners.openai.vocabulary import vocabulary

TRIES_TO_FIND = 64  # beginnings of an object that are tried in a long answer
# json-repair takes the square of a hostile text's length: 2 s for so many characters. The longest reading has half.
REPAIRED_CHARACTERS = 4_000
DEEPEST = 4  # of objects and texts within each other
ENOUGH = 4  # known fields make a reading of what is no proper JSON

_THOUGHT = r"(?:begin_of_|end_of_)?(?:seed:)?(?:think(?:ing)?|thoughts?|reasoning|reflection|scratchpad)"
_OPENED = re.compile(rf"<\|?{_THOUGHT}\|?>|\[THINK\]|◁think▷|<\|channel>", re.IGNORECASE)
_CLOSED = re.compile(rf"</{_THOUGHT}>|<\|end_of_{_THOUGHT}\|>|\[/THINK\]|◁/think▷|<channel\|>", re.IGNORECASE)
_CHANNEL = re.compile(r"<\|channel\|>\s*(\w*).{0,80}?<\|message\|>")
_START = re.compile(r'\{|"(?=\s*\{\s*\\)')  # of an object, or of a string with one
_KEY = re.compile(r"[^\w]|_")
# Full-width signs between two values, where JSON has its own.
_WIDE = re.compile(r"(?<=[\"”“」\d\]}e｝］])(\s*)([：，、])(?=\s*[\"“「\d\[{\-｛［tfn])")
_SIGNS = {"：": ":", "，": ",", "、": ","}
_QUOTES = str.maketrans("“”„‟«»", '""""""')
_BRACKETS = str.maketrans("｛｝［］", "{}[]")
# A title behind a colon, in bold or not, or in the next cell of a table.
_LINE = re.compile(r"^[\s>*#|\d.•-]*([^\W\d][\w ]{1,20}?)[\s*\"'`]*[:：|][\s*]*(\S.*?)[\s*|,]*$", re.MULTILINE)
_TYPES = frozenset(["string", "number", "integer", "array", "object", "boolean", "str", "int", "float", "list"])


def fields_of(text: str) -> dict[str, Any] | None:
    """Return the fields by their known names, None without any. Of several objects the last with most of them counts.

    Slow for hostile texts: call it in a thread.
    """
    text = without_thoughts(text)
    best, end = _written_properly(text)
    if len(best) >= ENOUGH and "{" not in text[end:]:
        return best
    repaired = _complete(_repaired(text), text)
    if len(repaired) >= max(ENOUGH, len(best)):
        return repaired
    return best or _lines(text) or None


def without_thoughts(text: str) -> str:
    """Return what follows the thoughts; nothing where a model thought until its tokens ended."""
    channels = list(_CHANNEL.finditer(text))
    if channels:
        final = [channel for channel in channels if channel[1] == "final"]
        text = text[final[-1].end() :].partition("<|")[0] if final else ""
    closed = list(_CLOSED.finditer(text))
    text = text[closed[-1].end() :] if closed else text
    opened = _OPENED.search(text)
    return text[: opened.start()] if opened else text


def _written_properly(text: str) -> tuple[dict[str, Any], int]:
    """Return the best fields of the JSON in a text, and where they end."""
    best: dict[str, Any] = {}
    best_end = position = 0
    decoder = json.JSONDecoder(strict=False)
    for _ in range(TRIES_TO_FIND):
        start = _START.search(text, position)
        if start is None:
            break
        try:
            found, position = decoder.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            position = start.end()
            continue
        fields = _flat(found)
        if fields and len(fields) >= len(best):
            best, best_end = fields, position
    return best, best_end


def _repaired(text: str) -> dict[str, Any]:
    """Return the fields of what json-repair makes of the text's end."""
    text = text[-REPAIRED_CHARACTERS:]
    text = text[max(0, text.translate(_BRACKETS).find("{")) :]
    found = _flat(_mended(text))
    plain = _WIDE.sub(lambda sign: sign[1] + _SIGNS[sign[2]], text).translate(_BRACKETS)
    plain = plain if '"' in plain else plain.translate(_QUOTES)
    other = _flat(_mended(plain)) if plain != text else {}
    return other if len(other) >= len(found) else found


def _mended(text: str) -> object:
    try:
        return json_repair.loads(text)
    except (ValueError, RecursionError):
        return None


def _complete(fields: dict[str, Any], text: str) -> dict[str, Any]:
    """Return the fields without a last number that was cut off in its middle."""
    if fields and text.rstrip()[-1:].isdigit() and isinstance(fields[list(fields)[-1]], (int, float)):
        fields.popitem()
    return fields


def _flat(value: object, depth: int = 0) -> dict[str, Any]:
    """Return the known fields of a value and of what is within it: under other names, in lists, encoded again."""
    if depth > DEEPEST:
        return {}
    if isinstance(value, str):
        return _flat(_mended(value[:REPAIRED_CHARACTERS]), depth + 1) if "{" in value else {}
    if isinstance(value, list):
        return _best(_flat(each, depth + 1) for each in value)
    if not isinstance(value, dict):
        return {}
    # The names that were asked for count more than others with the same meaning.
    ordered = sorted(value.items(), key=lambda item: item[0] in vocabulary().fields.values())
    named = [(_name(key), each) for key, each in ordered]
    fields: dict[str, Any] = {}
    for name, each in named:
        if not name:
            fields |= _flat(each, depth + 1)
    return fields | {name: each for name, each in named if name and _tells(each)}


def _best(found: Iterable[dict[str, Any]]) -> dict[str, Any]:
    best: dict[str, Any] = {}
    for fields in found:
        best = fields if len(fields) >= len(best) else best
    return best


def _name(key: object) -> str:
    """Return the field that a key means, such as "BPM" or "Tempo", else ""."""
    return vocabulary().fields.get(_KEY.sub("", str(key)).casefold(), "")


def _tells(value: object) -> bool:
    """Return whether a value is one: not a type, a placeholder or a piece of a schema."""
    if isinstance(value, str):
        return any(map(str.isalnum, value)) and value.casefold() not in _TYPES
    if isinstance(value, dict):
        return "type" not in value and any(map(_tells, value.values()))
    return value is not None and (not isinstance(value, list) or any(map(_tells, value)))


def _lines(text: str) -> dict[str, Any]:
    """Return the fields of a text with one field a line, of which there must be enough."""
    fields = dict(_named_lines(text))
    return fields if len(fields) >= ENOUGH else {}


def _named_lines(text: str) -> Iterator[tuple[str, str]]:
    for line in _LINE.finditer(text[-REPAIRED_CHARACTERS:]):
        if (name := _name(line[1])) and _tells(line[2]):
            yield name, line[2].strip("\"'` ")
