"""The data of the SoundFont's instruments that the styles use: programs, ranges, balance, and their names in briefs."""

from dataclasses import dataclass

LEAD, CHORDS, PAD, BASS = "lead", "chords", "pad", "bass"


@dataclass(frozen=True, slots=True)
class Instrument:
    """An instrument of the font, and how to balance it.

    `trim` in dB evens out the font: the RMS over half a second of a note of velocity 100, TimGM6mb, against -31 dBFS.
    `low` and `high` are the MIDI pitches between which it sounds well. `held` tones do not decay by themselves. `quick`
    replaces it for chords that are struck so often that its tones would run into each other.
    """

    program: int
    family: str
    roles: tuple[str, ...]  # the likeliest first
    low: int
    high: int
    trim: float = 0.0
    held: bool = False
    words: tuple[str, ...] = ()  # other names that briefs use
    quick: str = ""


_KEYS = (CHORDS, LEAD)
_SOLO = (LEAD, CHORDS)
INSTRUMENTS: dict[str, Instrument] = {
    "grand piano": Instrument(0, "piano", _KEYS, 36, 96, 4, words=("piano", "upright piano")),
    "felt piano": Instrument(0, "piano", _KEYS, 36, 91, 3, words=("soft piano",)),
    "bright piano": Instrument(2, "piano", _KEYS, 36, 96, 2, words=("honky tonk",)),
    "electric piano": Instrument(4, "keys", _KEYS, 40, 88, -3, words=("rhodes", "e-piano", "wurlitzer", "keys")),
    "harpsichord": Instrument(6, "keys", _KEYS, 40, 86, 4, words=("clavichord",)),
    "clavinet": Instrument(7, "keys", _KEYS, 48, 84, 1, words=("clav",)),
    "organ": Instrument(16, "keys", _KEYS, 36, 88, -1, held=True, words=("hammond",)),
    "accordion": Instrument(21, "keys", _SOLO, 53, 86, 0, held=True, words=("bandoneon", "concertina", "melodica")),
    "celesta": Instrument(8, "mallets", (LEAD,), 60, 96, 3, words=("chimes",)),
    "glockenspiel": Instrument(9, "mallets", (LEAD,), 67, 98, 3, words=("bell", "bells", "handbells", "triangle")),
    "tubular bells": Instrument(14, "mallets", (LEAD,), 55, 79, 0),
    "dulcimer": Instrument(15, "mallets", _SOLO, 50, 86, 5, words=("santur", "cimbalom", "yanggeum")),
    "steel drums": Instrument(114, "mallets", _SOLO, 52, 84, 3, words=("steelpan", "steel pan", "hang drum")),
    "music box": Instrument(10, "mallets", (LEAD,), 60, 96, 1, words=("toy piano",)),
    "vibraphone": Instrument(11, "mallets", _SOLO, 53, 89, -4, words=("vibes",)),
    "marimba": Instrument(12, "mallets", _SOLO, 48, 90, 3, words=("xylophone", "mallet")),
    "kalimba": Instrument(108, "mallets", _SOLO, 55, 86, 1, words=("thumb piano", "mbira", "kora")),
    "nylon guitar": Instrument(
        24, "guitar", _KEYS, 43, 83, 0, words=("classical guitar", "fingerpicked guitar", "ukulele", "lute", "oud")
    ),
    "acoustic guitar": Instrument(25, "guitar", _KEYS, 43, 83, 4, words=("steel guitar", "guitar", "mandolin")),
    "jazz guitar": Instrument(26, "guitar", _KEYS, 43, 83, 2, words=("lo-fi guitar",)),
    "electric guitar": Instrument(27, "guitar", _KEYS, 43, 86, 6, words=("clean guitar",)),
    "muted guitar": Instrument(28, "guitar", (CHORDS,), 43, 80, 3, words=("funk guitar", "palm mute")),
    "overdriven guitar": Instrument(
        29, "electric", _SOLO, 43, 84, 0, held=True, words=("rock guitar", "slide guitar", "blues guitar")
    ),
    "distortion guitar": Instrument(30, "electric", _KEYS, 40, 80, -3, held=True, words=("distorted guitar", "fuzz")),
    "banjo": Instrument(105, "guitar", _KEYS, 50, 84, 2),
    "harp": Instrument(46, "strings", _KEYS, 40, 93, -4, words=("zither", "lyre")),
    "violin": Instrument(40, "strings", (LEAD,), 57, 93, -2, held=True, words=("fiddle",)),
    "viola": Instrument(41, "strings", (LEAD,), 50, 82, -2, held=True),
    "cello": Instrument(42, "strings", (LEAD,), 43, 72, -4, held=True),
    "pizzicato strings": Instrument(45, "strings", _KEYS, 43, 88, 3, words=("pizzicato",)),
    "string ensemble": Instrument(
        48,
        "strings",
        (CHORDS, PAD),
        40,
        88,
        -2,
        held=True,
        words=("strings", "orchestra", "string section", "string quartet"),
        quick="viola",
    ),
    "slow strings": Instrument(
        49, "strings", (PAD, CHORDS), 40, 88, 0, held=True, words=("string pad",), quick="viola"
    ),
    "tremolo strings": Instrument(44, "strings", (CHORDS, PAD), 43, 88, 0, held=True, words=("tremolo",)),
    "choir": Instrument(52, "voices", (PAD, CHORDS), 48, 79, 0, held=True, words=("voices", "voice", "vocal pad")),
    "trumpet": Instrument(56, "winds", (LEAD,), 55, 82, 2, held=True),
    "trombone": Instrument(57, "winds", (LEAD,), 43, 72, 2, held=True),
    "muted trumpet": Instrument(59, "winds", (LEAD,), 55, 82, 4, held=True, words=("flugelhorn",)),
    "french horn": Instrument(60, "winds", (LEAD,), 45, 77, -5, held=True, words=("horn", "horns", "tuba")),
    "brass section": Instrument(61, "winds", (CHORDS, LEAD), 48, 80, 5, held=True, words=("brass",)),
    # The alto saxophone of this font has no sample at E4; the tenor is whole.
    "saxophone": Instrument(66, "winds", (LEAD,), 50, 80, 2, held=True, words=("sax",)),
    "oboe": Instrument(68, "winds", (LEAD,), 60, 86, -1, held=True, words=("cor anglais", "english horn", "duduk")),
    "clarinet": Instrument(71, "winds", (LEAD,), 52, 86, -1, held=True, words=("bassoon",)),
    "flute": Instrument(73, "winds", (LEAD,), 62, 93, 0, held=True, words=("piccolo", "whistle", "recorder")),
    "pan flute": Instrument(75, "winds", (LEAD,), 60, 88, -1, held=True, words=("shakuhachi", "ocarina", "quena")),
    "harmonica": Instrument(22, "winds", (LEAD,), 60, 86, -1, held=True, words=("kazoo",)),
    "bagpipes": Instrument(109, "winds", (LEAD,), 55, 80, -1, held=True, words=("bagpipe",)),
    # General MIDI has no Korean instruments: the most similar ones play (shakuhachi, fiddle, koto).
    "bamboo flute": Instrument(77, "winds", (LEAD,), 58, 84, -1, held=True, words=("daegeum", "danso", "dizi")),
    "haegeum": Instrument(110, "strings", (LEAD,), 55, 84, -2, held=True, words=("erhu",)),
    "gayageum": Instrument(107, "plucked", _SOLO, 48, 86, 3, words=("geomungo", "guqin")),
    "koto": Instrument(107, "plucked", _SOLO, 48, 86, 4, words=("guzheng", "shamisen", "zheng")),
    "sitar": Instrument(104, "plucked", (LEAD,), 50, 80, 5),
    "square lead": Instrument(80, "synth", (LEAD,), 55, 88, -4, held=True, words=("chiptune", "8-bit", "pulse lead")),
    "pulse synth": Instrument(80, "chip", _KEYS, 43, 86, -6, held=True, words=("chip arpeggio", "game console")),
    "saw lead": Instrument(81, "synth", (LEAD,), 52, 88, -2, held=True, words=("lead synth", "synth lead")),
    "solo synth": Instrument(82, "synth", (LEAD,), 57, 88, -3, held=True, words=("theremin",)),
    "polysynth": Instrument(
        90, "synth", _KEYS, 43, 88, 1, words=("synthesiser", "synthesizer", "analog synth", "synth")
    ),
    "bright synth": Instrument(100, "synth", _SOLO, 50, 92, -2, words=("pluck", "synth pluck", "arpeggiator")),
    "synth brass": Instrument(62, "synth", (CHORDS, LEAD), 45, 82, -1, held=True),
    "synth strings": Instrument(50, "pads", (PAD, CHORDS), 43, 86, 3, held=True),
    "warm pad": Instrument(89, "pads", (PAD, CHORDS), 43, 84, 3, held=True, words=("pad", "synth pad", "drone")),
    "space pad": Instrument(91, "pads", (PAD, CHORDS), 43, 84, -1, held=True, words=("texture", "atmosphere")),
    "halo pad": Instrument(94, "pads", (PAD, CHORDS), 43, 86, 2, held=True, words=("shimmer",)),
    "sweep pad": Instrument(95, "pads", (PAD, CHORDS), 43, 86, 4, held=True),
    "crystal": Instrument(98, "mallets", (LEAD,), 60, 96, 0, words=("glass", "singing bowl")),
    "upright bass": Instrument(32, "bass", (BASS,), 28, 55, 0, words=("double bass", "contrabass")),
    "acoustic bass": Instrument(32, "bass", (BASS,), 28, 55, 0),
    "picked bass": Instrument(34, "bass", (BASS,), 28, 55, 1, words=("rock bass",)),
    "slap bass": Instrument(36, "bass", (BASS,), 28, 55, -1, words=("funk bass",)),
    "square bass": Instrument(80, "bass", (BASS,), 28, 55, -6, held=True, words=("chip bass",)),
    "electric bass": Instrument(33, "bass", (BASS,), 28, 55, 0, words=("bass guitar", "bass")),
    "fretless bass": Instrument(35, "bass", (BASS,), 28, 55, -3),
    "synth bass": Instrument(38, "bass", (BASS,), 28, 55, -1, words=("808", "sub bass", "moog bass")),
    "bass drone": Instrument(39, "bass", (BASS,), 28, 55, -4, held=True, words=("didgeridoo",)),
    "low strings": Instrument(43, "bass", (BASS,), 28, 55, -4, held=True),
}


def named(text: str) -> str | None:
    """Return the instrument that a brief's words mean: the one with the longest name among them."""
    wished = f" {text.casefold().replace('synthesiser', 'synth').replace('synthesizer', 'synth')} "
    found = [
        (len(word), name)
        for name, instrument in INSTRUMENTS.items()
        for word in (name, *instrument.words)
        if f" {word}" in wished
    ]
    return max(found)[1] if found else None
