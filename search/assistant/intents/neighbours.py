"""The nearest examples of a message: a vote on its label, and the texts that it is like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from indexer.numeric import unit
from search.assistant.intents.examples import IntentExample
from search.assistant.intents.heads import normalised
from search.text_heads.language_means import LanguageMeans
from search.text_heads.neighbours import neighbour_shares
from search.text_heads.text_vectors import TextVectors


@dataclass(frozen=True, slots=True)
class Vote:
    """The label that most near examples have, its share of the vote, and the cosine of the nearest of them."""

    label: str
    share: float
    cosine: float


class LabelledNeighbours:
    """Labelled texts to compare messages with, of any language. Threads share it."""

    def __init__(self, examples: Sequence[IntentExample], vectors: TextVectors, means: LanguageMeans) -> None:
        languages, labels = [example.language for example in examples], [example.intent for example in examples]
        rows = vectors.multilingual([normalised(example.text) for example in examples])
        self._means = means
        self._rows = unit(self._means.centre(rows, languages))
        self._names, self._places = np.unique(np.asarray(labels, dtype=str), return_inverse=True)
        self._vectors = vectors

    def __len__(self) -> int:
        return len(self._places)

    def vote(self, text: str, language: str) -> Vote | None:
        """Return the label of the nearest texts; None without any text."""
        if not len(self):
            return None
        row = unit(self._means.centre(self._vectors.multilingual([normalised(text)]), [language]))
        shares = neighbour_shares(row, self._rows, self._places, len(self._names))[0]
        best = int(shares.argmax())
        cosine = float((self._rows[self._places == best] @ row[0]).max())
        return Vote(str(self._names[best]), float(shares[best]), cosine)
