"""Normalise and tokenise text, the same way for products and queries.

`folding` makes one spelling of several. The index stores words as the text has them; a query looks for both numbers.
Chinese, Japanese, Thai and others have no spaces: their runs become single units and bigrams, so that words of one and
two characters are found too, which trigrams would miss. A pictograph is a word.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from catalog.text.folding import normalise, respellings
from catalog.text.quantities import has_digit, quantity_end, quantity_of
from catalog.text.scripts import MARKS, UNSPACED, bigrams, clusters, unspaced
from catalog.text.token_patterns import patterns_for

__all__ = ["ANALYSIS", "bigrams", "clusters", "code", "codes", "forms", "indexed", "join_compound", "normalise"]
__all__ += ["other_spellings", "singularise", "split_compound", "tokenise", "unspaced"]

ANALYSIS = 2  # raise it whenever `indexed` or `code` gives other words: older catalogues are then indexed again


_UNSPACED_START = re.compile(rf"[{UNSPACED}]")
_JOINT = re.compile(r"[-'&]")
_PART = re.compile(r"[^-'&]+")
_NOT_CODE = re.compile(rf"(?:(?![{MARKS}])[\W_])+")

_ARABIC_WORD = re.compile("[\u0621-\u06d3]+")
_JOINED_ARTICLES = ("وال", "بال", "كال", "فال", "لل")  # "and the", "with the", "as the", "so the", "to the"
_SHORT_STEM = 2  # letters; a shorter one is no word, and one of so many is not taken out of a joined article
_ARTICLE = re.compile(rf"^(?:ال(?=.{{{_SHORT_STEM}}})|(?:{'|'.join(_JOINED_ARTICLES)})(?=.{{{_SHORT_STEM + 1}}}))")

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
    """Return the forms to search for with a normalised word: "shirts" -> "shirt", "shirts".

    An Arabic word is looked for with and without its article, also where a preposition joins it.
    """
    if _ARABIC_WORD.fullmatch(word):
        return _with_and_without_article(word)
    singular = singularise(word)
    if singular in _SINGULAR_FORMS:
        return tuple(dict.fromkeys(_SINGULAR_FORMS[singular]))
    if not (singular.isascii() and singular.isalpha()) or len(singular) < _PLURAL_FROM - 1:
        return (word,)
    plural = singular + ("es" if singular.endswith(_TAKES_ES) else "s")
    if singular.endswith("y"):
        plural = singular[:-1] + "ies"
    return tuple(dict.fromkeys((singular, word, singular + "s", plural)))


def _with_and_without_article(word: str) -> tuple[str, ...]:
    stem = _ARTICLE.sub("", word)
    joined = _JOINED_ARTICLES if len(stem) > _SHORT_STEM else ()
    articles = ("", "ال", *joined) if len(stem) >= _SHORT_STEM else ()
    return tuple(dict.fromkeys((word, *(article + stem for article in articles))))


def tokenise(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and piece of a normalised text; a piece is a word, or a run without spaces."""
    if has_digit(text):
        yield from _tokenise_with_quantities(text)
        return
    for match in patterns_for(text).token.finditer(text):
        yield match.start(), match.end(), match.group()


def _tokenise_with_quantities(text: str) -> Iterator[tuple[int, int, str]]:
    patterns = patterns_for(text)
    at = 0
    while found := patterns.number_or_token.search(text, at):
        start, at = found.span()
        if found["number"] is not None:
            at = quantity_end(text, start)
            if at == start:
                match = patterns.token.match(text, start)
                at = match.end() if match else start + 1
                if match is None:
                    continue
        yield start, at, text[start:at]


def split_compound(piece: str) -> list[tuple[int, int, str]]:
    """Return start, end and word of each part of a compound: "t-shirts" -> "t", "shirts"; "men's" -> "men"."""
    parts = [(match.start(), match.end(), match.group()) for match in _PART.finditer(piece)]
    return parts[:-1] if len(parts) > 1 and parts[-1][2] == "s" else parts


def join_compound(piece: str) -> str:
    """Return a compound as one word: "t-shirts" -> "tshirts"."""
    return _JOINT.sub("", piece)


def indexed(text: str) -> Iterator[str]:
    """Yield the words under which a product's text is indexed."""
    normalised = normalise(text)
    pieces = [piece for _, _, piece in tokenise(normalised)]
    digits = has_digit(normalised)
    for piece in pieces:
        quantity = quantity_of(piece) if digits else None
        if quantity:
            yield from quantity.words
        for part in _units_of(piece) if quantity else (piece,):
            if not part.isascii() and _UNSPACED_START.match(part):
                yield from clusters(part)
                yield from bigrams(part)
            else:
                yield from _words(part)
    if not text.isascii():
        for words in _respelled(text, pieces).values():
            yield from words


def _units_of(piece: str) -> list[str]:
    """Return the words of a quantity that are no numbers; those that a number begins are in the quantity's own."""
    return [part for part in patterns_for(piece).token.findall(piece) if not part[0].isdigit()]


def other_spellings(text: str) -> dict[str, list[str]]:
    """Return the words of a text that have other spellings, with these: "Brød" -> {"brod": ["broed"]}."""
    return {} if text.isascii() else _respelled(text, [piece for _, _, piece in tokenise(normalise(text))])


def _respelled(text: str, pieces: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for respelling in respellings(text):
        others = [piece for _, _, piece in tokenise(respelling)]
        if len(others) != len(pieces):
            continue  # a unit that is one in one spelling only: the words are not those of the same places
        for piece, other in zip(pieces, others, strict=True):
            if piece == other:
                continue
            for word, spelling in zip(_words(piece), _words(other), strict=False):
                if word != spelling and spelling not in found.setdefault(word, []):
                    found[word].append(spelling)
    return found


def _words(piece: str) -> list[str]:
    """Return the words of a piece that is written with spaces: its parts, and for a compound also the whole."""
    if piece.isalnum():
        return [piece]
    words = [word for _, _, word in split_compound(piece)]
    return [*words, join_compound(piece)] if len(words) > 1 else words


def code(text: str) -> str:
    """Return a whole value as one word, for exact matches: "WH-1000 XM4" -> "wh1000xm4"."""
    return _NOT_CODE.sub("", normalise(text))


def codes(text: str) -> list[str]:
    """Return a whole value as one word in each of its spellings: "Götz" -> "gotz", "goetz"; none without letters."""
    spellings = (normalise(text), *respellings(text))
    return list(dict.fromkeys(filter(None, (_NOT_CODE.sub("", spelling) for spelling in spellings))))
