"""The words that may go from a picture or a hint to a music model: closed lists, which the strict schema offers.

What the model answers is held against them again in code: a phrase with one word that stands in no list goes. So
what was smuggled in through a picture or a hint can at most become an instrument, a mood or a sound of these lists.
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
    "muted guitar, banjo, mandolin, ukulele, lute, harp, zither, sitar, koto, gayageum, haegeum, daegeum, "
    "shamisen, erhu, guzheng, oud, kora, dulcimer, violin, viola, cello, double bass, upright bass, electric "
    "bass, synth bass, sub bass, string quartet, strings, string section, pizzicato strings, tremolo strings, "
    "orchestra, flute, alto flute, bamboo flute, shakuhachi, pan flute, tin whistle, recorder, ocarina, clarinet, "
    "bass clarinet, oboe, english horn, bassoon, saxophone, tenor saxophone, trumpet, muted trumpet, flugelhorn, "
    "trombone, french horn, tuba, brass section, vibraphone, marimba, xylophone, glockenspiel, music box, "
    "kalimba, steelpan, tubular bells, handbells, bells, singing bowls, hang drum, synthesiser, analog "
    "synthesiser, warm pads, synth pad, synth lead, arpeggiated synth, drone, choir pad, drum kit, brushed drums, "
    "drum machine, dusty drums, gated drums, hand drums, frame drum, taiko, timpani, snare drum, kick drum, "
    "tabla, djembe, congas, bongos, cajon, shaker, tambourine, castanets, hand claps, cymbals, hi-hats, gong, "
    "percussion, wooden percussion, kazoo, didgeridoo, bagpipes, theremin, turntable"
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

# A model without the schema writes in its own words: these bind and shade those of the lists.
_SMALL = "a an the and with of in on to from over under into by then very softly slowly low high deep light electronic"
_WORD = re.compile(r"[^\W\d_]+")
_KNOWN = frozenset(
    word
    for phrase in (*MOODS, *GENRES, *INSTRUMENTS, *ARRANGEMENTS, *SOUNDSCAPES, _SMALL)
    for word in _WORD.findall(phrase)
)
_INSTRUMENT_WORDS = frozenset(word for phrase in INSTRUMENTS for word in _WORD.findall(phrase))
_TELLING = _KNOWN - frozenset(_SMALL.split())
WORDS_AT_MOST = 8


def known(phrase: str, among: frozenset[str] = _TELLING) -> str:
    """Return the phrase in lower case if all its words stand in the lists, and one of them in `among`; else ""."""
    words = _WORD.findall(phrase.lower())
    if not 0 < len(words) <= WORDS_AT_MOST or not set(words) <= _KNOWN or not set(words) & among:
        return ""
    return re.sub(r"[^\w' &-]|_|\d", "", phrase.lower()).strip(" -&'")


def known_instrument(phrase: str) -> str:
    """Return the phrase if it is known and names an instrument, else ""."""
    return known(phrase, _INSTRUMENT_WORDS)
