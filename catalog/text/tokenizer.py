"""Normalise and tokenise text, the same way for products and queries.

Latin words lose case and accents. The index stores them as the text has them; a query looks for singular and plural.
Chinese and Japanese have no spaces: their runs become single characters and bigrams, so that words of one and two
characters are found too, which trigrams would miss.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

ANALYSIS = 1  # raise it whenever `indexed` or `code` gives other words: older catalogues are then indexed again

_HAN = (
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_PLAIN = rf"[^\W_{_HAN}]+"
_TOKEN = re.compile(rf"[{_HAN}]+|\d+(?:[.,]\d+)+(?:{_PLAIN})?|{_PLAIN}(?:[-'’&]{_PLAIN})*")
_JOINT = re.compile(r"[-'’&]")
_PART = re.compile(r"[^-'’&]+")
_ACCENTS = re.compile("[\u0300-\u036f]")
_UNSPACED = re.compile(rf"[{_HAN}]")
_NOT_CODE = re.compile(r"[\W_]+")

# Only where the forms differ and shops use them. Each traditional character is followed by its simplified one.
_PAIRS = Path(__file__).with_name("traditional_simplified.txt").read_text(encoding="utf-8").split()
_TRADITIONAL = str.maketrans({pair[0]: pair[1] for pair in _PAIRS})

# Plurals that no rule of `singularise` covers, and words that look like plurals.
with Path(__file__).with_name("singulars.csv").open(encoding="utf-8", newline="") as _file:
    _SINGULARS = {row["word"]: row["singular"] for row in csv.DictReader(_file)}
_SINGULAR_FORMS: dict[str, list[str]] = {}
for _form, _singular in _SINGULARS.items():
    _SINGULAR_FORMS.setdefault(_singular, [_singular]).append(_form)
_ES = ("sses", "shes", "ches", "xes")
_TAKES_ES = ("s", "x", "z", "ch", "sh")
_NO_PLURAL = ("ss", "us", "is")
_PLURAL_FROM = 4  # characters


def normalise(text: str) -> str:
    """Return `text` in lower case and usual width, without accents, traditional characters as simplified ones."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_TRADITIONAL)
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", plain)))


def singularise(word: str) -> str:
    """Return the singular of a normalised English word: "shirts" -> "shirt", "dresses" -> "dress"; others unchanged."""
    if word in _SINGULARS:
        return _SINGULARS[word]
    if len(word) < _PLURAL_FROM or not word.endswith("s") or not word.isalpha() or word.endswith(_NO_PLURAL):
        return word
    if word.endswith("ies") and len(word) > _PLURAL_FROM:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(_ES) else word[:-1]


@lru_cache(maxsize=4096)
def forms(word: str) -> tuple[str, ...]:
    """Return the forms to search for with a normalised word: "shirts" -> "shirt", "shirts"."""
    singular = singularise(word)
    if singular in _SINGULAR_FORMS:
        return tuple(dict.fromkeys(_SINGULAR_FORMS[singular]))
    if not (singular.isascii() and singular.isalpha()) or len(singular) < _PLURAL_FROM - 1:
        return (word,)
    plural = singular + ("es" if singular.endswith(_TAKES_ES) else "s")
    if singular.endswith("y"):
        plural = singular[:-1] + "ies"
    return tuple(dict.fromkeys((singular, word, singular + "s", plural)))


def unspaced(text: str) -> bool:
    """Tell whether `text` has characters of a script that is written without spaces."""
    return _UNSPACED.search(text) is not None


def tokenise(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and piece of a normalised text; a piece is a word, or a run without spaces."""
    for match in _TOKEN.finditer(text):
        yield match.start(), match.end(), match.group()


def split_compound(piece: str) -> list[tuple[int, int, str]]:
    """Return start, end and word of each part of a compound: "t-shirts" -> "t", "shirts"; "men's" -> "men"."""
    parts = [(match.start(), match.end(), match.group()) for match in _PART.finditer(piece)]
    return parts[:-1] if len(parts) > 1 and parts[-1][2] == "s" else parts


def join_compound(piece: str) -> str:
    """Return a compound as one word: "t-shirts" -> "tshirts"."""
    return _JOINT.sub("", piece)


def indexed(text: str) -> Iterator[str]:
    """Yield the words under which a product's text is indexed."""
    for _, _, piece in tokenise(normalise(text)):
        if unspaced(piece):
            yield from piece
            yield from bigrams(piece)
            continue
        words = [word for _, _, word in split_compound(piece)]
        yield from words
        if len(words) > 1:
            yield join_compound(piece)


def bigrams(run: str) -> list[str]:
    """Return each two neighbouring characters of a run: "运动鞋" -> ["运动", "动鞋"]."""
    return [run[at : at + 2] for at in range(len(run) - 1)]


def code(text: str) -> str:
    """Return a whole value as one word, for exact matches: "WH-1000 XM4" -> "wh1000xm4"."""
    return _NOT_CODE.sub("", normalise(text))
