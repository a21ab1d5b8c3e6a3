"""Shapes in which models and servers were seen to answer instead of the JSON that was asked for.

Each is a text, or a chat message; all mean READING, or what is named beside them. Written after reports about Ollama,
llama.cpp, vLLM and LM Studio and after what models do to any schema; none holds a real picture's reading.
"""

import json
from typing import Any

from tests.openai_server import READING

WHOLE = json.dumps(READING)
PRETTY = json.dumps(READING, indent=2)
OTHER = READING | {"title": "Draft", "bpm": 60, "energy": "calm", "arousal": -0.7}
DRAFT = json.dumps(OTHER)
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {
            name: {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}}
            if isinstance(value, list)
            else {"type": "string", "description": "what is seen"}
            for name, value in READING.items()
        },
        "required": list(READING),
        "additionalProperties": False,
    }
)
UNQUOTED = PRETTY
for key in READING:
    UNQUOTED = UNQUOTED.replace(f'"{key}":', f"{key}:")
# As a person would write it down.
MARKDOWN = """\
**Title:** Amber Dusk
**Caption:** Warm light lies on still water.
**Mood:** calm, warm
**Valence:** 0.4
**Arousal:** -0.3
**Energy:** gentle
**Genre:** folk
**Instruments:** nylon guitar, cello
**BPM:** 84
**Mode:** major
**Arrangement:** sparse intro, slow build, soft close
**Soundscape:** sea waves, tape hiss
"""
TABLE = "| Field | Value |\n|---|---|\n" + MARKDOWN.replace("**", "").replace(":", " |").replace("\n", " |\n| ")

TEXTS: dict[str, str] = {
    "as asked": WHOLE,
    "pretty": PRETTY,
    "in a fence": f"```json\n{PRETTY}\n```",
    "in a fence that is not closed": f"```json\n{PRETTY}",
    "in words": f"Sure! Here is the musical reading {{as asked}}:\n\n{WHOLE}\n\nLet me know if you need more.",
    "after a name": f"musical_reading = {WHOLE};",
    "in XML": f"<answer>\n{WHOLE}\n</answer>",
    "in GLM's box": f"<|begin_of_box|>{WHOLE}<|end_of_box|>",
    "with an end token": f"{WHOLE}<|im_end|>",
    "single quotes": repr(READING),
    "single quotes in words": f"Here you are: {READING!r} Enjoy!",
    "trailing comma": WHOLE[:-1] + ",}",
    "trailing commas in lists": WHOLE.replace("]", ",]")[:-1] + ",\n}",
    "missing commas": PRETTY.replace(",\n  ", "\n  "),
    "comments": PRETTY.replace('"mood"', '// the feeling\n  "mood"').replace('"bpm"', '/* slow */ "bpm"'),
    "hash comments": PRETTY.replace('"energy"', '# how much\n  "energy"'),
    "unquoted keys": UNQUOTED,
    "unquoted keys in one line": " ".join(UNQUOTED.split()),
    "unquoted words": PRETTY.replace('"gentle"', "gentle").replace('"major"', "major"),
    "smart quotes": WHOLE.replace('{"', "{“").replace('": "', "”: “").replace('", "', "”, “").replace('"', "”"),
    "Chinese punctuation": WHOLE.replace('": ', '"：').replace(', "', '，"'),
    "Chinese brackets": WHOLE.replace("{", "｛").replace("}", "｝").replace('": ', '"：'),
    "Chinese list commas": WHOLE.replace('", "', '"、"'),
    "raw newlines": WHOLE.replace("Warm light lies", "Warm light\nlies").replace("sparse intro", "sparse\nintro"),
    "tabs and no breaks": WHOLE.replace(" ", "\t").replace("Amber\tDusk", "Amber Dusk"),
    "inner quotes": WHOLE.replace("still water", 'still "water"'),
    "escaped single quote": WHOLE.replace("Warm light lies", "Warm light\\'s glow lies"),
    "Python words": repr(READING | {"notes": None, "sure": True}),
    "wrapped": json.dumps({"musical_reading": READING}),
    "wrapped twice": json.dumps({"result": {"reading": READING}}),
    "wrapped in a list": json.dumps([READING]),
    "in properties": json.dumps({"type": "object", "properties": READING}),
    "a tool's arguments in words": json.dumps({"name": "musical_reading", "arguments": READING}),
    "a tool call in tags": f'<tool_call>\n{{"name": "reading", "arguments": {WHOLE}}}\n</tool_call>',
    "in two groups": json.dumps(
        {
            "picture": {key: READING[key] for key in ("title", "caption", "mood", "valence", "arousal", "energy")},
            "music": {key: value for key, value in READING.items() if key not in ("title", "caption", "mood")},
        }
    ),
    "schema first": f"{SCHEMA}\n{WHOLE}",
    "schema first, in fences": f"The schema:\n```json\n{SCHEMA}\n```\nThe answer:\n```json\n{PRETTY}\n```",
    "schema and answer in one": json.dumps({"schema": json.loads(SCHEMA), "answer": READING}),
    "template first": json.dumps(dict.fromkeys(READING, "string")) + "\n" + WHOLE,
    "placeholders first": json.dumps(dict.fromkeys(READING, "...")) + "\n" + WHOLE,
    "encoded twice": json.dumps(WHOLE),
    "encoded twice in a field": json.dumps({"answer": WHOLE}),
    "encoded twice in a fence": f"```json\n{json.dumps(WHOLE)}\n```",
    "capitalised keys": json.dumps({key.title(): value for key, value in READING.items()}),
    "keys in capitals": json.dumps({key.upper(): value for key, value in READING.items()}),
    "tempo and key": WHOLE.replace('"bpm"', '"tempo_bpm"').replace('"mode"', '"key"'),
    "Korean keys": WHOLE.replace('"title"', '"제목"').replace('"caption"', '"설명"').replace('"bpm"', '"템포"'),
    "Chinese keys": WHOLE.replace('"title"', '"标题"').replace('"caption"', '"描述"').replace('"genre"', '"genre"'),
    "one brace short": WHOLE[:-1],
    "one brace and bracket short": WHOLE[:-2],
    "pretty and one brace short": PRETTY[:-1].rstrip(),
    "one brace too many": WHOLE + "}",
    "tables for instruments": json.dumps(
        READING | {"instruments": [{"name": "nylon guitar", "role": "lead"}, {"name": "cello", "role": "bass"}]}
    ),
    "texts for lists": json.dumps(
        READING | {"mood": "calm, warm", "instruments": "nylon guitar、cello", "soundscape": "sea waves; tape hiss"}
    ),
    "lists for texts": json.dumps(READING | {"title": ["Amber Dusk"], "genre": ["folk"]}),
    "texts for numbers": json.dumps(READING | {"bpm": "84 BPM", "valence": "+0.4", "arousal": "−0.3"}),
    "think": f"<think>What about {DRAFT}? No, brighter.</think>\n{WHOLE}",
    "think without opening": f"What about {DRAFT}? No, brighter.\n</think>\n\n{WHOLE}",
    "thinking": f"<thinking>\n{DRAFT}\n</thinking>\n{WHOLE}",
    "reasoning": f"<reasoning>{DRAFT}</reasoning>{WHOLE}",
    "Magistral's think": f"[THINK]{DRAFT}[/THINK]{WHOLE}",
    "Kimi's think": f"◁think▷{DRAFT}◁/think▷{WHOLE}",
    "Seed's think": f"<seed:think>{DRAFT}</seed:think>{WHOLE}",
    "begin of thought": f"<|begin_of_thought|>{DRAFT}<|end_of_thought|>{WHOLE}",
    "harmony's channels": f"<|channel|>analysis<|message|>Maybe {DRAFT}<|end|><|start|>assistant"
    f"<|channel|>final<|message|>{WHOLE}<|return|>",
    "harmony's constrained channel": f"<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant"
    f"<|channel|>final <|constrain|>json<|message|>{WHOLE}",
    "Gemma's channel": f"<|channel>thought\n{DRAFT}<channel|>{WHOLE}",
    "empty thoughts": f"<think>\n\n</think>\n\n{WHOLE}",
    "a draft in the open": f"First idea:\n{DRAFT}\nBetter:\n{WHOLE}",
    "a proper draft, then single quotes": f"First idea: {DRAFT}\nFinal: {READING!r}",
    "a small table after it": f'{WHOLE}\nNote: {{"title": "a title", "sure": true}}',
    "Markdown": MARKDOWN,
    "a Markdown list": "\n".join(f"- {line}" for line in MARKDOWN.replace("**", "").splitlines()),
    "a Markdown table": TABLE,
    "YAML": MARKDOWN.replace("**", "").lower().replace("amber dusk", "Amber Dusk").replace("warm light", "Warm light"),
}

# How a message holds it: content, and what is beside it.
MESSAGES: dict[str, dict[str, Any]] = {
    "parts": {"content": [{"type": "text", "text": WHOLE[:40]}, {"type": "text", "text": WHOLE[40:]}]},
    "parts with thoughts": {"content": [{"type": "thinking", "thinking": []}, {"type": "text", "text": WHOLE}]},
    "an object": {"content": READING},
    "a tool call": {
        "content": None,
        "tool_calls": [{"type": "function", "function": {"name": "reading", "arguments": WHOLE}}],
    },
    "a tool call with an object": {"content": "", "tool_calls": [{"function": {"name": "r", "arguments": READING}}]},
    "thoughts beside it": {"content": WHOLE, "reasoning": f"Maybe {DRAFT}", "reasoning_content": DRAFT},
    "taken for thoughts": {"content": "", "reasoning_content": WHOLE},
}

# Answers in the language of the member, with what each means.
LANGUAGES: dict[str, dict[str, Any]] = {
    "Chinese": {
        "标题": "琥珀色的黄昏",
        "描述": "温暖的光落在平静的水面上。",
        "情绪": ["平静", "温暖的"],
        "效价": 0.4,
        "唤醒度": -0.3,
        "能量": "柔和",
        "风格": "民谣",
        "乐器": ["古典吉他", "大提琴"],
        "速度": "84",
        "调式": "C大调",
        "编曲": ["稀疏的前奏", "缓慢渐强", "柔和的结尾"],
        "音景": ["海浪", "磁带噪声"],
    },
    "traditional Chinese in one text": {
        "標題": "黃昏",
        "說明": "溫暖的光。",
        "氛圍": "平靜、溫暖",
        "valence": 0.4,
        "arousal": -0.3,
        "energy": "溫和",
        "類型": "民謠",
        "樂器": "尼龙吉他，大提琴",
        "bpm": 84,
        "調式": "大調",
        "編曲": "稀疏前奏；漸強；柔和结尾",
        "環境音": "海浪聲，磁带噪声",
    },
    "Japanese": {
        "タイトル": "琥珀色の夕暮れ",
        "キャプション": "暖かい光が静かな水面に落ちる。",
        "ムード": ["静かな", "暖かい"],
        "感情価": 0.4,
        "覚醒度": -0.3,
        "エネルギー": "優しい",
        "ジャンル": "フォーク",
        "楽器": ["クラシックギター", "チェロ"],
        "テンポ": 84,
        "モード": "ハ長調",
        "編曲": ["静かなイントロ", "徐々に盛り上がる", "優しい終わり"],
        "サウンドスケープ": ["波の音", "テープノイズ"],
    },
    "Korean": {
        "제목": "호박빛 황혼",
        "설명": "따뜻한 빛이 잔잔한 물 위에 내려앉아요.",
        "분위기": ["잔잔함", "따뜻한"],
        "감정가": 0.4,
        "각성도": -0.3,
        "에너지": "부드러운 편",
        "장르": "포크",
        "악기": ["클래식기타", "첼로"],
        "템포": "84 BPM",
        "조성": "장조",
        "편곡": ["조용한 시작", "점점 고조", "부드러운 마무리"],
        "사운드스케이프": ["파도 소리", "테이프 잡음"],
    },
    "Spanish": {
        "título": "Ocaso",
        "descripción": "Luz cálida.",
        "ánimo": ["tranquilo", "cálido"],
        "valencia": 0.4,
        "excitación": -0.3,
        "energía": "suave",
        "género": "música folclórica",
        "instrumentos": ["guitarra clásica", "violonchelo"],
        "tempo": 84,
        "modo": "Do mayor",
        "arreglo": ["introducción escasa", "construcción lenta", "final suave"],
        "paisaje sonoro": ["olas del mar", "tape hiss"],
    },
    "German": {
        "Titel": "Abend",
        "Beschreibung": "Warmes Licht.",
        "Stimmung": "ruhig, warm",
        "Valenz": "0,4",
        "Erregung": "-0,3",
        "Energie": "sanft",
        "Genre": "Volksmusik",
        "Instrumente": ["Konzertgitarre", "Cello"],
        "Tempo": 84,
        "Tonart": "C-Dur",
        "Arrangement": ["leises Intro", "langsamer Aufbau", "sanftes Ende"],
        "Soundscape": ["Meeresrauschen", "Bandrauschen"],
    },
    "Russian": {
        "название": "Закат",
        "описание": "Тёплый свет.",
        "настроение": ["спокойный", "тёплый"],
        "валентность": 0.4,
        "возбуждение": -0.3,
        "энергия": "мягкий",
        "жанр": "фолк",
        "инструменты": ["классическая гитара", "виолончель"],
        "темп": 84,
        "лад": "до мажор",
        "arrangement": ["sparse intro", "медленное нарастание", "мягкое завершение"],
        "soundscape": ["шум моря", "tape hiss"],
    },
}
