"""Stems of German, French and Spanish words, as their terms and a shop's words are compared: "roten" -> "rot"."""

from __future__ import annotations

import re
import threading
from functools import lru_cache

import Stemmer

STEMMED = {"de": "german", "fr": "french", "es": "spanish"}
MIN_STEM = 3  # letters; a shorter one stands for too many words
MAX_ENDING = 4  # letters in which two forms of a word may differ behind what they share
_CACHE = 1 << 15

# Words are compared without accents, so that the stemmer does not see that "rayée" is a form of "rayé". Of the forms
# that it leaves apart, these are frequent in names of things: the first that fits is made one.
_FORMS = {
    "de": (
        (re.compile(r"(?<=[a-z]{2}[^aeiouy])le[mnrs]?$"), "el"),  # "dunkles", "edler"
        (re.compile(r"(?<=[a-z]{2})erne[mnrs]?$"), "ern"),  # "silberne"
    ),
    "fr": (
        (re.compile(r"(?<=[a-z]{2})eu(?:ses?|x)$"), "eux"),
        (re.compile(r"(?<=[a-z]{2})ives?$"), "if"),
        (re.compile(r"(?<=[a-z])eaux$"), "eau"),
        (re.compile(r"(?<=[a-z]{2})aux$"), "al"),
        (re.compile(r"(?<=[a-z]{2})elles?$"), "el"),
        (re.compile(r"(?<=[a-z]{2})i?ennes?$"), "ien"),
        (re.compile(r"(?<=[a-z]{2})eres?$"), "er"),
        (re.compile(r"^(blanc|fran|fraic)hes?$"), r"\1"),
        (re.compile(r"^(long)ues?$"), r"\1"),
        (re.compile(r"^seches?$"), "sec"),
        (re.compile(r"^(gri|bas|gros|epais)s?(?:es?|s)?$"), r"\1"),
        (re.compile(r"(?<=[a-z]{3})(?:ees?|es|e|s)$"), ""),
    ),
    "es": ((re.compile(r"(?<=[a-z])ces$"), "z"),),
}

_stemmers = {language: Stemmer.Stemmer(name, 0) for language, name in STEMMED.items()}
_lock = threading.Lock()  # a stemmer is used by one thread at a time


@lru_cache(maxsize=_CACHE)
def stem(word: str, language: str) -> str:
    """Return the stem of a word without accents in lower case; the word itself in a language without stems."""
    if language not in STEMMED or not word.isalpha():
        return word
    for ending, plain in _FORMS[language]:
        word, count = ending.subn(plain, word)
        if count:
            break
    with _lock:
        stemmed: str = _stemmers[language].stemWord(word)
    return stemmed


def is_form(word: str, other: str) -> bool:
    """Return whether two words of the same stem differ in their ending only: "rotes", "rot"; not "moteada", "moto"."""
    shared = next(
        (at for at, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), min(len(word), len(other))
    )
    return max(len(word), len(other)) - shared <= MAX_ENDING
