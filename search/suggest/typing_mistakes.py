"""The texts that are one typing mistake away: a letter too many, missing or wrong, or two neighbours exchanged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from catalog.text.tokenizer import unspaced

MIN_LETTERS = 4  # a shorter text is too near to too many others
FIXED_START_LETTERS = 4  # up to this length the first letter must be right: "case" is no vase
MAX_LETTERS = 24
MAX_ALPHABET = 80  # the most frequent letters of the shop that are tried


def can_be_mended(text: str) -> bool:
    """Return whether a normalised word is of a length and a script in which a mistake can be told from a word."""
    return MIN_LETTERS <= len(text) <= MAX_LETTERS and not unspaced(text) and not text.isdecimal()


def near_spellings(text: str, alphabet: Iterable[str]) -> Iterator[str]:
    """Yield the texts that differ from `text` by one mistake; `alphabet` has the letters that may be missing or wrong.

    The first letter stays in a text of FIXED_START_LETTERS. A text may come twice.
    """
    if not can_be_mended(text):
        return
    letters = [letter for letter in alphabet if _same_script(letter, text)]
    first = 1 if len(text) <= FIXED_START_LETTERS else 0
    for at in range(first, len(text)):
        head, tail = text[:at], text[at + 1 :]
        yield head + tail
        if tail:
            yield head + tail[0] + text[at] + tail[1:]
        for letter in letters:
            yield head + letter + tail
            yield head + letter + text[at:]
    for letter in letters:
        yield text + letter


def _same_script(letter: str, text: str) -> bool:
    """Return whether a letter stands within the blocks that the letters of a text are from, roughly."""
    return any(letter.isascii() == other.isascii() and abs(ord(letter) - ord(other)) < 256 for other in text)
