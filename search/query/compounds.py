"""Find the compounds of a shop's words: "topf" is part of "kochtopf", "redbull" is "red" and "bull".

Whether two words grow together does not follow from their letters ("car" is no part of "carpet"), so the encoder's
words help: what it knows as one word is no compound, and what is left of a compound should be a word.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence

from catalog.text.quantities import has_digit, quantity_of
from catalog.text.tokenizer import forms, normalise, tokenise, unspaced
from search.language.english import FUNCTION_WORDS, is_english
from search.language.stems import stem
from search.language.terms import GERMAN

KnowsWord = Callable[[str], bool | None]  # whether the encoder knows a word as one; None when it cannot tell

MIN_PART = 3  # letters of a part of a compound
SURE_PART = 4  # letters of a part that hardly ends another word by chance; a word of the encoder needs one more
MAX_NUMBER = 6  # characters of a number that is joined to the word before it: "PS 5", "M 10"
MIN_SPLIT = 6  # letters of a word that is split
MAX_COMPOUNDS = 32  # of one part, the most frequent ones
_LINKS = ("en", "er", "es", "e", "n", "o", "s")  # letters that join the parts: "Bücher-regal", "Arbeit-s-tisch"
_ENDINGS = frozenset({"able", "al", "ed", "er", "ers", "es", "ful", "ing", "ings", "ish", "less", "ly", "ness", "y"})
_EMPTY_TEXT = (
    "no not nor but so if then than what who where when which how why do does did done have has had was were been am "
    "can could would will should may might must there here yes ok hi hello thanks all every each both very too more "
    "most less also just only about into out up down off other such same own now again got us them they she him "
    "hers ours yours theirs myself yourself"
)
_EMPTY_WORDS = frozenset(_EMPTY_TEXT.split())
_INFLECTIONS = ("ed", "ing", "ings", "er", "ers", "y", "ly", "ally", "less", "ness")
_DOUBLED = re.compile(r"[^aeiou][aeiou]([^aeiou])\1$")  # "ribbed", "chopping"; not "earring"
_LETTERS = re.compile(r"[a-z\u00df-\u00f6\u00f8-\u024f\u0370-\u03ff\u0400-\u052f]+")  # Latin, Greek and Cyrillic
# "wh1000xm5" may be written "wh 1000 xm 5", "wh1000 xm5" or "wh 1000xm 5".
_LETTERS_AND_NUMBERS = tuple(map(re.compile, (r"[^\W\d_]+|\d+", r"[^\W\d_]*\d+|[^\W\d_]+", r"\d+[^\W\d_]*|[^\W\d_]+")))
_LAST = "\U0010ffff"


def cannot_tell(word: str) -> bool | None:
    """Answer as an encoder that does not tell which words it knows."""
    return None


def can_read(word: str, knows: KnowsWord) -> bool:
    """Return whether an encoder can make sense of a word: it knows it, its parts, or its stem; True if it cannot tell.

    Of a rare English word every encoder has pieces that mean something together ("duvet"), unlike of "qwrtz".
    A single letter and words such as "no" and "what" mean nothing alone.
    """
    if knows(word) is None:
        return True
    if len(word) < 2 or word in FUNCTION_WORDS or word in _EMPTY_WORDS:
        return False
    if any(map(knows, (word, *forms(word)))):
        return True
    if is_english(word):
        return True
    splits = ((word[:at], word[at:]) for at in range(MIN_PART, len(word)))
    return any(knows(first) and (rest in _ENDINGS or (len(rest) >= MIN_PART and knows(rest))) for first, rest in splits)


def letters_and_numbers(word: str) -> list[tuple[str, ...]]:
    """Return the words that a word of letters and digits may be written as: "ps5" -> ("ps", "5"); none for others."""
    if not has_digit(word) or not word.isalnum() or unspaced(word) or quantity_of(word):
        return []
    return list(
        dict.fromkeys(words for pattern in _LETTERS_AND_NUMBERS if len(words := tuple(pattern.findall(word))) > 1)
    )


def words_of_letters(text: str) -> Iterator[str]:
    """Yield the words of a text that have no digit: numbers mean nothing to an encoder."""
    return (piece for _, _, piece in tokenise(text) if not any(map(str.isdigit, piece)))


def joined_words(text: str, known: Callable[[Sequence[str]], bool]) -> dict[str, list[str]]:
    """Return the neighbouring words of a text that the shop writes as one: {"tea": ["teapot"], "pot": ["teapot"]}.

    `known` tells whether a product has one of some words.
    """
    pairs: list[tuple[str, str]] = []
    normalised = normalise(text)
    before, before_end = "", 0
    for start, end, piece in tokenise(normalised):
        is_word = piece.isalpha() and not unspaced(piece)
        is_number = piece[0].isdecimal() and piece.isalnum() and len(piece) <= MAX_NUMBER
        if before and (is_word or is_number) and normalised[before_end:start].isspace():
            pairs.append((before, piece))
        before, before_end = piece if is_word else "", end
    joined: dict[str, list[str]] = {}
    if pairs and known([form for pair in pairs for form in forms("".join(pair))]):
        for pair in pairs:
            if known(forms("".join(pair))):
                for word in pair:
                    joined.setdefault(word, []).append("".join(pair))
    return joined


class CompoundVocabulary:
    """A shop's words, sorted from both ends. Never changes."""

    def __init__(self, words: Iterable[tuple[str, int]]) -> None:
        self._counts = {word: count for word, count in words if len(word) >= MIN_PART and _LETTERS.fullmatch(word)}
        self._words = sorted(self._counts)
        self._backwards = sorted(word[::-1] for word in self._counts)

    def compounds_of(self, part: str, knows: KnowsWord = cannot_tell) -> tuple[str, ...]:
        """Return the shop's words that begin or end with a word and are compounds of it, the most frequent first."""
        if len(part) < MIN_PART or part in FUNCTION_WORDS or not _LETTERS.fullmatch(part):
            return ()
        found = [word for word in self._ending(part) if self._is_head(part, word, knows)]
        found += [word for word in _starting(self._words, part) if self._is_modifier(part, word, knows)]
        return tuple(sorted(set(found), key=lambda word: (-self._counts[word], word))[:MAX_COMPOUNDS])

    def compounds_in(self, part: str, language: str, knows: KnowsWord = cannot_tell) -> tuple[str, ...]:
        """Return the compounds of a word of a language; without any those of its stem: "wandregal" for "regale"."""
        found = self.compounds_of(part, knows)
        return found if found or language != GERMAN else self.compounds_of(stem(part, language), knows)

    def split(self, word: str, knows: KnowsWord = cannot_tell) -> tuple[str, str] | None:
        """Return the two words of the shop that a word is made of; None when there are none, or it is one word."""
        if len(word) < MIN_SPLIT or not _LETTERS.fullmatch(word) or knows(word):
            return None
        places = sorted(range(MIN_PART, len(word) - MIN_PART + 1), key=lambda at: abs(2 * at - len(word)))
        for linked in (False, True):
            for at in places:
                second = word[at:]
                for first in _without_link(word[:at]) if linked else (word[:at],):
                    if self._has(first) and self._has(second):
                        return first, second
        return None

    def split_in(self, word: str, language: str, knows: KnowsWord = cannot_tell) -> tuple[str, str] | None:
        """Do as `split` for a word of a language that writes compounds as one word; return None in others."""
        return self.split(word, knows) if language == GERMAN else None

    def words_around(self, part: str) -> Iterator[str]:
        """Yield the shop's words that begin or end with a word and have at least MIN_PART letters more."""
        if len(part) >= MIN_PART:
            around = itertools.chain(self._ending(part), _starting(self._words, part))
            yield from (word for word in around if len(word) >= len(part) + MIN_PART)

    def _ending(self, part: str) -> Iterator[str]:
        return (word[::-1] for word in _starting(self._backwards, part[::-1]))

    def _is_head(self, part: str, word: str, knows: KnowsWord) -> bool:
        """Return whether a word that ends with a part is a kind of it: a Kochtopf is a Topf."""
        rest = word[: -len(part)]
        if len(rest) < MIN_PART or knows(word) or self._is_inflected(word, knows):
            return False
        foreign = not knows(part)
        if len(part) < SURE_PART:
            known = self._has(rest) or (bool(knows(rest)) and not word.endswith(_INFLECTIONS))
            return known or (foreign and self._is_ending(part))
        if len(part) > SURE_PART or foreign or self._is_ending(part):
            return True
        return any(self._is_word(left, knows) for left in (rest, *_without_link(rest)))

    def _is_modifier(self, part: str, word: str, knows: KnowsWord) -> bool:
        """Return whether a word that begins with a part has to do with it: a Kaffeetasse is for Kaffee."""
        rest = word[len(part) :]
        if len(rest) < MIN_PART or knows(word) or self._is_inflected(word, knows):
            return False
        if len(part) < SURE_PART:
            return self._has(rest)
        if knows(part) is False and (len(rest) >= SURE_PART or (len(part) > SURE_PART and rest not in _ENDINGS)):
            return True
        rests = (rest, *(rest.removeprefix(link) for link in _LINKS if len(rest) - len(link) >= MIN_PART))
        return any(self._is_word(left, knows) for left in rests)

    def _is_word(self, word: str, knows: KnowsWord) -> bool:
        return word not in _ENDINGS and (self._has(word) or (len(word) >= SURE_PART and bool(knows(word))))

    def _is_ending(self, part: str) -> bool:
        """Return whether several words of the shop end with this one."""
        rests = {forms(word)[0][: -len(part)] for word in self._ending(part)}
        return len([rest for rest in rests if len(rest) >= MIN_PART]) > 1

    def _is_inflected(self, word: str, knows: KnowsWord) -> bool:
        """Return whether a word is a form of another word: "tapered" is no kind of red, nor "ribbed" of bed."""
        for ending in _INFLECTIONS:
            stem = word.removesuffix(ending)
            if stem != word and len(stem) >= MIN_PART:
                stems = (stem, f"{stem}e", stem[:-1] if _DOUBLED.search(stem) else stem)
                if any(stem in self._counts or knows(stem) for stem in stems):
                    return True
        return False

    def _has(self, word: str) -> bool:
        return word not in FUNCTION_WORDS and any(form in self._counts for form in forms(word))


def _starting(words: Sequence[str], start: str) -> Iterator[str]:
    """Yield the words, sorted, that begin with `start`, except itself."""
    for at in range(bisect_left(words, start), bisect_left(words, start + _LAST)):
        if words[at] != start:
            yield words[at]


def _without_link(word: str) -> list[str]:
    """Return a compound's first part without the letters that may join it to the second."""
    return [word[: -len(link)] for link in _LINKS if word.endswith(link) and len(word) - len(link) >= MIN_PART]
