"""The Korean words of the palette: titles of at most 40 characters, captions of at most 300. No Latin letters."""

from random import Random

from melodify_core.captioners.palette.feeling import Mood
from melodify_core.captioners.palette.korean_scenes import statement, title_noun
from melodify_core.captioners.palette.notable import Tone, light_place, named_colours, notable, tone
from melodify_core.captioners.palette.reading import Reading
from melodify_core.captioners.palette.scenery import UNKNOWN, Scene

# Per colour: as a noun in a sentence, then as adjectives for titles, which all end in 빛.
COLOURS: dict[str, tuple[str, ...]] = {
    "black": ("검은색", "먹빛", "칠흑빛"),
    "charcoal": ("먹색", "숯빛", "흑연빛"),
    "grey": ("회색", "잿빛", "회색빛"),
    "silver": ("은회색", "은빛", "은회색빛"),
    "white": ("흰색", "하얀빛", "우윳빛"),
    "cream": ("크림색", "상앗빛", "크림빛"),
    "beige": ("베이지색", "모랫빛", "베이지빛"),
    "brown": ("갈색", "갈색빛", "흙빛"),
    "rust": ("적갈색", "구릿빛", "적갈색빛"),
    "red": ("빨간색", "붉은빛", "다홍빛"),
    "crimson": ("검붉은색", "검붉은빛", "석류빛"),
    "coral": ("산호색", "산홋빛", "살굿빛"),
    "orange": ("주황색", "주황빛", "귤빛"),
    "amber": ("호박색", "호박빛", "꿀빛"),
    "yellow": ("노란색", "노란빛", "황금빛"),
    "olive": ("올리브색", "올리브빛", "이끼빛"),
    "lime": ("연두색", "연둣빛", "새싹빛"),
    "green": ("초록색", "초록빛", "풀빛"),
    "forest": ("진녹색", "짙은 초록빛", "솔빛"),
    "teal": ("청록색", "청록빛", "공작빛"),
    "mint": ("민트색", "박하빛", "옥빛"),
    "sky": ("하늘색", "하늘빛", "연푸른빛"),
    "blue": ("파란색", "푸른빛", "파란빛"),
    "navy": ("남색", "남빛", "쪽빛"),
    "lavender": ("연보라색", "연보랏빛", "라벤더빛"),
    "violet": ("보라색", "보랏빛", "제비꽃빛"),
    "plum": ("자두색", "자줏빛", "자둣빛"),
    "magenta": ("진분홍색", "진분홍빛", "꽃분홍빛"),
    "pink": ("분홍색", "분홍빛", "장밋빛"),
}
_NOUNS: dict[Mood, tuple[str, ...]] = {
    "content": ("오후", "온기", "귀갓길", "편지", "쉼표", "노래", "일요일", "난롯가"),
    "joyful": ("축제", "회전목마", "휴일", "웃음", "나들이", "환호", "꽃가루", "공중제비"),
    "excited": ("질주", "불꽃", "두근거림", "맥박", "열기", "폭주", "전력 질주", "점화"),
    "tense": ("소용돌이", "긴장", "경고음", "뒤척임", "술렁임", "파열음", "초읽기", "균열"),
    "sombre": ("그림자", "무게", "탄식", "작별", "침묵", "잔불", "중력", "진혼곡"),
    "melancholic": ("야상곡", "여운", "그리움", "독백", "외로움", "먼 길", "회상", "밤공기"),
    "still": ("고요", "정적", "숨결", "멈춤", "잠", "적막", "겨울잠", "쉼"),
    "serene": ("평온", "백일몽", "자장가", "산책", "느린 호흡", "휴식", "느린 물결", "열린 창"),
    "balanced": ("간주곡", "습작", "서곡", "소품", "스케치", "길목", "문턱", "건널목"),
}
_TITLES = ("{colour} {noun}", "{colour} {noun}", "{colour} 속의 {noun}", "{colour}으로 물든 {noun}")
_TONES: dict[Tone, tuple[str, ...]] = {
    "dark": ("어두운", "어둑한"),
    "muted": ("차분한", "은은한"),
    "pale": ("밝은", "옅은 톤의"),
    "bright": ("밝은", "화사한"),
    "plain": ("",),
}
# Before a word on the light, and without one.
_OPENINGS = (
    ("{tone} 화면에 {colours}이 어우러져 있고, {light}.", "{tone} 화면에 {colours}이 어우러져 있어요."),
    ("{colours}이 {tone} 화면을 채우고, {light}.", "{colours}이 {tone} 화면을 채워요."),
    ("{colours}으로 물든 {tone} 화면이에요. {light}.", "{colours}으로 물든 {tone} 화면이에요."),
)
_WHOLE = (
    ("{tone} 화면이 거의 {colours} 하나로 가득하고, {light}.", "{tone} 화면이 거의 {colours} 하나로 가득해요."),
    ("화면 끝에서 끝까지 {tone} {colours}이 펼쳐지고, {light}.", "화면 끝에서 끝까지 {tone} {colours}이 펼쳐져요."),
    ("거의 {colours}만으로 채운 {tone} 화면이에요. {light}.", "거의 {colours}만으로 채운 {tone} 화면이에요."),
)
_LIGHT: dict[str, tuple[str, ...]] = {
    "above": ("위쪽이 가장 환해요", "빛이 위쪽에 모여 있어요"),
    "below": ("아래쪽이 가장 환해요", "빛이 아래쪽에 고여 있어요"),
    "left": ("왼쪽이 더 환해요", "왼쪽이 한결 밝아요"),
    "right": ("오른쪽이 더 환해요", "오른쪽이 한결 밝아요"),
    "centre": ("한가운데가 가장 환해요", "빛이 한가운데에 모여 있어요"),
    "even": ("빛은 고르게 퍼져 있어요", "밝기가 어디나 비슷해요"),
}
_NOTABLE: dict[str, tuple[str, ...]] = {
    "accent": ("한곳에 모인 {accent}이 눈길을 끌어요", "{accent} 한 점이 또렷하게 돋보여요"),
    "line high": ("위쪽에 가로선 하나가 길게 지나가요", "수평으로 뻗은 선이 위쪽을 나눠요"),
    "line middle": ("가로선 하나가 화면을 반으로 나눠요", "수평으로 뻗은 선이 한가운데를 지나가요"),
    "line low": ("아래쪽에 가로선 하나가 길게 지나가요", "수평으로 뻗은 선이 아래쪽을 나눠요"),
    "mirrored": ("왼쪽과 오른쪽이 거울처럼 닮았어요", "좌우가 서로를 비추듯 마주 보고 있어요"),
    "bare": ("다른 모양은 아무것도 없어요", "무늬 하나 없이 매끈해요"),
    "empty": ("무늬 없이 넓은 면이 많아요", "대부분이 여백처럼 단순해요"),
    "crowded": ("자잘한 결이 화면을 빼곡히 채워요", "구석구석까지 세밀한 결로 가득해요"),
    "upright": ("곧게 선 세로선이 박자를 만들어요", "선들이 위아래로 곧게 뻗어 있어요"),
    "level": ("선들이 나란히 누워 있어요", "가로로 누운 선들이 잔잔히 이어져요"),
    "slanting": ("비스듬한 선들이 화면을 가로질러요", "선들이 한쪽으로 기울어 있어요"),
    "centred": ("무게 중심이 한가운데에 모여 있어요", "도드라진 것들이 가운데에 모여 있어요"),
    "to one side": ("무게가 한쪽으로 쏠려 있어요", "균형이 한쪽으로 살짝 기울어 있어요"),
    "vivid": ("색이 선명하게 살아 있어요", "빛깔이 또렷하고 강렬해요"),
    "vivid alone": ("색이 선명해요", "또렷하고 강렬한 색이에요"),
    "high contrast": ("밝음과 어둠이 뚜렷하게 갈려요", "명암 대비가 강해요"),
    "some light": ("어둠 속에 밝은 곳이 조금 있어요", "어두운 바탕에서 밝은 부분이 조금 도드라져요"),
    "some dark": ("밝은 바탕에 어두운 곳이 조금 있어요", "밝은 바탕에서 어두운 부분이 조금 도드라져요"),
    "soft": ("밝음과 어둠이 부드럽게 섞여요", "명암 대비가 부드러워요"),
    "plain": ("어느 한쪽으로도 치우치지 않아요", "모든 부분이 고르게 어우러져요"),
}
_FEELINGS: dict[Mood, tuple[str, ...]] = {
    "content": ("따뜻하고 느긋한 느낌이에요.", "다정하고 편안한 분위기예요.", "마음이 놓이는 한때 같아요."),
    "joyful": ("기쁘고 생기 넘치는 느낌이에요.", "밝고 발걸음이 가벼운 분위기예요.", "당장이라도 춤추고 싶어져요."),
    "excited": ("짜릿하고 숨 가쁜 느낌이에요.", "앞으로 내달리는 분위기예요.", "한시도 가만있지 못할 것 같아요."),
    "tense": ("날카롭고 초조한 느낌이에요.", "팽팽하게 당겨진 분위기예요.", "무언가 다가오는 듯해요."),
    "sombre": ("묵직하고 엄숙한 느낌이에요.", "무겁게 가라앉은 분위기예요.", "고개를 숙인 채 말을 아끼는 듯해요."),
    "melancholic": ("조용하고 조금 쓸쓸한 느낌이에요.", "생각이 깊어지는 분위기예요.", "지나간 일을 돌아보는 듯해요."),
    "still": ("움직임이 거의 없는 느낌이에요.", "적막에 가까운 분위기예요.", "숨을 죽이고 있는 듯해요."),
    "serene": ("잔잔하고 탁 트인 느낌이에요.", "평화로운 분위기예요.", "천천히 숨을 고르는 듯해요."),
    "balanced": (
        "기쁘지도 슬프지도 않은 담담한 느낌이에요.",
        "침착하고 고른 분위기예요.",
        "어디로든 흘러갈 수 있을 것 같아요.",
    ),
}


def title(reading: Reading, colour: str, mood: Mood, scene: Scene = UNKNOWN) -> str:
    """Return a title from the dominant colour, and from the scene where it is certain, else from the mood."""
    random = Random(reading.fingerprint)
    adjective, noun = random.choice(COLOURS[colour][1:]), title_noun(scene) or random.choice(_NOUNS[mood])
    return random.choice(_TITLES).format(colour=adjective, noun=noun)


def caption(reading: Reading, mood: Mood, scene: Scene = UNKNOWN) -> str:
    """Return three to six sentences on the scene (if any), light and colours, notable features, and the mood.

    All colours' names end in 색, so their particles are those that follow a final consonant.
    """
    random = Random(reading.fingerprint + 1)
    names = [COLOURS[name][0] for name in named_colours(reading)]
    colours = f"{names[0]}과 {', '.join(names[1:])}" if len(names) > 1 else names[0]
    place = light_place(reading)
    lit, unlit = random.choice(_OPENINGS if len(names) > 1 else _WHOLE)
    light = random.choice(_LIGHT[place]) if place else ""
    opening = (lit if light else unlit).format(tone=random.choice(_TONES[tone(reading)]), colours=colours, light=light)
    accent = COLOURS[reading.accent][0] if reading.accent else ""
    seen = statement(scene, random)
    facts = [random.choice(_NOTABLE[fact]).format(accent=accent) for fact in notable(reading, seen=bool(seen))]
    # Split and join, because a tone without a word leaves two spaces.
    return " ".join([*seen.split(), *opening.split(), *(f"{fact}." for fact in facts), random.choice(_FEELINGS[mood])])
