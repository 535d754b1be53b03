"""Measure the analysis of reviews on labelled texts: sentiment, aspects, and the polarity of aspects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from catalog.reviews.review import ASPECTS, NEUTRAL, POLARITIES, ReviewAnalysis
from catalog.text.labelled_csv import LabelledRow, bad_line, read_labelled_csv
from search.evaluation.statistics import DIGITS, auroc, calibration_error
from search.language.detection import language_of
from search.reviews.analysis.analyser import ReviewAnalyser
from search.reviews.analysis.examples import parse_aspects

TRUE, FALSE = ("1", "true", "yes", "positive"), ("0", "false", "no", "negative")


@dataclass(frozen=True, slots=True)
class LabelledReview:
    """A text, and whether it is positive as a whole."""

    text: str
    positive: bool
    language: str


@dataclass(frozen=True, slots=True)
class LabelledClause:
    """A text with the polarity of each aspect that it is about."""

    text: str
    aspects: Mapping[str, str]
    language: str


def read_labelled_reviews(path: Path) -> list[LabelledReview]:
    """Read a CSV file with the columns text, positive and language (or lang). Raises BadFeed."""
    return [
        LabelledReview(row.values["text"], _truth(path, row), _language(row))
        for row in read_labelled_csv(path, ("text", "positive"))
    ]


def read_labelled_clauses(path: Path) -> list[LabelledClause]:
    """Read a CSV file with the columns text, aspects ("size:negative colour:positive") and lang. Raises BadFeed."""
    return [
        LabelledClause(row.values["text"], _aspects(path, row), _language(row))
        for row in read_labelled_csv(path, ("text", "aspects"))
    ]


def measure_sentiment(analyser: ReviewAnalyser, reviews: Sequence[LabelledReview]) -> dict[str, Any]:
    """Return AUROC, accuracy and expected calibration error of the sentiment, of all reviews and by language."""
    found = analyser.analyse([review.text for review in reviews])
    stated = np.array([analysis.sentiment for analysis in found])
    true = np.array([review.positive for review in reviews], dtype=bool)
    languages = np.array([review.language for review in reviews])
    own = {str(language): _sentiment(stated, true, languages == language) for language in np.unique(languages)}
    return _sentiment(stated, true, np.ones(len(reviews), dtype=bool)) | {"by_language": own}


def measure_aspects(analyser: ReviewAnalyser, clauses: Sequence[LabelledClause]) -> dict[str, Any]:
    """Return precision and recall of aspects and accuracy of their polarity, of all clauses and by language."""
    found = [aspects_of(analysis) for analysis in analyser.analyse([clause.text for clause in clauses])]
    languages = sorted({clause.language for clause in clauses})
    own = {
        language: _aspect_figures([pair for pair in zip(clauses, found, strict=True) if pair[0].language == language])
        for language in languages
    }
    return _aspect_figures(list(zip(clauses, found, strict=True))) | {"by_language": own}


def aspects_of(analysis: ReviewAnalysis) -> dict[str, str]:
    """Return one polarity for each aspect of a text: that of the surest opinion, a neutral one where no other is."""
    ordered = sorted(analysis.opinions, key=lambda opinion: (opinion.polarity != NEUTRAL, opinion.probability))
    return {opinion.aspect: opinion.polarity for opinion in ordered}


def _sentiment(stated: Any, true: Any, chosen: Any) -> dict[str, Any]:
    stated, true = stated[chosen], true[chosen]
    figures: dict[str, Any] = {
        "n": len(true),
        "positive": int(true.sum()),
        "auroc": None,
        "accuracy": None,
        "ece": None,
    }
    if len(true):
        figures["accuracy"] = round(float(((stated > 0.5) == true).mean()), DIGITS)
        figures["ece"] = round(calibration_error(np.column_stack([stated, true])), DIGITS)
    if true.any() and not true.all():
        figures["auroc"] = round(auroc(stated[true], stated[~true]), DIGITS)
    return figures


def _aspect_figures(pairs: Sequence[tuple[LabelledClause, Mapping[str, str]]]) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    for clause, found in pairs:
        both = clause.aspects.keys() & found.keys()
        counts["both"] += len(both)
        counts["found"] += len(found)
        counts["true"] += len(clause.aspects)
        counts["polarity"] += sum(clause.aspects[aspect] == found[aspect] for aspect in both)
    return {
        "n": len(pairs),
        "precision": _share(counts["both"], counts["found"]),
        "recall": _share(counts["both"], counts["true"]),
        "polarity_accuracy": _share(counts["polarity"], counts["both"]),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, DIGITS) if whole else None


def _truth(path: Path, row: LabelledRow) -> bool:
    value = row.values["positive"].lower()
    if value in TRUE or value in FALSE:
        return value in TRUE
    raise bad_line(
        path, row.line, f"positive is {value[:40]!r}", "Write 1 for a positive review and 0 for a negative one."
    )


def _aspects(path: Path, row: LabelledRow) -> dict[str, str]:
    try:
        aspects = parse_aspects(row.values["aspects"])
    except ValueError:
        aspects = {"": ""}
    if aspects.keys() <= set(ASPECTS) and set(aspects.values()) <= set(POLARITIES):
        return aspects
    known = f"Aspects: {', '.join(ASPECTS)}. Polarities: {', '.join(POLARITIES)}."
    hint = f"Write aspect:polarity with spaces between. {known}"
    raise bad_line(path, row.line, f"aspects is {row.values['aspects'][:60]!r}", hint)


def _language(row: LabelledRow) -> str:
    return row.values.get("language") or row.values.get("lang") or language_of(row.values["text"])
