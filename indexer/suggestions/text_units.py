"""Turn the texts of products into sequences of numbered words, and remember how the shop spells each word."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from catalog.text.tokenizer import join_compound, normalise, split_compound, tokenise, unspaced
from indexer.suggestions.unspaced_words import UnspacedWords

BREAK = -1  # ends a sequence: the words on both sides of it are not neighbours

MAX_PIECES = 12  # of a text that is typed

Place = tuple[int, int, str]  # from and to in the normalised text, and the word


class WordNumbers:
    """Numbers words in the order in which they come. `spellings` has those that differ from the normalised word."""

    def __init__(self, unspaced_words: UnspacedWords) -> None:
        self.numbers: dict[str, int] = {}
        self.spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.whole = {BREAK}  # the numbers of words that are more than parts of compounds, and BREAK
        self._unspaced_words = unspaced_words
        self._checked: dict[tuple[str, str], bool] = {}

    def read(self, text: str) -> list[int]:
        """Return the words of a text as numbers, with BREAKs where words do not follow one another, and at the end.

        Parts of compounds, and words within longer ones, come behind, each by itself.
        """
        if text.isascii() and text.isalnum():
            number = self.numbers.setdefault(text.lower(), len(self.numbers))
            self.whole.add(number)
            return [number, BREAK]
        normalised = normalise(text)
        sequence: list[int] = []
        parts: list[int] = []
        places: list[Place] = []
        numbers, end = self.numbers, 0
        for start, stop, piece in tokenise(normalised):
            if sequence and normalised[end:start].strip():
                sequence.append(BREAK)
            end = stop
            if piece.isalnum() and (piece.isascii() or not unspaced(piece)):
                sequence.append(numbers.setdefault(piece, len(numbers)))
                places.append((start, stop, piece))
            elif unspaced(piece):
                self._read_run(piece, start, sequence, parts, places)
            else:
                sequence.append(numbers.setdefault(piece, len(numbers)))
                places.append((start, stop, piece))
                for word in compound_words(piece):
                    parts += (numbers.setdefault(word, len(numbers)), BREAK)
        if not text.isascii():
            self._note_spellings(text, normalised, places)
        self.whole.update(sequence)
        return [*sequence, BREAK, *parts]

    def spelling(self, word: str, count: int) -> str:
        """Return how the shop spells a word that `count` products have, in most of them, in lower case."""
        if word not in self.spellings:
            return word
        (spelling, times), *_ = self.spellings[word].most_common(1)
        return spelling if times >= count - self.spellings[word].total() else word

    def _read_run(self, run: str, start: int, sequence: list[int], parts: list[int], places: list[Place]) -> None:
        successive, others = self._unspaced_words.find(run)
        end = 0
        for first, last in successive:
            if first > end:
                sequence.append(BREAK)
            sequence.append(self.numbers.setdefault(run[first:last], len(self.numbers)))
            end = last
        if end < len(run):
            sequence.append(BREAK)
        for first, last in others:
            parts += (self.numbers.setdefault(run[first:last], len(self.numbers)), BREAK)
        places += ((start + first, start + last, run[first:last]) for first, last in (*successive, *others))

    def _note_spellings(self, text: str, normalised: str, places: Iterable[Place]) -> None:
        """Count how the words of a text are spelled, where the text and its normalised form have the same places."""
        composed = unicodedata.normalize("NFC", text)
        found: Iterable[tuple[str, str]]
        if len(composed) == len(normalised):
            found = ((composed[start:stop], word) for start, stop, word in places)
        else:
            found = _spelled_alone(composed)
        for written, word in found:
            spelling = written.lower()
            if (spelling, word) not in self._checked:
                self._checked[spelling, word] = normalise(spelling) == word
            if self._checked[spelling, word]:
                self.spellings[word][spelling] += 1


def pieces_of(text: str) -> list[str]:
    """Return the words of a text, the last MAX_PIECES of them, normalised; a run without spaces is one."""
    return [piece for _, _, piece in tokenise(normalise(text))][-MAX_PIECES:]


def compound_words(piece: str) -> list[str]:
    """Return the parts of a compound and the compound as one word; none for a piece that is no compound."""
    words = [word for _, _, word in split_compound(piece)]
    return [*words, join_compound(piece)] if len(words) > 1 else []


def _spelled_alone(text: str) -> Iterator[tuple[str, str]]:
    """Yield the words of a text that stand between blanks, as written and normalised."""
    for chunk in text.split():
        normalised = normalise(chunk)
        pieces = list(tokenise(normalised))
        if len(chunk) == len(normalised):
            yield from ((chunk[start:stop], piece) for start, stop, piece in pieces)
        elif len(pieces) == 1 and pieces[0][2] == normalised:
            yield chunk, normalised
