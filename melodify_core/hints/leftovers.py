"""What a phrase says beside the words that were found in it: it must not get lost without a word."""

import re
from collections.abc import Iterator, Sequence

from melodify_core.hints.words import Found

# Words around a wish that say nothing alone, and what greets or thanks.
_FILLERS = re.compile(
    r"(?<![a-z])(?:please|pls|plz|make|it|sound|sounds|like|a|an|the|some|something|music|song|track|tune|vibes?|"
    r"feeling?|style|mood|for|me|my|of|in|to|i|want|would|could|you|can|really|very|more|just|kind|sort|with|and|"
    r"be|is|this|that|but|so|bit|little|thanks?|thank|tempo)(?![a-z])|템포|노래|음악|느낌|분위기|스타일|감성|풍|같은|처럼|으로|해줘|"
    r"해 ?주세요|만들어 ?줘|만들어 ?주세요|좀|조금|아주|정말|진짜|너무|더|[\s\W_]+"
)
# Around what is wished for these say nothing that music could: function words, light verbs, time and place.
_EMPTY_LATIN = frozenset(
    re.findall(
        r"\w+",
        """
        aber about above across after afternoon again against alla alle along also always amid among around
        atmosphere auch avec away back background beat beats because been before behind beim being below
        beneath beside between beyond bien both bring brings canción chanson class como cool cosa could
        dancing dans days degli della delle desde does doing down drop dropped during each eine einem einen
        einer else entre esta este está even ever every everything fall falling feel feelings feels find
        first from full gave gets getting give gives goes going gone good great hacia have having hear heard
        hearing help here hers high highly hour hours inside instead instrumental into keep keeper keeps
        know lets lieder listen listening long looking lots made makes making many maybe minute minutes much
        musica musik musique must música need needs nella never nice none ohne once only onto other ours
        outside over para pass passed perhaps pero piece place play played playing plays pour quiero quite
        really record ride same section sans second seconds should since sing singing slightly small sobre soft
        solo something somewhere song songs sont sort soundtrack sous still sulla sung take takes tempo than that
        their them theme then there these they thing things this those through time times toward towards
        tune tunes turn under until upon using version voll walk walking walks want wants watching were what
        when where which while whole will wish within without work would your
        anything bitte favor nothing plus rather surtout veux voudrais
        monday tuesday wednesday thursday friday saturday sunday weekend today sitting friend friends
        """,
    )
)
_EMPTY_KOREAN = re.compile(
    r"(?:[월화수목금토일]요일|주말|오는|오던|온|내리는|내린|지는|지던|들리는|들려주고|들려주는|들으며|들으면서|듣기|듣는|듣고|들을|좋은|좋게|싶은|싶어|싶다|되는|"
    r"되게|있는|있게|있고|같고|같은|같이|같아|나올|나오는|나는|넘치는|빛나는|낀|부는|치는|흐르는|걷는|걷고|걸으며|걸으면서|떠다니는|"
    r"혼자서?|가득한|가득|어울리는|맞는|하는|하며|하면서|했던|할|때|것|듯한?|기분|생각|모습|풍경|배경|소리|노래|음악|곡|길이|"
    r"시간|이야기|오래된|힘들|그런|이런|저런|그냥|약간|살짝|완전|되게|매우|많이|많은|넣어줘?|넣고|빼고|뺀|빼줘?|없이|없는|말고|"
    r"대신|위|속|앞|옆|안|밖|아래|뒤|날|한|하게|하고|하다|해서|스럽게|스러운|적인|적으로|느린|템포|비트|버전|장면|순간|보며|보면서|보는|"
    r"길|산책|우리|나의|내|제|그|이|저|오늘|어제|모든|어떤|울리는|불어오는|만들어|주세요|부탁|해요?|줘요?|그랜드|합주|세트|섹션|일렉트릭|박자|잡음|"
    r"절대로?|전혀|별로|그렇게|좋겠[가-힣]*|좋지만|싫[가-힣]*|하지만?|아니[가-힣]*|짜리)"
)
_ENDING = re.compile(
    r"(?:에서의|에서|에게|에는|에도|으로|한테|이랑|처럼|까지|부터|하고|하며|하면서|하게|하는|했던|인|의|을|를|이|가|은|는|에|로|와|과|랑|"
    r"도|만|고|게|요|용)+$"
)
_WORD = re.compile(r"[가-힣]+|[ァ-ヶー]+|[^\W\d_가-힣ァ-ヶー]+(?:['’][^\W\d_가-힣ァ-ヶー]+)*")
_KATAKANA = re.compile("[ァ-ヶー]{2,}")
_EMPTY_KATAKANA = frozenset(
    (
        "ミュージック",
        "ソング",
        "メロディ",
        "メロディー",
        "テンポ",
        "スタイル",
        "サウンド",
        "イメージ",
        "ムード",
        "ビート",
    )
)
_HANGUL = re.compile("[가-힣]")
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
LEAST_HANGUL, LEAST_LATIN = 2, 4


def telling(phrase: str) -> bool:
    """Return whether a phrase is more than greetings and words around a wish."""
    return bool(_FILLERS.sub("", phrase))


def leftovers(text: str, start: int, end: int, words: Sequence[Found]) -> Iterator[tuple[int, int]]:
    """Yield where in a phrase there are words that say something and were not found; neighbours are one.

    Scripts without spaces are left out, but for katakana: what stands beside a word there is mostly grammar.
    """
    rest = list(text[start:end])
    for word in words:
        for place in range(max(word.start, start), min(word.end, end)):
            rest[place - start] = "\0"
    shown = "".join(rest)
    runs: list[tuple[int, int]] = []
    for match in _WORD.finditer(shown):
        attached = "\0" in shown[max(match.start() - 1, 0) : match.start()]
        if not _tells(match[0], attached=attached):
            continue
        if runs and not shown[runs[-1][1] : match.start()].strip():
            runs[-1] = runs[-1][0], match.end()
        else:
            runs.append(match.span())
    yield from ((start + first, start + last) for first, last in runs)


def _tells(word: str, *, attached: bool) -> bool:
    """Return whether a word asks for something; `attached` ones may be the ending of the word before."""
    if _KATAKANA.fullmatch(word):
        return word not in _EMPTY_KATAKANA
    if _UNSPACED.search(word) or not telling(word):
        return False
    if not _HANGUL.search(word):
        return len(word) >= LEAST_LATIN and word not in _EMPTY_LATIN and not attached
    stem = _ENDING.sub("", word)
    empty = _EMPTY_KOREAN.fullmatch(word) or _EMPTY_KOREAN.fullmatch(stem)
    return len(stem) >= LEAST_HANGUL and not empty and telling(stem)
