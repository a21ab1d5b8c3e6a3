"""The words that may go from a picture or a hint to a music model: closed lists, which are in the strict schema.

Code checks the answer against them again, and drops a phrase with a word that is in no list. What was smuggled in
through a picture or a hint can at most become an instrument, a mood or a sound of these lists.
"""

import re
from typing import get_args

from melodify_core.models import Energy, Mode


def _phrases(text: str) -> list[str]:
    return text.split(", ")


MOODS = _phrases(
    "calm, warm, tender, gentle, serene, peaceful, dreamy, hushed, meditative, reflective, intimate, nostalgic, "
    "wistful, melancholic, sorrowful, lonely, sombre, brooding, grave, mysterious, eerie, tense, restless, edgy, "
    "dark, dramatic, majestic, epic, heroic, triumphant, hopeful, uplifting, joyful, playful, whimsical, "
    "cheerful, carefree, romantic, sensual, cosy, cool, laid-back, groovy, energetic, exhilarating, driving, "
    "fierce, solemn, sacred, airy, bright, festive, curious, patient, bittersweet, rustic, futuristic, vast"
)

GENRES = _phrases(
    "ambient, drone, new age, neoclassical, solo piano, chamber music, baroque, orchestral, cinematic, film "
    "score, minimalism, lo-fi hip hop, boom bap, trap, downtempo, trip hop, chillout, synthwave, vaporwave, "
    "electro, techno, melodic house, deep house, trance, drum and bass, breakbeat, dub, reggae, ska, bossa nova, "
    "samba, salsa, tango, flamenco, afrobeat, highlife, desert blues, delta blues, blues rock, jazz trio, cool "
    "jazz, swing, big band, jazz fusion, soul, rhythm and blues, gospel, funk, disco, city pop, synth pop, indie "
    "pop, dream pop, shoegaze, post-rock, indie rock, surf rock, psychedelic rock, punk rock, hard rock, metal, "
    "folk, indie folk, celtic, country, bluegrass, americana, chamber pop, waltz, march, chiptune, electronica, "
    "korean traditional, japanese traditional, indian classical, middle eastern, balkan, klezmer, polka, gamelan, "
    "choral"
)

INSTRUMENTS = _phrases(
    "piano, grand piano, felt piano, upright piano, electric piano, harpsichord, celesta, toy piano, organ, "
    "church organ, hammond organ, accordion, bandoneon, harmonica, melodica, nylon guitar, acoustic guitar, "
    "fingerpicked guitar, steel guitar, slide guitar, electric guitar, clean electric guitar, distorted guitar, "
    "muted guitar, banjo, mandolin, ukulele, lute, harp, zither, sitar, koto, gayageum, geomungo, haegeum, daegeum, "
    "janggu, shamisen, erhu, guzheng, oud, kora, dulcimer, violin, viola, cello, double bass, upright bass, "
    "electric bass, synth bass, sub bass, string quartet, strings, string section, pizzicato strings, tremolo strings, "
    "orchestra, flute, alto flute, bamboo flute, shakuhachi, pan flute, tin whistle, recorder, ocarina, clarinet, "
    "bass clarinet, oboe, english horn, bassoon, saxophone, tenor saxophone, trumpet, muted trumpet, flugelhorn, "
    "trombone, french horn, tuba, brass section, vibraphone, marimba, xylophone, glockenspiel, music box, kalimba, "
    "steelpan, tubular bells, handbells, bells, singing bowls, hang drum, synthesiser, analog synthesiser, warm pads, "
    "synth pad, synth lead, arpeggiated synth, drone, choir pad, drum kit, brushed drums, drum machine, dusty drums, "
    "gated drums, hand drums, frame drum, taiko, timpani, snare drum, kick drum, tabla, djembe, congas, bongos, cajon, "
    "shaker, tambourine, castanets, hand claps, cymbals, hi-hats, gong, percussion, wooden percussion, kazoo, "
    "didgeridoo, bagpipes, theremin, turntable"
)

ARRANGEMENTS = _phrases(
    "slow build, sudden full entry, sparse intro, long fading intro, solo intro, rhythmic intro, two verses, "
    "verse and chorus, one theme with variations, call and response, layered loops, steady groove, driving pulse, "
    "gentle pulse, free rhythm, waltz time, syncopated rhythm, half-time feel, walking bass line, ostinato bass, "
    "long held chords, broken chords, open fifths, simple melody over chords, soaring melody, short repeated "
    "motif, melody in the low register, melody in the high register, two melodies in dialogue, dense middle "
    "section, quiet middle section, rising middle section, wide swells, dramatic pauses, key change near the end, "
    "full ending, soft close, slow fade, abrupt ending, unresolved ending, return to the opening theme, lead "
    "passes from one instrument to another, instruments enter one by one, rich harmony, bare harmony"
)

SOUNDSCAPES = _phrases(
    "soft rain, heavy rain, rain on a window, rain on leaves, distant thunder, light wind, howling wind, wind in "
    "trees, rustling leaves, sea waves, gentle surf, harbour, seagulls, flowing stream, waterfall, dripping "
    "water, underwater, birdsong, crickets, night insects, frogs, owls, bees, horses, barking dog, purring cat, "
    "crackling fire, footsteps in snow, footsteps on gravel, falling snow, ice, cave, forest, meadow, desert, "
    "mountain echo, open sky, city traffic, distant traffic, train, subway, bicycle bells, market, street, cafe, "
    "kitchen, children playing, distant crowd, applause, machines, clock ticking, church bells, wind chimes, tape "
    "hiss, vinyl crackle, radio static, neon hum, dry room, wooden room, small room, large hall, cathedral "
    "reverb, long reverb, short echo, wide stereo, close and intimate, distant and hazy, clean and clear, warm "
    "and soft"
)

ENERGIES: tuple[Energy, ...] = get_args(Energy)
MODES: tuple[Mode, ...] = get_args(Mode)

# A model without the schema writes in its own words: these words may join and modify those of the lists.
_SMALL = "a an the and with of in on to from over under into by then very softly slowly low high deep light electronic"
# A model that is asked in Korean may answer in Korean: translations word by word.
_SAME = dict(
    pair.split(" ", 1)
    for pair in _phrases(
        "가야금 gayageum, 거문고 geomungo, 해금 haegeum, 대금 daegeum, 단소 bamboo flute, 장구 janggu, 장고 janggu, "
        "북 drum, 피아노 piano, 그랜드피아노 grand piano, 전자피아노 electric piano, 하프시코드 harpsichord, "
        "첼레스타 celesta, 오르간 organ, 아코디언 accordion, 하모니카 harmonica, 기타 guitar, 통기타 acoustic guitar, "
        "어쿠스틱 acoustic, 클래식기타 nylon guitar, 전자기타 electric guitar, 일렉기타 electric guitar, "
        "일렉 electric, 일렉트릭 electric, 전자 electric, 베이스 bass, 콘트라베이스 double bass, "
        "더블베이스 double bass, 신스 synth, 우쿨렐레 ukulele, 만돌린 mandolin, 밴조 banjo, 하프 harp, "
        "바이올린 violin, 비올라 viola, 첼로 cello, 현악 strings, 현악기 strings, 오케스트라 orchestra, "
        "관현악 orchestra, 플루트 flute, 플룻 flute, 리코더 recorder, 오카리나 ocarina, 클라리넷 clarinet, "
        "오보에 oboe, 바순 bassoon, 색소폰 saxophone, 트럼펫 trumpet, 트롬본 trombone, 호른 french horn, 튜바 tuba, "
        "비브라폰 vibraphone, 마림바 marimba, 실로폰 xylophone, 글로켄슈필 glockenspiel, 오르골 music box, "
        "칼림바 kalimba, 종 bells, 신시사이저 synthesiser, 신디사이저 synthesiser, 신스패드 synth pad, 드럼 drums, "
        "드럼머신 drum machine, 팀파니 timpani, 탬버린 tambourine, 심벌즈 cymbals, 징 gong, 타악기 percussion, "
        "양금 dulcimer, 꽹과리 gong, 금관악기 brass, 브라스 brass, 스트링 strings, 싱잉볼 singing bowls, "
        "국악 korean traditional, 한국 korean, 전통 traditional, 전통음악 traditional music, 음악 music, 재즈 jazz, "
        "블루스 blues, 클래식 classical, 뉴에이지 new age, 앰비언트 ambient, 시네마틱 cinematic, 영화음악 film score, "
        "로파이 lo-fi, 힙합 hip hop, 하우스 house, 테크노 techno, 디스코 disco, 펑크 funk, 소울 soul, 레게 reggae, "
        "보사노바 bossa nova, 삼바 samba, 탱고 tango, 왈츠 waltz, 행진곡 march, 포크 folk, 컨트리 country, 록 rock, "
        "락 rock, 메탈 metal, 팝 pop, 인디 indie, 시티팝 city pop, 신스웨이브 synthwave, 칩튠 chiptune, lofi lo-fi, "
        "r&b rhythm and blues"
    )
)
_WORD = re.compile(r"[^\W\d_]+")
_BOWLS = "singing bowls"  # the only phrase in which "singing" is allowed
_KNOWN = frozenset(
    word
    for phrase in (*MOODS, *GENRES, *INSTRUMENTS, *ARRANGEMENTS, *SOUNDSCAPES, _SMALL)
    for word in _WORD.findall(phrase.replace(_BOWLS, "bowls"))
)
_MEANINGFUL = _KNOWN - frozenset(_SMALL.split())
# The instruments of the list, and their bare names without material or manner of playing.
_BARE = "guitar, bass, drum, drums, horn, brass, synth, pad, pads, bowls"
_INSTRUMENT = re.compile(rf"\b(?:{'|'.join(sorted((*INSTRUMENTS, *_phrases(_BARE)), key=len, reverse=True))})\b")
_SUNG = frozenset(["choir", "choral", "chorus", "verse", "verses"])
WORDS_AT_MOST = 8


def known(phrase: str) -> str:
    """Return the phrase in lower case if all its words are in the lists and one of them is meaningful; else ""."""
    text = " ".join(_SAME.get(word, word) for word in phrase.lower().split())
    words = _WORD.findall(text.replace(_BOWLS, "bowls"))
    if not 0 < len(words) <= WORDS_AT_MOST or not set(words) <= _KNOWN or not set(words) & _MEANINGFUL:
        return ""
    return re.sub(r"[^\w' &-]|_|\d", "", text).strip(" -&'")


def known_instrument(phrase: str) -> str:
    """Return the phrase if it is known, contains a whole instrument of the list and no singers; else ""."""
    text = known(phrase)
    beside = _INSTRUMENT.sub(" ", text)
    return "" if beside == text or _SUNG & set(_WORD.findall(beside)) else text
