"""Encode a query into one vector: the sum of its terms' vectors, each block times its weight."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from catalog.errors import BadQuery, UnsupportedQuery
from indexer.encoders.base import BaseEncoder, Encoder
from indexer.layout import WORDS, RowLayout
from indexer.numeric import unit
from indexer.types import Floats, Pixels
from search.execution.batches import BatchWork
from search.execution.deadlines import PICTURES, TEXTS, Deadline, PendingStep, StepRunner, done_step
from search.query.refine_token import quantised, with_vectors
from search.query.terms import LEXICAL, PictureTerm, ProductTerm, Query, Term, TextTerm, VectorTerm

StoredRow = Callable[[str], tuple[int, Floats]]  # product id -> its key and row
TextRewriter = Callable[[str], str]  # a text as typed -> as the encoder should read it
Batches = tuple[StepRunner, Deadline | None] | None  # what runs the batches of several callers, and until when


@dataclass(frozen=True, slots=True)
class EncodedQuery:
    """A query with its pictures as vectors, and the vector whose dot product with a row is the score."""

    query: Query
    vector: Floats | None  # None without terms, and when the encoder was late
    excluded: tuple[int, ...] = ()  # keys of products that may not be hits


@dataclass(frozen=True, slots=True)
class PendingQueries:
    """Queries of which pictures and texts are being encoded; without shared batches, they have been."""

    encoder: QueryEncoder
    queries: Sequence[Query]
    texts: int  # text terms of all queries
    steps: Sequence[PendingStep[list[Any]]]  # of pictures, of texts

    def result(self, stored_row: StoredRow) -> list[EncodedQuery]:
        """Return the encoded queries. Raises BadQuery; of shared batches DeadlineExceeded, StepFailed, Overloaded."""
        try:
            rows, lines = [step.result() for step in self.steps]
        except BaseException:  # nobody waits for the others any more
            self.drop()
            raise
        return self.encoder.combine(self.queries, rows, lines, self.texts, stored_row)

    def drop(self) -> None:
        """Stop waiting for the result."""
        for step in self.steps:
            step.drop()


class QueryEncoder:
    """Encodes queries. Threads share it; it has no state.

    `encode_rows` and `encode_lines` are what batches of several callers run.
    """

    def __init__(self, encoder: Encoder, layout: RowLayout, weights: Mapping[str, Mapping[str, float]]) -> None:
        self._encoder = encoder
        self._layout = layout
        self._weights = weights
        self._text_blocks = frozenset(block.name for block in layout.blocks if block.texts)

    def require_texts(self) -> None:
        """Raise UnsupportedQuery when text cannot be encoded."""
        if not self._text_blocks:
            raise UnsupportedQuery(
                f"This shop's encoder, {self._encoder.spec.name!r}, cannot read words.",
                "Search with a picture, or index the shop with an encoder that reads words.",
            )

    def knows_word(self, word: str) -> bool | None:
        """Return whether the encoder has a word, in lower case, as one piece; None when it cannot tell."""
        return self._encoder.knows_word(word) if isinstance(self._encoder, BaseEncoder) else None

    def check(self, query: Query) -> None:
        """Refuse a query that this shop cannot answer, before the costly part. Raises BadQuery, UnsupportedQuery."""
        if any(isinstance(term, TextTerm) for term in query.terms):
            self.require_texts()
        for name, weight in (query.blocks or {}).items():
            if name == LEXICAL:
                if not 0 <= weight <= 1:
                    raise BadQuery(f"The share of {name!r} is {weight}, which is outside 0 to 1.", "Use 0.5.")
            elif name not in self._layout.names:
                blocks = ", ".join(self._layout.names)
                raise BadQuery(f"There is no block {name!r} to weigh.", f"This shop's blocks are: {blocks}.")
            elif not math.isfinite(weight) or abs(weight) > 10:
                raise BadQuery(f"The weight of block {name!r} is {weight}, which is outside -10 to 10.", "Use 0 to 1.")

    def encode(
        self, queries: Sequence[Query], stored_row: StoredRow, rewrite: TextRewriter = str, batches: Batches = None
    ) -> list[EncodedQuery]:
        """Encode queries as `begin` does, and wait for them. Raises what the result raises."""
        return self.begin(queries, rewrite, batches).result(stored_row)

    def begin(self, queries: Sequence[Query], rewrite: TextRewriter = str, batches: Batches = None) -> PendingQueries:
        """Begin to encode queries: all pictures in one batch, all texts in another, `rewrite` applied.

        An encoder of many languages gets a text as typed as well: the vector is the sum of both. With `batches`, the
        batches are shared with other callers, and run while the caller does other work. Raises BadQuery, Overloaded.
        """
        for query in queries:
            self.check(query)
        pictures = [term.picture for query in queries for term in query.terms if isinstance(term, PictureTerm)]
        typed = [term.words for query in queries for term in query.terms if isinstance(term, TextTerm)]
        lines = self._lines(typed, rewrite)
        prepared = [self._encoder.prepare(picture) for picture in pictures]
        steps: list[tuple[str, BatchWork, Sequence[Any]]] = [
            (PICTURES, self.encode_rows, prepared),
            (TEXTS, self.encode_lines, lines),
        ]
        return PendingQueries(self, queries, len(typed), _begun(steps, batches))

    def combine(
        self,
        queries: Sequence[Query],
        rows: Sequence[Floats],
        line_rows: Sequence[Floats],
        texts: int,
        stored_row: StoredRow,
    ) -> list[EncodedQuery]:
        """Return queries with the rows of all their pictures, and of all lines of their `texts`. Raises BadQuery."""
        vectors = iter(quantised(np.stack(rows), self._encoder.blocks) if len(rows) else ())
        text_vectors = iter(self._layout.queries(self._text_rows(line_rows, texts)) if texts else ())
        return [self._combine(with_vectors(query, vectors), text_vectors, stored_row) for query in queries]

    def encode_rows(self, prepared: Sequence[Pixels]) -> Floats:
        """Encode prepared pictures, uint8 (size, size, 3) each, to rows."""
        return self._encoder.encode_pixels(np.stack(prepared))

    def encode_lines(self, lines: Sequence[str]) -> Floats:
        """Encode texts to rows."""
        return self._encoder.encode_texts(lines)

    def picture_query(self, term: VectorTerm) -> Floats:
        """Return the query vector of a picture alone."""
        return self._layout.query(term.vector, self._weights["picture"])

    def _lines(self, typed: Sequence[str], rewrite: TextRewriter) -> list[str]:
        """Return the texts that the encoder reads: rewritten, then also as typed where it reads many languages."""
        rewritten = [rewrite(text) for text in typed]
        multilingual = isinstance(self._encoder, BaseEncoder) and self._encoder.multilingual
        return rewritten if not multilingual or rewritten == list(typed) else [*rewritten, *typed]

    def _text_rows(self, line_rows: Sequence[Floats], count: int) -> Floats:
        if len(line_rows) == count:
            return np.stack(line_rows)
        both = np.stack(line_rows).reshape(2, count, -1)
        return unit(both.sum(axis=0))  # a row of text has one block, all else is 0

    def _combine(self, query: Query, text_vectors: Iterator[Floats], stored_row: StoredRow) -> EncodedQuery:
        total = np.zeros(self._layout.dim, dtype=np.float32)
        norm = 0.0
        excluded = []
        for term in query.terms:
            if isinstance(term, ProductTerm):
                key, vector = stored_row(term.product_id)
                excluded.append(key)
            else:
                vector = self._layout.queries(term.vector) if isinstance(term, VectorTerm) else next(text_vectors)
            weights = self._block_weights(query, term)
            total += term.weight * self._layout.weigh(vector, weights)
            norm += abs(term.weight) * sum(map(abs, weights.values()))
        if not query.terms:
            return EncodedQuery(query, None)
        if norm == 0.0:
            raise BadQuery("Every weight of the query is 0.", "Give at least one term and one of its blocks a weight.")
        return EncodedQuery(query, total / np.float32(norm), tuple(excluded))

    def _block_weights(self, query: Query, term: Term) -> dict[str, float]:
        weights = dict(self._weights["text" if isinstance(term, TextTerm) else "picture"])
        if WORDS in weights and all(isinstance(term, TextTerm) for term in query.terms):
            # Without a picture, titles count as much as pictures: see docs/decisions/block-weights.md.
            weights[WORDS] = max(weights.values())
        weights.update(query.blocks or {})
        if isinstance(term, TextTerm):
            return {name: weight for name, weight in weights.items() if name in self._text_blocks}
        return weights


def _begun(steps: Sequence[tuple[str, BatchWork, Sequence[Any]]], batches: Batches) -> list[PendingStep[list[Any]]]:
    """Begin each (name of the step, work, rows); without shared batches, do each."""
    begun: list[PendingStep[list[Any]]] = []
    try:
        for name, work, rows in steps:
            if batches is not None and rows:
                runner, deadline = batches
                begun.append(runner.begin_batched(name, deadline, work, rows))
            else:
                begun.append(done_step(name, partial(_results, work, rows)))
    except BaseException:  # nobody waits for the others any more
        for step in begun:
            step.drop()
        raise
    return begun


def _results(work: BatchWork, rows: Sequence[Any]) -> list[Any]:
    return list(work(rows)) if rows else []
