"""The Korean words for what is seen: said outright where it is sure, hedged where it is likely."""

from random import Random

from melodify_core.captioners.palette.scenery import Scene

# Nouns for sentences; for titles too where _TITLES has no other.
THINGS: dict[str, str] = {
    "accordion": "아코디언", "aeroplane": "비행기", "airship": "비행선", "animal": "동물", "antelope": "영양",
    "ape": "유인원", "arch": "커다란 아치", "balloon": "열기구", "banjo": "밴조", "barn": "헛간", "bassoon": "바순",
    "bear": "곰", "bed": "침대", "beer": "맥주", "bicycle": "자전거", "big cat": "맹수", "bird": "새", "boat": "배",
    "boathouse": "물가의 집", "bread": "빵", "breakwater": "방파제", "bridge": "다리", "building": "건물",
    "burger": "햄버거", "bus": "버스", "butterfly": "나비", "camel": "낙타", "camera": "카메라", "candle": "촛불",
    "car": "자동차", "castle": "성", "cat": "고양이", "cello": "첼로", "chair": "의자", "church": "교회",
    "city": "도시 풍경", "cliff": "절벽", "clock": "시계", "coffee": "커피 한 잔", "computer": "컴퓨터",
    "coral reef": "산호초", "cottage": "초가지붕 집", "cow": "소", "crab": "게", "crane": "공사장 기중기",
    "crocodile": "악어", "cup": "컵", "dam": "댐", "dessert": "디저트", "dish": "음식 한 접시", "diver": "잠수부",
    "dog": "개", "dog sled": "개 썰매", "dome": "둥근 지붕", "drum": "북", "duck": "오리나 거위", "elephant": "코끼리",
    "fish": "물고기", "flamingo": "홍학", "flower": "꽃", "flute": "플루트", "food": "먹을거리", "forest": "숲",
    "fountain": "분수", "fox": "여우", "french horn": "호른", "frog": "개구리", "fruit": "과일",
    "furniture": "실내 가구",
    "greenery": "푸른 잎", "greenhouse": "온실", "guitar": "기타", "hamster": "작은 설치류", "harbour": "항구",
    "harmonica": "하모니카", "harp": "하프", "hippopotamus": "하마", "horse": "말", "ice cream": "아이스크림",
    "insect": "곤충", "instrument": "악기", "jellyfish": "해파리", "lakeside": "호숫가", "lamp": "등불",
    "library": "책",
    "lizard": "도마뱀", "llama": "라마", "lobster": "바닷가재", "machine": "기계", "marimba": "마림바",
    "monastery": "수도원", "monkey": "원숭이", "mosque": "모스크", "motorbike": "오토바이", "mountain": "산악 풍경",
    "mountains": "산", "mushroom": "버섯", "oboe": "오보에", "organ": "오르간", "owl": "부엉이", "pagoda": "탑",
    "palace": "궁전", "panda": "판다", "parachute": "낙하산", "parrot": "앵무새", "penguin": "펭귄", "people": "사람들",
    "piano": "피아노", "pier": "잔교", "pig": "돼지", "pizza": "피자", "plane": "하늘을 나는 것", "rabbit": "토끼",
    "radio": "오디오 기기", "rapeseed": "유채밭", "restaurant": "식당", "rocket": "로켓", "rooster": "닭",
    "sailing boat": "돛단배", "saxophone": "색소폰", "sea": "바다 풍경", "sea lion": "바다사자", "seashore": "바닷가",
    "sewing machine": "재봉틀", "sheep": "양이나 염소", "ship": "배", "shop": "가게", "snail": "달팽이", "snake": "뱀",
    "snow": "눈밭", "sofa": "소파", "spider": "거미", "squirrel": "다람쥐", "stage": "무대", "starfish": "불가사리",
    "street": "거리", "swan": "백조", "table": "식탁", "teapot": "찻주전자", "telephone": "전화기", "tractor": "농기계",
    "train": "기차", "tram": "노면 전차", "trombone": "트롬본", "truck": "트럭", "trumpet": "트럼펫", "turtle": "거북",
    "typewriter": "타자기", "vegetables": "채소", "vehicle": "탈것", "violin": "바이올린", "volcano": "화산",
    "water": "물가 풍경", "whale": "고래", "wine": "와인", "winter sport": "설원의 겨울 스포츠", "wolf": "늑대",
    "yurt": "천막집", "zebra": "얼룩말",
}  # fmt: skip
# What a title says instead of the noun of a sentence.
_TITLES: dict[str, str] = {
    "aeroplane": "비행", "animal": "생명", "arch": "아치", "bed": "단잠", "beer": "건배", "big cat": "야생",
    "boat": "뱃길", "boathouse": "물가", "bridge": "다리 풍경", "bus": "버스 여행", "camel": "사막길",
    "car": "드라이브", "castle": "성채", "chair": "자리", "city": "도시", "coffee": "커피 향기",
    "computer": "자판 소리", "cottage": "초가집", "cow": "목장", "crab": "집게발", "crane": "공사장", "cup": "한 잔",
    "dish": "저녁 식탁", "dog sled": "썰매", "dome": "돔", "drum": "북소리", "duck": "연못", "flower": "꽃송이",
    "food": "한 끼", "furniture": "방 안", "greenery": "잎사귀", "hamster": "보금자리", "hippopotamus": "강가",
    "horse": "말발굽", "insect": "날갯짓", "instrument": "연주", "library": "책장", "machine": "기계 소리",
    "motorbike": "질주", "mountain": "산자락", "mountains": "산봉우리", "people": "모임", "plane": "하늘길",
    "radio": "라디오", "sailing boat": "돛", "sea": "바다", "sewing machine": "바느질", "sheep": "양 떼",
    "ship": "항해", "snow": "설원", "spider": "거미줄", "telephone": "통화", "tractor": "들녘", "train": "기차 여행",
    "truck": "먼 길", "vegetables": "텃밭", "vehicle": "여정", "water": "물가", "wine": "와인 한 잔",
    "winter sport": "설원", "yurt": "초원",
}  # fmt: skip
# By the number of faces, with the noun for a title: of two people one may look away, so they are not counted.
PEOPLE = (("사람", "초상"), ("사람들", "모임"), ("여러 사람", "모임"))
# Where a particle stands between bars, the one after a final consonant comes first.
_SURE = (
    "사진 속에 {thing}|이|가| 보여요.",
    "{thing}|을|를| 담은 사진이에요.",
    "사진에 {thing}|이|가| 담겨 있어요.",
    "사진에서 {thing}|을|를| 볼 수 있어요.",
)
_LIKELY = (
    "{thing}|을|를| 찍은 사진 같아요.",
    "아마 {thing}|이|가| 아닐까 해요.",
    "어쩌면 {thing}|일지도|일지도| 몰라요.",
    "{thing}|처럼|처럼| 보이기도 해요.",
)
_NIGHT = (" 밤인 듯해요.", " 아마 밤에 찍은 모양이에요.")
_FIRST_SYLLABLE, _FINALS, _RIEUL = 0xAC00, 28, 8


def statement(scene: Scene, random: Random) -> str:
    """Return one or two sentences on the scene, "" where nothing was recognised."""
    if scene.kind is None:
        return ""
    start, after_final, after_vowel, end = random.choice(_SURE if scene.certainty == "sure" else _LIKELY).split("|")
    thing = _words(scene)[0]
    particle = particle_after(thing, after_final, after_vowel)
    return start.format(thing=thing) + particle + end + (random.choice(_NIGHT) if scene.night else "")


def title_noun(scene: Scene) -> str:
    """Return the noun for a title, "" where the scene is not certain."""
    return _words(scene)[1] if scene.certainty == "sure" else ""


def particle_after(word: str, after_final: str, after_vowel: str) -> str:
    """Return the particle that follows a word in Hangul, by its last syllable's final consonant; ㄹ takes 로."""
    final = (ord(word[-1]) - _FIRST_SYLLABLE) % _FINALS
    return after_vowel if final == 0 or (final == _RIEUL and after_final == "으로") else after_final


def _words(scene: Scene) -> tuple[str, str]:
    if scene.people:
        return PEOPLE[scene.people - 1]
    name = scene.subject or scene.kind or ""
    return THINGS[name], _TITLES.get(name, THINGS[name])
