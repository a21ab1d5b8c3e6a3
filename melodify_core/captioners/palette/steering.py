"""Hint -> Steering: the words that the captioner knows, in English and Korean. Unknown words are ignored."""

import re
from dataclasses import dataclass

from melodify_core.models import Mode

# English words with their endings, Korean stems, and what they add to valence and arousal.
_MOODS: tuple[tuple[str, str, float, float], ...] = (
    (r"happ(?:y|ier|iness)|cheer(?:y|ful)|joy(?:ful|ous)?|glad|sunny|uplifting|bright(?:er)?|playful|fun",
     "행복|기쁜|기쁘|기쁨|즐거|밝은|밝게|명랑|유쾌|발랄", 0.6, 0.2),
    (r"sad(?:der|ness)?|melanchol\w+|sorrow\w*|gloomy|lonely|tragic|heartbreak\w*|depress\w+",
     "슬픈|슬프|슬픔|우울|쓸쓸|외로|애절|구슬픈|눈물", -0.7, -0.25),
    (r"calm\w*|quiet\w*|peace(?:ful)?|gentle|soft(?:er|ly)?|relax\w*|chill|sleepy|serene|sooth\w+|mellow",
     "잔잔|조용|차분|평화|편안|고요|부드러|나른", 0.15, -0.6),
    (r"fast(?:er)?|quick(?:er)?|energetic|lively|excit\w+|driving|upbeat|powerful|intense|wild",
     "빠른|빠르|빨리|신나|신난|경쾌|활기|강렬|격렬|힘찬|역동", 0.1, 0.6),
    (r"slow(?:er|ly)?|lazy", "느린|느리|느릿|천천히|느긋", 0.0, -0.6),
    (r"dark(?:er)?|scary|spooky|ominous|eerie|creepy|horror|evil",
     "어두운|어둡|어둠|무서|무섭|으스스|음산|불길", -0.6, 0.1),
    (r"tense|suspense\w*|anxious|angry|aggressive", "긴장|불안|화난|분노", -0.5, 0.6),
    (r"dreamy|ethereal|floating", "몽환|꿈결|꿈같", 0.1, -0.4),
    (r"warm(?:er|th)?|romantic|tender|lovely|love|cozy|cosy", "따뜻|따듯|따스|포근|로맨틱|사랑|설레", 0.5, -0.1),
    (r"epic|grand|heroic|majestic", "웅장|장엄|비장", 0.0, 0.4),
)  # fmt: skip
_STYLES: dict[str, tuple[str, str]] = {
    "lofi": (r"lo-?\s?fi|hip-?\s?hop", "로파이|힙합"),
    "ambient": (r"ambient|drones?|meditat\w+", "앰비언트|명상"),
    "cinematic": (r"cinematic|orchestra\w*|epic|film|movie|soundtrack", "시네마틱|영화|오케스트라|관현악|웅장|장엄"),
    "jazz": (r"jazz\w*|swing", "재즈|스윙"),
    "bossa": (r"bossa(?: ?nova)?|samba|latin", "보사 ?노바|삼바|라틴"),
    "korean": (
        r"korean traditional|traditional korean|gugak|janggu",
        "국악|한국풍|한국 ?전통|전통 ?음악|풍물|판소리|사물놀이|(?<![가-힣])장구(?!한)",
    ),
    "rock": (r"rock|metal|punk", "(?<![가-힣])[록락](?:으로|풍)?(?![가-힣])|[록락] ?음악|메탈|펑크 ?록"),
    "funk": (r"funk\w*|soul", "펑키|훵크|소울"),
    "reggae": (r"reggae|dub|ska", "레게"),
    "chiptune": (r"chip-?tunes?|8-?\s?bit|arcade|video ?games?", "칩튠|8비트|오락실|게임 ?음악"),
    "folk": (r"folk|acoustic|country", "포크|어쿠스틱|컨트리"),
    "synthwave": (r"synth-?wave|retro|80s|cyberpunk|vaporwave", "신스웨이브|레트로|사이버펑크"),
    "house": (r"house|edm|techno|disco|club|dance", "하우스|테크노|디스코|클럽|댄스"),
    # The last: "jazz piano" is jazz.
    "piano": (r"piano", "피아노"),
}
_INSTRUMENTS: dict[str, tuple[str, str]] = {
    "grand piano": (r"(?<!electric )piano", "피아노"),
    "electric piano": (r"electric piano|rhodes", "일렉트릭 피아노|전자 피아노"),
    "electric guitar": (r"electric guitar", "일렉 ?기타|전자 기타"),
    "acoustic guitar": (r"(?<!electric )guitars?", r"(?<!일렉)(?<!일렉 )(?<!전자 )기타"),
    "violin": (r"violins?|fiddle", "바이올린"),
    "viola": (r"violas?", "비올라"),
    "cello": (r"cellos?", "첼로"),
    "string ensemble": (r"strings", "현악|스트링"),
    "flute": (r"(?<!bamboo )flutes?", "플루트|피리"),
    "bamboo flute": (r"bamboo flutes?|daegeum", "(?<![가-힣])대금"),
    "clarinet": (r"clarinets?", "클라리넷"),
    "oboe": (r"oboes?", "오보에"),
    "saxophone": (r"sax(?:ophones?)?", "색소폰"),
    "trumpet": (r"trumpets?", "트럼펫"),
    "french horn": (r"(?:french )?horns?", "호른"),
    "harp": (r"harps?", "하프"),
    "organ": (r"organ", "오르간"),
    "accordion": (r"accordion", "아코디언"),
    "harmonica": (r"harmonica", "하모니카"),
    "vibraphone": (r"vibraphone|vibes", "비브라폰"),
    "marimba": (r"marimba", "마림바"),
    "music box": (r"music box", "오르골|뮤직 ?박스"),
    "celesta": (r"celesta", "첼레스타"),
    "kalimba": (r"kalimba", "칼림바"),
    "gayageum": (r"gayageum", "가야금"),
    "haegeum": (r"haegeum", "해금"),
    "koto": (r"koto", "고토"),
    "choir": (r"choir", "합창"),
    "upright bass": (r"upright bass|double bass|contrabass", "콘트라베이스|더블 ?베이스"),
    "electric bass": (r"(?<!upright )(?<!double )bass", r"(?<!콘트라)(?<!더블)(?<!더블 )베이스"),
    "saw lead": (r"synth(?:s|esi[sz]ers?)?", "신스(?!웨이브)|신시사이저"),
    "drum kit": (r"drums?", "드럼"),
}
_MODES: dict[Mode, tuple[str, str]] = {
    "major": (r"major(?: key)?", "장조|메이저"),
    "minor": (r"minor(?: key)?", "단조|마이너"),
}
# "140 bpm", "140 비트" ("8비트" and "16비트" are sounds), "tempo 140", "템포는 140".
_BPM = re.compile(
    r"(?<!\d)(?:(\d{2,3})\s*(?:bpm|비피엠)|([4-9]\d|\d{3})\s*(?:비트|beats|tempo|템포))"
    r"|(?:bpm|비피엠|tempo|템포)(?:\s*(?:of|at|is|[는은를을:=]))?\s*(\d{2,3})(?!\d)"
)
# "no drums", "not too sad"; "드럼 없이", "슬프지 않은", "안 슬픈".
_NO_BEFORE = re.compile(
    r"(?:\b(?:no|not|without|never|less|avoid|isn't|don't)\s+(?:too |so |very |any |the |an? )?|(?:^|\s)(?:안|덜)\s)$"
)
_NO_AFTER = re.compile(r"^[가-힣]{0,3}\s?(?:없|말고|빼고|않|아닌|아니|제외)")
SLOWEST, FASTEST = 60, 150


@dataclass(frozen=True, slots=True)
class Steering:
    """The wishes of a hint. The shifts are in the units of Feeling."""

    valence: float = 0.0
    arousal: float = 0.0
    style: str | None = None
    instruments: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    mode: Mode | None = None
    bpm: int | None = None


def steering_of(hint: str) -> Steering:
    """Return the wishes of the hint's known words; a negated word ("no drums", "드럼 없이") is a wish against it."""
    text = hint.casefold()
    moods = [(valence, arousal) for english, korean, valence, arousal in _MOODS if _asked(text, english, korean)]
    styles = [style for style, words in _STYLES.items() if _asked(text, *words)]
    modes = [mode for mode, words in _MODES.items() if _asked(text, *words)]
    tempo = _BPM.search(text)
    return Steering(
        valence=sum(valence for valence, _ in moods),
        arousal=sum(arousal for _, arousal in moods),
        style=styles[0] if styles else None,
        instruments=tuple(name for name, words in _INSTRUMENTS.items() if _asked(text, *words)),
        without=tuple(name for name, words in _INSTRUMENTS.items() if _asked(text, *words, denied=True)),
        mode=modes[0] if len(modes) == 1 else None,
        bpm=max(SLOWEST, min(FASTEST, int(tempo[tempo.lastindex or 0]))) if tempo else None,
    )


def _asked(text: str, english: str, korean: str, *, denied: bool = False) -> bool:
    """Return whether one of the words is in the text, negated with `denied`, else not negated."""
    words = re.finditer(rf"\b(?:{english})\b|(?:{korean})", text)
    return any(_denied(text, word) == denied for word in words)


def _denied(text: str, word: re.Match[str]) -> bool:
    return bool(_NO_BEFORE.search(text[: word.start()]) or _NO_AFTER.match(text[word.end() :]))
