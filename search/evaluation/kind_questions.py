"""Measure short questions, such as "red mug": is the right kind first, with the right attributes?

A question names a kind of thing, and perhaps attributes; the truth comes from the products' categories and attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.errors import BadFeed
from catalog.text.labelled_csv import LabelledRow, Progress, in_batches, read_labelled_csv
from search.engine import SearchEngine
from search.evaluation.catalogue_grader import CatalogueGrader, KindQuestion
from search.evaluation.graded import DEPTH, GradedRanking
from search.evaluation.statistics import mean, measured
from search.hits import SearchPage
from search.query.terms import Query

QUERY, KIND, LANGUAGE, SPLIT = "query", "kind", "lang", "split"
SEPARATOR = "|"  # between kinds that are equally right
NEAR_TOP = 3
SHOWN_FAILURES, SHOWN_HITS = 20, 3
MEASURES: Mapping[str, Callable[[GradedRanking], float | None]] = {
    "kind_at_1": lambda ranking: ranking.kind_first,
    f"kind_in_{NEAR_TOP}": lambda ranking: ranking.kind_among(NEAR_TOP),
    f"kind_recall_at_{DEPTH}": lambda ranking: ranking.kind_recall(),
    "pair_at_1": lambda ranking: ranking.pair_first,
    f"pairs_in_{DEPTH}": lambda ranking: ranking.pair_share(),
    f"ndcg_at_{DEPTH}": lambda ranking: ranking.ndcg(),
}


@dataclass(frozen=True, slots=True)
class GradedAnswer:
    """A question with its first page and the grades of its hits; a question that failed has no page and no hits."""

    question: KindQuestion
    page: SearchPage | None
    ranking: GradedRanking

    @property
    def failure(self) -> tuple[bool, bool, float]:
        """Return a key that sorts the worst answers first."""
        ranking = self.ranking
        return ranking.kind_first, ranking.pair_first is not False, ranking.ndcg() or 0.0


@dataclass(frozen=True, slots=True)
class KindEvaluation:
    """The graded answers to a file of questions. Every row counts; a question that failed is a miss."""

    answers: tuple[GradedAnswer, ...]
    generation: int
    encoder: str
    unknown_kinds: tuple[str, ...]  # that no product of the shop has; their questions are misses
    rejected: tuple[dict[str, Any], ...]

    @property
    def languages(self) -> tuple[str, ...]:
        """Return the languages that the file names, in its order."""
        return tuple(dict.fromkeys(answer.question.language for answer in self.answers if answer.question.language))

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON values, with those of each of several languages, and the worst answers."""
        languages = self.languages if len(self.languages) > 1 else ()
        by_language = {
            language: kind_figures([answer for answer in self.answers if answer.question.language == language])
            for language in languages
        }
        return {
            **kind_figures(self.answers),
            "generation": self.generation,
            "encoder": self.encoder,
            "languages": by_language,
            "unknown_kinds": list(self.unknown_kinds),
            "failures": [_failure(answer) for answer in worst_answers(self.answers)],
            "rejected": list(self.rejected),
        }


def kind_figures(answers: Sequence[GradedAnswer]) -> dict[str, Any]:
    """Return each measure, its interval, and the number of questions that have it, as JSON values.

    Questions whose pair the shop does not have count for the kind and the gain alone.
    """
    figures: dict[str, Any] = {"queries": len(answers)}
    for name, measure in MEASURES.items():
        values = [value for answer in answers if (value := measure(answer.ranking)) is not None]
        figures |= {f"{name}_queries": len(values), **measured(name, mean, [float(value) for value in values])}
    return figures


def worst_answers(answers: Sequence[GradedAnswer], count: int = SHOWN_FAILURES) -> list[GradedAnswer]:
    """Return the worst of the answers whose first hit is of another kind, or lacks an attribute that a product has."""
    failed = [answer for answer in answers if answer.failure[:2] != (True, True)]
    return sorted(failed, key=lambda answer: (answer.failure, answer.question.text))[:count]


def evaluate_questions(engine: SearchEngine, path: Path | str, progress: Progress = list) -> KindEvaluation:
    """Search with every question of a CSV file with the columns query and kind, and grade the first hits.

    Kinds that are equally right have "|" between them. A column lang names the question's language. Every other column
    is an attribute of products (colour, brand ...) and holds the value that the question asks for; a blank cell asks
    for none. Raises BadFeed when the file cannot be read or has a column that no product has.
    """
    path = Path(path)
    rows = read_labelled_csv(path, (QUERY, KIND))
    grader = CatalogueGrader.of(engine.home)
    questions = [_question(row) for row in rows]
    _check_columns(path, rows, grader)
    answers, refused = grade_questions(engine, grader, questions, progress)
    blank = "The field kind is blank."
    reasons = [refused.get(row.values[QUERY], "" if row.values[KIND] else blank) for row in rows]
    status = engine.status()
    unknown = {kind for question in questions for kind in question.kinds if not grader.of_kinds((kind,))}
    return KindEvaluation(
        answers,
        status.generation,
        status.encoder,
        tuple(sorted(unknown)),
        tuple(
            {"line": row.line, QUERY: row.values[QUERY], "reason": reason}
            for row, reason in zip(rows, reasons, strict=True)
            if reason
        ),
    )


def grade_questions(
    engine: SearchEngine, grader: CatalogueGrader, questions: Sequence[KindQuestion], progress: Progress = list
) -> tuple[tuple[GradedAnswer, ...], dict[str, str]]:
    """Return a graded answer to each question, and the reasons of the texts that could not be searched for."""
    pages: dict[str, SearchPage] = {}
    refused: dict[str, str] = {}
    texts = list(dict.fromkeys(question.text for question in questions))
    for batch, queries in in_batches(progress(texts), lambda text: Query.of(text=text, k=DEPTH), refused):
        pages.update(zip(batch, engine.search_many(queries), strict=True))
    graded = []
    for question in questions:
        page = pages.get(question.text)
        graded.append(GradedAnswer(question, page, grader.ranking(question, page.hits if page else ())))
    return tuple(graded), refused


def _question(row: LabelledRow) -> KindQuestion:
    kinds = tuple(kind.strip() for kind in row.values[KIND].split(SEPARATOR) if kind.strip())
    attributes = {column: value for column, value in _attributes(row).items() if value}
    return KindQuestion(row.values[QUERY], kinds, attributes, row.values.get(LANGUAGE, ""))


def _attributes(row: LabelledRow) -> dict[str, str]:
    return {name: value for name, value in row.values.items() if name not in (QUERY, KIND, LANGUAGE, SPLIT)}


def _check_columns(path: Path, rows: Sequence[LabelledRow], grader: CatalogueGrader) -> None:
    columns = dict.fromkeys(name for row in rows for name, value in _attributes(row).items() if value)
    for column in columns:
        if not grader.has_attribute(column):
            raise BadFeed(
                f"{path} has a column {column!r}, and no product of the shop has that attribute.",
                f"Besides {QUERY}, {KIND} and {LANGUAGE}, columns are attributes of the shop's products, like colour.",
            )


def _failure(answer: GradedAnswer) -> dict[str, Any]:
    hits = answer.page.hits[:SHOWN_HITS] if answer.page else ()
    return {
        QUERY: answer.question.text,
        KIND: SEPARATOR.join(answer.question.kinds),
        **answer.question.attributes,
        "hits": [hit.product.title for hit in hits],
    }
