"""Questions and passages as the model compares them: vectors without the means of their languages, and words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from catalog.text.glossary import ENGLISH
from catalog.text.scripts import unspaced
from catalog.text.tokenizer import indexed, singularise
from indexer.numeric import unit
from indexer.types import Floats, Ids
from search.assistant.policies.markdown import joined_sentences
from search.assistant.policies.passage import Passage
from search.text_heads.language_means import LanguageMeans
from search.text_heads.text_vectors import TextVectors

PIECE, UNSPACED_PIECE = 220, 80  # characters that fit into the 64 tokens of a vector
FEW_WORDS, FEW_CHARACTERS = 5, 12  # up to which a passage is read with its heading
_QUESTION_MARKS = ("?", "？")


@dataclass(frozen=True, slots=True)
class Centres:
    """What is subtracted from vectors of questions and passages: means of each language, and MiniLM's of English."""

    questions: LanguageMeans
    passages: LanguageMeans
    english: Floats  # (2, 384): of questions, of passages


@dataclass(frozen=True, slots=True)
class EncodedQuestions:
    """Questions as unit vectors, float32 (n, 384); MiniLM's are 0 for other languages than English."""

    multilingual: Floats
    english: Floats
    languages: tuple[str, ...]
    words: tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class EncodedPassages:
    """Passages in pieces that fit a vector: unit vectors (pieces, 384), and the place of the passage of each piece."""

    owners: Ids  # (pieces,), ascending from 0
    multilingual: Floats
    english: Floats
    languages: tuple[str, ...]  # of each passage
    words: tuple[frozenset[str], ...]  # of each passage

    def part(self, places: Sequence[int]) -> EncodedPassages:
        """Return some of the passages, in the order given."""
        chosen = [np.flatnonzero(self.owners == place) for place in places]
        rows = np.concatenate(chosen) if chosen else np.zeros(0, np.int64)
        owners = np.repeat(np.arange(len(places)), [len(own) for own in chosen])
        return EncodedPassages(
            owners,
            self.multilingual[rows],
            self.english[rows],
            tuple(self.languages[place] for place in places),
            tuple(self.words[place] for place in places),
        )


def encode_questions(
    texts: Sequence[str], languages: Sequence[str], vectors: TextVectors, centres: Centres
) -> EncodedQuestions:
    """Return questions, whose languages are given, as the model compares them."""
    read = [plain(text) for text in texts]
    rows = unit(centres.questions.centre(vectors.multilingual(read), languages))
    english = _english_rows(read, languages, vectors, centres.english[0])
    return EncodedQuestions(rows, english, tuple(languages), tuple(words_of(text) for text in texts))


def encode_passages(passages: Sequence[Passage], vectors: TextVectors, centres: Centres) -> EncodedPassages:
    """Return passages as the model compares them; a long one is read in several pieces."""
    pieces = [pieces_of(passage) for passage in passages]
    owners = np.repeat(np.arange(len(passages)), [len(own) for own in pieces])
    texts = [text for own in pieces for text in own]
    languages = [passages[owner].language for owner in owners.tolist()]
    rows = unit(centres.passages.centre(vectors.multilingual(texts), languages))
    english = _english_rows(texts, languages, vectors, centres.english[1])
    words = tuple(words_of(f"{passage.heading} {passage.text}") for passage in passages)
    return EncodedPassages(owners, rows, english, tuple(passage.language for passage in passages), words)


def plain(question: str) -> str:
    """Return a question as the model reads it: with single spaces, and without marks at its end."""
    return " ".join(question.split()).rstrip(" .!?;:。！？；：") or question


def pieces_of(passage: Passage) -> list[str]:
    """Return the texts whose vectors stand for a passage.

    A passage of a few words is read with its heading, and a heading that is a question is read beside its answer.
    """
    longest = UNSPACED_PIECE if unspaced(passage.text) else PIECE
    size = len(passage.text.split())
    few = len(passage.text) <= FEW_CHARACTERS if unspaced(passage.text) else size <= FEW_WORDS
    text = f"{passage.heading}: {passage.text}" if few and passage.heading else passage.text
    pieces = [text] if len(text) <= longest else joined_sentences(text, longest)
    if passage.heading.endswith(_QUESTION_MARKS):
        pieces.append(passage.heading[:longest])
    return pieces or [passage.text[:longest]]


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text as the shop's text index has them, without plurals."""
    return frozenset(singularise(word) for word in indexed(text))


def word_shares(question: frozenset[str], passages: Sequence[frozenset[str]]) -> Floats:
    """Return the share of a question's words that each passage holds, weighted by IDF among the passages (n,)."""
    total = len(passages)
    idf = {}
    for word in question:
        count = sum(word in words for words in passages)
        idf[word] = math.log(1 + (total - count + 0.5) / (count + 0.5))
    whole = sum(idf.values()) or 1.0
    return np.array([sum(idf[word] for word in question & words) / whole for words in passages], np.float32)


def _english_rows(texts: Sequence[str], languages: Sequence[str], vectors: TextVectors, mean: Floats) -> Floats:
    rows = np.zeros((len(texts), len(mean)), np.float32)
    places = [place for place, language in enumerate(languages) if language == ENGLISH]
    if places:
        rows[places] = unit(vectors.english([texts[place] for place in places]) - mean)
    return rows
