"""Progressions as data, in Roman numerals counted in major; four bars each, `-` halves a bar.

Home phrases open on the tonic and lead back to it; phrases away open elsewhere and end on what leads home. In minor
the dominant is mostly major (harmonic minor): without its leading note the key blurs into the relative major.
"""

from melodify_core.models import Mode

Phrases = dict[str, dict[Mode, tuple[str, ...]]]

HOME: Phrases = {
    "plain": {
        "major": ("I V vi IV", "I IV I V", "I vi IV V", "I I IV V", "I V IV I", "I iii IV V", "I IV I-V I"),
        "minor": ("i iv i V", "i bVI iv V", "i bVII bVI V", "i i iv V", "i V i bVII", "i bVI i V"),
    },
    "functional": {
        "major": ("I V vi iii-V", "I IV V I", "I vi ii V", "I ii7 V I", "I iii IV V", "I I-vi ii V", "I Vsus-V vi V"),
        "minor": ("i iv V i", "i bVI iv V", "i V i iv-V", "i iih7 V i", "i bVII bVI V", "i iv i V"),
    },
    "sevenths": {
        "major": ("Imaj7 vi7 ii7 V7sus", "Imaj7 IVmaj7 Imaj7 V7sus", "Imaj7 iii7 IVmaj7 V7", "Imaj7 ii7 Imaj7 ii7-V7",
                  "Iadd9 vi7 IVmaj7 V7sus"),
        "minor": ("i7 iv7 i7 V7", "iadd9 bVImaj7 iv7 V7", "i7 bVImaj7 i7 iv7-V7", "i7 iv7 bVImaj7 V7",
                  "iadd9 iadd9 bVImaj7 V7"),
    },
    "jazz": {
        "major": ("Imaj7 vi7 ii7 V7", "I6 ii7-V7 I6 ii7-V7", "Imaj7 IVmaj7 iii7-vi7 ii7-V7", "Imaj7 I6 ii7 V7",
                  "ii7 V7 Imaj7 I6"),
        "minor": ("i6 iih7-V7 i6 iih7-V7", "i7 iv7 iih7 V7", "i6 i7 iih7 V7", "i7 bVImaj7 iih7-V7 i6",
                  "iih7 V7 i6 i6"),
    },
    "modal": {
        "major": ("Iadd9 IVadd9 Iadd9 IVadd9", "Iadd9 vi7 IVadd9 I", "I Isus I V", "Iadd9 iii7 IVadd9 I",
                  "Iadd9 IVadd9 I Vsus"),
        "minor": ("iadd9 bVI i iv", "iadd9 iv7 iadd9 v7", "i isus i bVII", "iadd9 bVI iv i", "iadd9 v7 iv i"),
    },
    "loops": {
        "major": ("I V vi IV", "Iadd9 IV I V", "I IV vi V", "I I IV V", "I iii IV V"),
        "minor": ("i bVI i bVII", "i bVI iv V", "i bVII bVI V", "i i bVI V", "i iv i bVII", "i V bVI V"),
    },
    "bossa": {
        "major": ("Imaj7 Imaj7 ii7 V7", "Imaj7 vi7 ii7 V7sus", "I6 IVmaj7 iii7-vi7 ii7-V7", "Imaj7 ii7 Imaj7 ii7-V7"),
        "minor": ("i7 i7 iih7 V7", "i6 iv7 iih7 V7", "i7 bVImaj7 iih7 V7", "i6 i6 iv7 V7"),
    },
    "rock": {
        "major": ("I IV I V", "I V IV I", "I I IV V", "I vi IV V", "I-IV I I-IV V"),
        "minor": ("i bVI i bVII", "i i bVI V", "i bVII bVI V", "i iv i V", "i-bVII i i-bVII V"),
    },
    "funk": {
        "major": ("I6 I6 IVmaj7 V7sus", "Iadd9 vi7 ii7 V7", "I6 IVmaj7 I6 V7sus", "Imaj7 Imaj7 ii7 V7sus"),
        "minor": ("i7 i7 iv7 V7", "i7 iv7 i7 V7", "i7 bVImaj7 i7 V7sus", "i7 i7 bVImaj7 V7"),
    },
    # Over a drone, out of the five tones of the tune.
    "open": {
        "major": ("I I Vsus2 I", "I vi I Vsus2", "I Vsus2 vi I", "I IIsus2 Vsus2 I", "I I vi Vsus2"),
        "minor": ("i i bVIIsus2 i", "i IVsus2 i bVIIsus2", "i bIII i bVIIsus2", "i bVIIsus2 IVsus2 i", "i i IVsus2 i"),
    },
    "arcade": {
        "major": ("I V vi IV", "I IV V I", "I vi IV V", "I iii IV V", "I I-V vi-IV V"),
        "minor": ("i bVI iv V", "i bVII bVI V", "i iv V i", "i V bVI V", "i i-bVI iv V"),
    },
}  # fmt: skip
AWAY: Phrases = {
    "plain": {
        "major": ("IV I IV V", "vi IV I V", "IV I ii V", "vi V IV V", "IV V I V"),
        "minor": ("iv i iv V", "bVI bVII i V", "bIII bVII i V", "bVI i iv V"),
    },
    "functional": {
        "major": ("vi ii V I", "IV I ii V", "IV V vi V", "ii V I V", "vi iii IV V"),
        "minor": ("bVI iv i V", "iv i iih7 V", "iv bVII bIII V", "bVI bIII iv V"),
    },
    "sevenths": {
        "major": ("IVmaj7 iii7 ii7 V7sus", "IVmaj7 Imaj7 ii7 V7", "vi7 IVmaj7 Imaj7 V7sus", "ii7 V7 Imaj7 V7"),
        "minor": ("bVImaj7 i7 iv7 V7", "iv7 i7 bVImaj7 V7", "bVImaj7 bVII7 i7 V7"),
    },
    "jazz": {
        "major": ("IVmaj7 iii7 ii7 V7", "ii7 V7 Imaj7 V7", "vi7 ii7 Imaj7 ii7-V7", "iii7 vi7 ii7 V7"),
        "minor": ("iv7 i7 iih7 V7", "bVImaj7 i6 iih7 V7", "iv7 bVII7 bIIImaj7 V7", "iih7 V7 i6 V7"),
    },
    "modal": {
        "major": ("IVadd9 Iadd9 IVadd9 Vsus", "vi7 IVadd9 I Vsus", "IVadd9 iii7 I V"),
        "minor": ("bVI iadd9 iv v7", "iv iadd9 bVI bVII", "bVI bVII i v7"),
    },
    "loops": {
        "major": ("IV I vi V", "vi IV I V", "IV V I V", "IV I IV V"),
        "minor": ("bVI bVII i V", "iv i bVI V", "bVI i bVII V", "iv bVI i V"),
    },
    "bossa": {
        "major": ("IVmaj7 iii7 ii7 V7", "ii7 V7 Imaj7 V7sus", "vi7 ii7 Imaj7 V7"),
        "minor": ("iv7 i7 iih7 V7", "bVImaj7 i6 iih7 V7", "iv7 V7 i7 V7"),
    },
    "rock": {
        "major": ("IV I IV V", "vi IV I V", "IV V I V", "ii IV I V"),
        "minor": ("bVI bVII i V", "iv i bVI V", "bVI i iv V"),
    },
    "funk": {
        "major": ("IVmaj7 I6 IVmaj7 V7sus", "ii7 V7sus I6 V7", "vi7 ii7 I6 V7sus"),
        "minor": ("iv7 i7 iv7 V7", "bVImaj7 i7 iv7 V7", "iv7 bVImaj7 i7 V7"),
    },
    "open": {
        "major": ("vi I Vsus2 Vsus2", "Vsus2 I vi Vsus2", "IIsus2 I Vsus2 I"),
        "minor": ("bIII i bVIIsus2 i", "IVsus2 i bVIIsus2 bVIIsus2", "bVIIsus2 i IVsus2 bVIIsus2"),
    },
    "arcade": {
        "major": ("IV I vi V", "vi iii IV V", "IV V I V", "ii V I V"),
        "minor": ("bVI bVII i V", "iv i bVI V", "iv bVII bIII V"),
    },
}
# The two bars before the last chord; a shorter ending takes the second.
CADENCES: Phrases = {
    "plain": {"major": ("IV V", "ii V", "I-IV V"), "minor": ("iv V", "bVI V", "i-iv V")},
    "functional": {"major": ("ii7 V", "IV Vsus-V", "I ii-V"), "minor": ("iv V", "iih7 V", "i iv-V")},
    "sevenths": {"major": ("ii7 V7", "IVmaj7 V7sus"), "minor": ("iv7 V7", "bVImaj7 V7")},
    "jazz": {"major": ("ii7 V7", "Imaj7 ii7-V7"), "minor": ("iih7 V7", "i6 iih7-V7")},
    "modal": {"major": ("IVadd9 Vsus", "vi7 IVadd9"), "minor": ("bVI v7", "iv bVII")},
    "loops": {"major": ("IV V", "vi V"), "minor": ("bVI V", "iv V", "bVI bVII")},
    "bossa": {"major": ("ii7 V7", "IVmaj7 V7sus"), "minor": ("iih7 V7", "iv7 V7")},
    "rock": {"major": ("IV V", "IV-V I-V"), "minor": ("bVI V", "iv V")},
    "funk": {"major": ("ii7 V7sus", "IVmaj7 V7"), "minor": ("iv7 V7", "bVImaj7 V7")},
    "open": {"major": ("vi Vsus2", "I Vsus2"), "minor": ("IVsus2 bVIIsus2", "i bVIIsus2")},
    "arcade": {"major": ("IV V", "ii V"), "minor": ("iv V", "bVI V")},
}
LAST: dict[str, dict[Mode, str]] = {
    "plain": {"major": "I", "minor": "i"},
    "functional": {"major": "I", "minor": "i"},
    "sevenths": {"major": "Imaj7", "minor": "iadd9"},
    "jazz": {"major": "I6", "minor": "i6"},
    "modal": {"major": "Iadd9", "minor": "iadd9"},
    "loops": {"major": "I", "minor": "i"},
    "bossa": {"major": "I6", "minor": "i6"},
    "rock": {"major": "I", "minor": "i"},
    "funk": {"major": "I6", "minor": "i7"},
    "open": {"major": "I", "minor": "i"},
    "arcade": {"major": "I", "minor": "i"},
}
