"""Bring the spellings of a text to one: case, width, accents, strokes, vowel points, digits, invisible characters.

What Unicode's data tell is derived from them; `letters.csv` adds what they do not, such as ə and ة.
"""

from __future__ import annotations

import csv
import itertools
import re
import unicodedata
from collections.abc import Collection
from pathlib import Path

from catalog.text.numerals import digits_for_chinese, plain_numerals
from catalog.text.scripts import MARKS, UNSPACED

__all__ = ["UNSPACED", "normalise", "respellings"]

MAX_COMBINED = 3  # letters with two spellings of which every combination is looked for; of more all or none

_VOWEL_SIGN = re.compile(f"[{MARKS}]")
_LETTER_NAME = re.compile(
    r"(?P<script>LATIN|CYRILLIC) (?:(?:SMALL|CAPITAL|LETTER) )+(?P<shape>.+?)(?: DIGRAPH)?(?: WITH .*)?"
)
_SHAPES = re.compile(r"^(?:(?:DOTLESS|BARRED|OPEN|CLOSED|TURNED|REVERSED|INSULAR|SIDEWAYS|SCRIPT|LONG|STRAIGHT) )+")
_ARABIC = "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc"
_PERSIAN_JOINT = re.compile(rf"(?<=[{_ARABIC}])\u200c+(?=[{_ARABIC}])")
_VARIANT = re.compile("\u200d(?:[\u2640\u2642]|[\U0001f9b0-\U0001f9b3])")  # of an emoji: its gender, its hair
_NUMERAL = re.compile(r"[\d\u00bc-\u00be\u2150-\u215e\u2189]")
_THAI_SPELLING = re.compile("(\u0e40\u0e40)|\u0e4d([\u0e48-\u0e4b])")
# Hindi, Marathi and Gujarati write a nasal before a letter of its own row as a dot just as well: कम्बल is कंबल.
_NASALS = re.compile(
    "|".join(
        f"{chr(nasal + block)}{chr(0x94D + block)}(?=[{chr(nasal - 4 + block)}-{chr(nasal - 1 + block)}])"
        for block in (0, 0x180)
        for nasal in (0x919, 0x91E, 0x923, 0x928, 0x92E)
    )
)


def _read(text: str) -> str:
    return chr(int(text[2:], 16)) if text.startswith("U+") else text


with Path(__file__).with_name("letters.csv").open(encoding="utf-8", newline="") as _file:
    _ROWS = [(_read(row["character"]), row["plain"], row["also"]) for row in csv.DictReader(_file)]
# Only where the forms differ and shops use them. Each traditional character is followed by its simplified one.
_PAIRS = Path(__file__).with_name("traditional_simplified.txt").read_text(encoding="utf-8").split()
_SIMPLIFIED = str.maketrans({pair[0]: pair[1] for pair in _PAIRS})
_PLAIN: dict[str, str] = {pair[0]: pair[1] for pair in _PAIRS} | {letter: plain for letter, plain, _ in _ROWS}
_ALSO: dict[str, str] = {case: also for letter, _, also in _ROWS if also for case in (letter, letter.upper())}
_ALSO_LETTER = re.compile(f"[{''.join(_ALSO)}]")


def normalise(text: str) -> str:
    """Return `text` in lower case and usual width, with ASCII digits and one spelling of what is written in several.

    Accents, strokes, vowel points and characters that nobody sees are nothing; hyphens and apostrophes are "-" and "'";
    traditional Chinese characters are simplified ones. Vowel signs stay where a word is another one without them.
    """
    if text.isascii():
        return text.lower()
    if _NUMERAL.search(text):
        text = plain_numerals(text)
    if "\u200c" in text:
        text = _PERSIAN_JOINT.sub("-", text)  # its parts are words, and so is the whole
    if "\u200d" in text:
        text = _VARIANT.sub("", text)
    folded = unicodedata.normalize("NFC", text).translate(_FOLDING)
    if "\u094d" in folded or "\u0acd" in folded:
        folded = _NASALS.sub(lambda match: "\u0902" if match[0][-1] == "\u094d" else "\u0a82", folded)
    if "\u0e4d" in folded or "\u0e40\u0e40" in folded:
        folded = _THAI_SPELLING.sub(lambda match: "\u0e41" if match[1] else f"{match[2]}\u0e4d", folded)
    return digits_for_chinese(unicodedata.normalize("NFC", folded))


def simplified(text: str) -> str:
    """Return a text with simplified Chinese characters where shops write them in place of traditional ones."""
    return text.translate(_SIMPLIFIED)


def respellings(text: str) -> list[str]:
    """Return `text`, normalised, in the other spellings of its letters that have two: "Brød" -> "broed"; mostly none.

    A letter is spelled alike in all its places. Several letters are combined only when they are in one word.
    """
    if text.isascii() or not _ALSO_LETTER.search(text := unicodedata.normalize("NFC", text)):
        return []
    if _NUMERAL.search(text):
        text = plain_numerals(text)
    letters = sorted({letter.lower() for letter in _ALSO_LETTER.findall(text)})
    sets = [letters] if letters else []
    if 1 < len(letters) <= MAX_COMBINED and any(len(set(_ALSO_LETTER.findall(word))) > 1 for word in text.split()):
        sets += [list(some) for size in range(1, len(letters)) for some in itertools.combinations(letters, size)]
    return [normalise(_respell(text, some)) for some in sets]


def _respell(text: str, letters: Collection[str]) -> str:
    return _ALSO_LETTER.sub(lambda match: _ALSO[match[0]] if match[0].lower() in letters else match[0], text)


def _fold(character: str) -> str:
    """Return what one character is after folding, by `letters.csv`, else by its category, decomposition and name."""
    if (plain := _PLAIN.get(character)) is not None:
        return plain
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category == "Cf":
        return ""
    if category[0] == "M":
        name = unicodedata.name(character, "")
        return character if _VOWEL_SIGN.match(character) and not name.endswith("SIGN NUKTA") else ""
    for form in ("NFC", "NFKC", "NFD"):  # a capital may have a row of the table, and a ligature letters that have one
        parts = unicodedata.normalize(form, character)
        parts = parts if form == "NFD" else parts.casefold()
        if parts != character:
            folded = unicodedata.normalize("NFC", "".join(map(_fold, parts)))
            return folded.strip() if character.isalnum() else folded
    return _without_stroke(character)


def _without_stroke(letter: str) -> str:
    """Return the letter that another is a variant of by its name: "LATIN SMALL LETTER L WITH STROKE" is an "l"."""
    match = _LETTER_NAME.fullmatch(unicodedata.name(letter, ""))
    if match is None:
        return letter
    base = _SHAPES.sub("", match["shape"])
    if match["script"] == "LATIN" and len(base) <= 2 and base.isalpha():
        return base.lower()
    try:
        found = unicodedata.lookup(f"{match['script']} SMALL LETTER {base}")
    except KeyError:
        return letter
    return letter if found == letter else _fold(found)


class _Folding(dict[int, str | int]):
    """A table for `str.translate` that works out a character when it is first met.

    Code points without a character are not remembered, so that no text can fill the memory with them.
    """

    def __missing__(self, point: int) -> str | int:
        character = chr(point)
        folded = _fold(character)
        result = point if folded == character else folded
        if unicodedata.category(character) not in ("Cn", "Co", "Cs"):
            self[point] = result
        return result


_FOLDING = _Folding()
