"""Classes of characters, from Unicode's data: marks that belong to words, scripts written without spaces, pictographs.

Each class is the inside of a pattern's brackets. They are read from `unicodedata` at import, which takes 2 ms.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence


def _characters(blocks: Iterable[tuple[int, int]], categories: str) -> Iterator[int]:
    for first, last in blocks:
        yield from (point for point in range(first, last + 1) if unicodedata.category(chr(point))[0] in categories)


def _class(points: Iterable[int]) -> str:
    """Return the points as the ranges of a pattern's class."""
    ranges: list[list[int]] = []
    for point in points:
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


# Blocks of scripts whose marks are vowels or finals: without them a word is another one. In all others a mark is an
# accent, a stress or a vowel point, which may be left out. The Vedic accents of Devanagari are such marks too.
_VOWEL_SIGNS = (
    (0x07A6, 0x07B0),  # Thaana
    (0x0900, 0x0950),
    (0x0955, 0x109F),  # India, Thai, Lao, Tibetan, Burmese
    (0x1700, 0x17FF),  # Philippines, Khmer
    (0x1900, 0x1AAF),  # Limbu, the Tai scripts, Buginese
    (0x1B00, 0x1C4F),  # Balinese, Sundanese, Batak, Lepcha
    (0xA800, 0xA8DF),
    (0xA8FF, 0xABFF),  # Saurashtra, Javanese, Cham, Tai Viet, Meetei Mayek
    (0x11000, 0x11FFF),  # the older scripts of India
    (0x16B00, 0x16F9F),  # Hmong, Miao
)
MARKS = _class(_characters(_VOWEL_SIGNS, "M")) + "\u3099\u309a"  # with the voiced marks of kana

# Chinese, Japanese and Korean: each character is a syllable or a word.
HAN = (
    "\u2e80-\u2fdf\u3005-\u3007\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U0001aff0-\U0001b16f\U00020000-\U0003ffff"
)

# Scripts of Southeast Asia without spaces between words: a letter with its marks is a syllable or a part of one.
_SOUTHEAST_BLOCKS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x1950, 0x19DF),  # Tai Le, New Tai Lue
    (0x1A20, 0x1AAF),  # Tai Tham
    (0x1B00, 0x1B7F),  # Balinese
    (0xA980, 0xA9FF),  # Javanese, Burmese
    (0xAA00, 0xAA7F),  # Cham, Burmese
    (0xAA80, 0xAADF),  # Tai Viet
)
SOUTHEAST = _class(_characters(_SOUTHEAST_BLOCKS, "LM"))
SPACED_MARKS = _class(sorted({*_characters(_VOWEL_SIGNS, "M")} - {*_characters(_SOUTHEAST_BLOCKS, "M")}))
_LEADING = "\u0e40-\u0e44\u0ec0-\u0ec4\u19b5-\u19b7\u19ba\uaab5\uaab6\uaab9\uaabb\uaabc"  # vowels before their letter
_TRAILING = "\u0e30\u0e32\u0e33\u0e45\u0eb0\u0eb2\u0eb3"  # vowels after it that Unicode counts as letters
_STACKERS = "\u1039\u17d2\u1a60\u1b44\ua9c0"  # put the next letter under the one before
_SOUTHEAST_MARKS = _class(_characters(_SOUTHEAST_BLOCKS, "M")) + _TRAILING
_AFTER = rf"(?:[{_STACKERS}][^{_SOUTHEAST_MARKS}{_LEADING}]|[{_SOUTHEAST_MARKS}])*"
_CLUSTER = re.compile(rf"[{_LEADING}]*[^{_SOUTHEAST_MARKS}{_LEADING}]{_AFTER}|[{_LEADING}]+|[{_SOUTHEAST_MARKS}]+")

# Pictures that people search for, each a word; not bullets, arrows, circled numbers and ornamental brackets.
PICTOGRAPHS = (
    "\u231a\u231b\u23e9-\u23fa\u2600-\u2767\u2794-\u27bf\u2b1b\u2b1c\u2b50\u2b55"
    "\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff"
)
FLAG_LETTERS = "\U0001f1e6-\U0001f1ff"  # two of them are a flag

UNSPACED = HAN + SOUTHEAST
_UNSPACED = re.compile(rf"[{UNSPACED}]")
_PICTOGRAPH = re.compile(rf"[{PICTOGRAPHS}{FLAG_LETTERS}]+")
_SOUTHEAST_START = re.compile(rf"[{SOUTHEAST}]")


def unspaced(text: str) -> bool:
    """Tell whether `text` has characters of a script that is written without spaces."""
    return not text.isascii() and _UNSPACED.search(text) is not None


def is_pictograph(word: str) -> bool:
    """Tell whether a word is a picture: "👗"."""
    return _PICTOGRAPH.fullmatch(word) is not None


def clusters(run: str) -> Sequence[str]:
    """Return the units of a run without spaces: "马克杯" -> "马", "克", "杯"; "จาน" -> "จา", "น"."""
    return _CLUSTER.findall(run) if _SOUTHEAST_START.match(run) else run


def bigrams(run: str) -> list[str]:
    """Return each two neighbouring units of a run: "运动鞋" -> ["运动", "动鞋"]."""
    units = clusters(run)
    if units is run:
        return [run[at : at + 2] for at in range(len(run) - 1)]
    return [first + second for first, second in itertools.pairwise(units)]
