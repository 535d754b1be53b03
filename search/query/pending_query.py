"""Queries that are encoded while their words are looked up, and waited for when a vector is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from catalog.errors import BadInput, WindowshopError
from indexer.types import Floats
from search.execution.deadlines import ENCODER, VECTOR, Deadline, StepRunner, as_step
from search.execution.step_timing import ENCODE, timed
from search.query.query_encoder import EncodedQuery, PendingQueries, QueryEncoder, StoredRow, TextRewriter
from search.query.terms import ProductTerm, Query, TextTerm


@dataclass(slots=True)
class QueryEncoding:
    """Queries that are being encoded.

    Where that fails and the encoding `can_fail`, a single query has no vector, and `degraded` names the step.
    """

    queries: Sequence[Query]
    deadline: Deadline | None
    pending: PendingQueries | WindowshopError
    stored_row: StoredRow
    key_of: Callable[[str], int]  # the key of a product by its id
    can_fail: bool = False
    degraded: tuple[str, ...] = ()
    encoded: Sequence[EncodedQuery] = ()  # once they are

    @classmethod
    def begin(
        cls,
        encoder: QueryEncoder,
        queries: Sequence[Query],
        rewrite: TextRewriter,
        stored_row: StoredRow,
        key_of: Callable[[str], int],
        batches: tuple[StepRunner, Deadline | None],
    ) -> QueryEncoding:
        """Begin to encode a single query on other threads, or encode several on this one. Raises BadInput."""
        steps, deadline = batches
        pending: PendingQueries | WindowshopError
        try:
            with timed(ENCODE), as_step(ENCODER, deadline):
                pending = encoder.begin(queries, rewrite, (steps, deadline) if len(queries) == 1 else None)
        except BadInput:
            raise
        except WindowshopError as error:
            pending = error
        return cls(queries, deadline, pending, stored_row, key_of)

    def result(self) -> Sequence[EncodedQuery]:
        """Return the encoded queries. Raises BadInput, and what fails."""
        if self.encoded:
            return self.encoded
        try:
            with timed(ENCODE), as_step(ENCODER, self.deadline):
                if isinstance(self.pending, WindowshopError):
                    raise self.pending
                self.encoded = self.pending.result(self.stored_row)
        except BadInput:
            raise
        except WindowshopError:
            if not self.can_fail:
                raise
            (query,) = self.queries
            named = [term.product_id for term in query.terms if isinstance(term, ProductTerm)]
            self.encoded = [EncodedQuery(query, None, tuple(map(self.key_of, named)))]
            self.degraded = (VECTOR,)
        return self.encoded

    def drop(self) -> None:
        """Stop waiting for the vectors."""
        if not isinstance(self.pending, WindowshopError):
            self.pending.drop()


@dataclass(frozen=True, slots=True)
class PendingQuery:
    """One of the queries that are being encoded."""

    encoding: QueryEncoding
    place: int

    @property
    def query(self) -> Query:
        """The query, its pictures as vectors; one of text alone is not waited for."""
        query = self.encoding.queries[self.place]
        return query if all(isinstance(term, TextTerm) for term in query.terms) else self.encoded().query

    def encoded(self) -> EncodedQuery:
        """Return the encoded query."""
        return self.encoding.result()[self.place]

    def vector(self) -> Floats | None:
        """Return its vector; None without terms, and when the encoder was late."""
        return self.encoded().vector
