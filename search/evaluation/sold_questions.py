"""Measure the verdict on words: does the shop know what it sells, and how far are its probabilities off?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from catalog.errors import BadFeed, BadQuery
from catalog.feeds.rows.flags import parse_flag
from catalog.text.labelled_csv import LabelledRow, Progress, in_batches, read_labelled_csv
from search.engine import SearchEngine
from search.evaluation.graded import DEPTH
from search.evaluation.statistics import DIGITS, Numbers, auroc, calibration_error, measured, perfect_error
from search.query.terms import Query

QUERY, SOLD = "query", "sold"
SHOWN_FAILURES = 20
WRONG = 0.5  # a larger error puts the probability on the wrong side


@dataclass(frozen=True, slots=True)
class SoldQuestion:
    """What a shopper types, and whether the shop sells it."""

    text: str
    sold: bool


class StatedVerdict(Protocol):
    """The verdict of an answer: a probability, and the kind of verdict that follows from it."""

    @property
    def probability(self) -> float:
        """Return the probability that the shop sells what is requested."""

    @property
    def kind(self) -> str:
        """Return the verdict in one word."""

    def to_dict(self) -> dict[str, object]:
        """Return the verdict as JSON values."""


@dataclass(frozen=True, slots=True)
class JudgedQuestion:
    """A question with the verdict of its answer."""

    question: SoldQuestion
    verdict: StatedVerdict

    @property
    def error(self) -> float:
        """Return how far the stated probability is from the truth, 0 to 1."""
        return abs(self.question.sold - self.verdict.probability)


@dataclass(frozen=True, slots=True)
class SoldEvaluation:
    """The verdicts on a file of questions. `unjudged` questions have an answer without a verdict."""

    judged: tuple[JudgedQuestion, ...]
    unjudged: tuple[str, ...]
    generation: int
    rejected: tuple[dict[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON values, and the questions whose verdict is furthest from the truth."""
        worst = sorted(self.judged, key=lambda question: (-question.error, question.question.text))[:SHOWN_FAILURES]
        return {
            **sold_figures(self.judged),
            "unjudged": list(self.unjudged),
            "generation": self.generation,
            "failures": [
                {QUERY: failed.question.text, SOLD: failed.question.sold, **failed.verdict.to_dict()}
                for failed in worst
                if failed.error > WRONG
            ],
            "rejected": list(self.rejected),
        }


def sold_figures(judged: Sequence[JudgedQuestion]) -> dict[str, Any]:
    """Return AUROC, calibration error and the verdicts' kinds as JSON values.

    `ece_perfect` is the calibration error that chance alone would give to so many questions. A figure is None where
    all questions are sold, or none is.
    """
    rows = stated_and_true(judged)
    sold, unsold = rows[rows[:, 1] == 1, 0], rows[rows[:, 1] == 0, 0]
    kinds = {
        name: dict(Counter(question.verdict.kind for question in judged if question.question.sold == value))
        for name, value in (("sold", True), ("unsold", False))
    }
    return {
        "queries": len(judged),
        "sold": len(sold),
        "unsold": len(unsold),
        **measured("auroc", auroc, sold, unsold),
        **measured("ece", calibration_error, rows),
        "ece_perfect": round(perfect_error(rows), DIGITS) if len(rows) else None,
        "verdicts": kinds,
    }


def stated_and_true(judged: Sequence[JudgedQuestion]) -> Numbers:
    """Return (n, 2): the stated probability that the shop sells what is requested, and whether it does."""
    rows = [(question.verdict.probability, question.question.sold) for question in judged]
    return np.array(rows, float).reshape(-1, 2)


def evaluate_sold(engine: SearchEngine, path: Path | str, progress: Progress = list) -> SoldEvaluation:
    """Search with every question of a CSV file with the columns query and sold (yes or no), and compare the verdicts.

    Raises BadFeed when the file cannot be read or a cell of `sold` is neither, and BadQuery when no answer of the shop
    has a verdict.
    """
    path = Path(path)
    questions = [_question(path, row) for row in read_labelled_csv(path, (QUERY, SOLD))]
    lines = {question.text: line for line, question in reversed(questions)}
    judged, unjudged, refused = judge_questions(engine, [question for _, question in questions], progress)
    if unjudged and not judged:
        raise BadQuery(
            "The shop's answers to words have no verdict.", "Index the shop again with this version, which fits one."
        )
    rejected = tuple({"line": lines[text], QUERY: text, "reason": reason} for text, reason in refused.items())
    return SoldEvaluation(judged, unjudged, engine.status().generation, rejected)


def judge_questions(
    engine: SearchEngine, questions: Sequence[SoldQuestion], progress: Progress = list
) -> tuple[tuple[JudgedQuestion, ...], tuple[str, ...], dict[str, str]]:
    """Return the questions with their verdicts, the texts without one, and the reasons of those not searched for."""
    verdicts: dict[str, StatedVerdict | None] = {}
    refused: dict[str, str] = {}
    texts = list(dict.fromkeys(question.text for question in questions))
    for batch, queries in in_batches(progress(texts), lambda text: Query.of(text=text, k=DEPTH), refused):
        pages = engine.search_many(queries)
        verdicts.update(zip(batch, (page.verdict for page in pages), strict=True))
    judged = []
    for question in questions:
        verdict = verdicts.get(question.text)
        if verdict is not None:
            judged.append(JudgedQuestion(question, verdict))
    return tuple(judged), tuple(text for text, verdict in verdicts.items() if verdict is None), refused


def _question(path: Path, row: LabelledRow) -> tuple[int, SoldQuestion]:
    sold = parse_flag(row.values[SOLD])
    if sold is None:
        problem = f"{path}, line {row.line:,}: sold is {row.values[SOLD][:40]!r}, which is neither yes nor no."
        raise BadFeed(problem, "Write 1 where the shop sells what the question asks for, else 0.")
    return row.line, SoldQuestion(row.values[QUERY], sold)
