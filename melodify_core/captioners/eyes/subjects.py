"""The subjects that a picture can show, with the ImageNet classes that count for them, and their kinds.

No words of any language: the palette has them. The numbers are the classes of ILSVRC 2012, 0..999.
"""

from typing import Literal, get_args

import numpy as np

from melodify_core.captioners.eyes.weights import Array

Kind = Literal[
    "animal", "bird", "building", "city", "flower", "food", "forest", "furniture", "instrument", "machine", "mountain",
    "people", "plane", "sea", "ship", "snow", "stage", "train", "vehicle", "water",
]  # fmt: skip

# Per kind, the classes of each subject; those under "" count for the kind alone.
_CLASSES: dict[Kind, dict[str, str]] = {
    "animal": {
        "dog": "151-268", "cat": "281-285", "wolf": "269-272", "fox": "277-280", "big cat": "286-293",
        "bear": "294-297", "panda": "388", "ape": "365-369", "monkey": "370-382", "elephant": "101 385-386",
        "horse": "339", "zebra": "340", "cow": "345-347", "sheep": "348-350", "antelope": "351-353", "camel": "354",
        "llama": "355", "pig": "341-343", "hippopotamus": "344", "rabbit": "330-332", "squirrel": "335",
        "hamster": "333 338", "turtle": "33-37", "lizard": "38-48", "crocodile": "49-50", "snake": "52-68",
        "frog": "30-32", "spider": "72-77", "insect": "300-320", "butterfly": "321-326", "snail": "113-114",
        "": "25-29 69-71 78-79 102-106 273-276 298-299 334 336-337 356-364 383-384 387",
    },
    "bird": {
        "penguin": "145", "parrot": "87-90", "owl": "24", "duck": "97-99", "swan": "100", "flamingo": "130",
        "rooster": "7-8", "": "9-23 80-86 91-96 127-129 131-144 146",
    },
    "sea": {
        "seashore": "976-978", "coral reef": "973 108-109", "whale": "147-148", "sea lion": "150",
        "fish": "0-6 389-397",
        "jellyfish": "107", "crab": "118-121", "lobster": "122-124", "starfish": "327", "breakwater": "460",
        "diver": "983", "": "110 115-117 125 149 328-329",
    },
    "water": {"lakeside": "975", "fountain": "562", "dam": "525"},
    "mountain": {"mountains": "970 979", "volcano": "980", "cliff": "972", "": "974"},
    "snow": {"winter sport": "795 802 450", "dog sled": "537", "": "803"},
    "forest": {"mushroom": "947 991-997"},
    "flower": {"flower": "985-986", "rapeseed": "984"},
    "building": {
        "church": "497", "castle": "483", "mosque": "668", "palace": "698", "pagoda": "832", "monastery": "663",
        "arch": "873", "cottage": "853", "barn": "425", "yurt": "915", "greenhouse": "580", "boathouse": "449",
        "library": "624 453 454", "dome": "538", "": "442 498 500 682 858 660",
    },
    "city": {
        "bridge": "821 839 888", "pier": "718", "street": "919-920 704", "shop": "415 467 509 582 788 860 865 424",
        "restaurant": "762",
    },
    "vehicle": {
        "car": "436 468 475 479 511 609 627 656 661 717 751 817 407 581", "truck": "555 569 675 864 867",
        "bus": "654 779 874", "motorbike": "665 670", "bicycle": "444 671", "tractor": "866 856 595",
        "": "573 575 734 757 847 586 603 612 690",
    },
    "train": {"train": "466 547 565 705 820", "tram": "829"},
    "plane": {"aeroplane": "404 895 908", "balloon": "417", "airship": "405", "rocket": "657 744 812",
        "parachute": "701"},
    "ship": {
        "sailing boat": "780 871 914 484", "ship": "403 510 628 724", "boat": "472 554 576 625 814",
        "harbour": "536", "": "913",
    },
    "food": {
        "pizza": "963", "ice cream": "928-929", "bread": "930-932", "burger": "933", "fruit": "948-957",
        "vegetables": "936-946", "coffee": "967", "wine": "907 966", "beer": "440-441", "dessert": "927 960",
        "dish": "923-926 934 935 959 961 962 964 965 969", "cup": "504 968", "teapot": "849", "": "505 550",
    },
    "instrument": {
        "guitar": "402 546", "piano": "579 881", "violin": "889", "cello": "486", "drum": "541", "flute": "558",
        "saxophone": "776", "trumpet": "513", "trombone": "875", "french horn": "566", "harp": "594", "organ": "687",
        "accordion": "401", "harmonica": "593", "marimba": "642", "oboe": "683", "bassoon": "432", "banjo": "420",
        "": "494 577 641 684 699 822",
    },
    "machine": {
        "computer": "508 527 620 664 673 681", "telephone": "487 528 707", "camera": "732 759", "clock": "409 892",
        "typewriter": "878", "sewing machine": "786", "crane": "517", "radio": "632 754 848 482",
        "": "540 561 688 694 739 740 755 778 826 835 897",
    },
    "furniture": {
        "chair": "559 765", "sofa": "831", "bed": "564 750", "table": "532", "lamp": "619 846", "candle": "470",
        "": "423 493 526 553 721 894",
    },
    "stage": {"stage": "819", "": "854 818"},
}  # fmt: skip
# Screens, pages and prints: a picture in which the network sees these is not a photo of things.
_PAGES = "916-918 921-922 549 611 646 692 794"


def _numbers(classes: str) -> list[int]:
    ranges = [part.split("-") for part in classes.split()]
    return [number for first, *last in ranges for number in range(int(first), int((last or [first])[0]) + 1)]


SUBJECTS: dict[str, Kind] = {subject: kind for kind, subjects in _CLASSES.items() for subject in subjects if subject}
KINDS: tuple[Kind, ...] = get_args(Kind)
_BY_SUBJECT = {subject: _numbers(part[subject]) for part in _CLASSES.values() for subject in part if subject}
_BY_KIND = {kind: _numbers(" ".join(subjects.values())) for kind, subjects in _CLASSES.items()}
_PAGE_CLASSES = _numbers(_PAGES)


def subject_shares(probabilities: Array) -> dict[str, float]:
    """Return the probability of each subject, the largest first."""
    shares = {subject: float(probabilities[classes].sum()) for subject, classes in _BY_SUBJECT.items()}
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def kind_shares(probabilities: Array) -> dict[Kind, float]:
    """Return the probability of each kind, the largest first."""
    shares = {kind: float(probabilities[classes].sum()) for kind, classes in _BY_KIND.items()}
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def page_share(probabilities: Array) -> float:
    """Return the probability that a picture is a page or a screen."""
    return float(np.asarray(probabilities)[_PAGE_CLASSES].sum())


def scatter(probabilities: Array) -> float:
    """Return the entropy of the probabilities: 0 bits for a single class, 10 bits when all are equal."""
    present = probabilities[probabilities > 0]
    return float(-(present * np.log2(present)).sum())
