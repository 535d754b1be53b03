"""Questions with known answers, asked of a shop as a client would ask them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from catalog.text.labelled_csv import in_batches
from search.engine import SearchEngine
from search.evaluation.evaluate import MRR_DEPTH, first_rank_of
from search.hits import SearchHit, SearchPage
from search.query.terms import Query, Term
from tests.quality.measures import Rank


@dataclass(frozen=True, slots=True)
class Question:
    """Words, or a photo's path; the product that is the right answer ("": the shop has none); its split."""

    asked: str
    product_id: str = ""
    split: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; without a page the question could not be asked, `refused` says why, and it is a miss."""

    question: Question
    page: SearchPage | None
    refused: str = ""

    @property
    def hits(self) -> tuple[SearchHit, ...]:
        """The products found, best first."""
        return self.page.hits if self.page else ()

    @property
    def rank(self) -> Rank:
        """The rank of the right product; None when it was not found."""
        return first_rank_of(self.hits, {self.question.product_id})


def ask(
    engine: SearchEngine, questions: Sequence[Question], term: Callable[[str], Term], k: int = MRR_DEPTH
) -> tuple[Answer, ...]:
    """The answer to each question, in order; `term` makes a query's term of what is asked."""
    pages: dict[str, SearchPage] = {}
    refused: dict[str, str] = {}
    different = dict.fromkeys(question.asked for question in questions)
    for asked, queries in in_batches(different, lambda key: Query((term(key),), k=k), refused):
        pages.update(zip(asked, engine.search_many(queries), strict=True))
    return tuple(Answer(q, pages.get(q.asked), refused.get(q.asked, "")) for q in questions)


def of_split(answers: Iterable[Answer], split: str) -> tuple[Answer, ...]:
    """The answers to the questions of one split."""
    return tuple(answer for answer in answers if answer.question.split == split)


def ranks(answers: Iterable[Answer]) -> list[Rank]:
    """The right products' ranks."""
    return [answer.rank for answer in answers]


def unreadable(answers: Iterable[Answer]) -> list[dict[str, str]]:
    """What could not be asked and why, as JSON values."""
    return [{"asked": answer.question.asked, "reason": answer.refused} for answer in answers if answer.refused]
