"""python -m search reviews evaluate: measure how well reviews are analysed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from catalog.errors import BadQuery
from search.cli.common import FILE_TYPE, json_option, print_json, print_table
from search.reviews.analysis.analyser import ReviewAnalyser
from search.reviews.evaluation.measures import (
    measure_aspects,
    measure_sentiment,
    read_labelled_clauses,
    read_labelled_reviews,
)

SENTIMENT_COLUMNS = ("auroc", "accuracy", "ece", "n")
ASPECT_COLUMNS = ("precision", "recall", "polarity_accuracy", "n")


@click.command("evaluate")
@json_option
@click.option("--reviews", type=FILE_TYPE, help="CSV: text, positive (1 or 0), language.")
@click.option("--aspects", type=FILE_TYPE, help="CSV: text, aspects (size:negative colour:positive), lang.")
@click.option("--quick", is_flag=True, help="Measure the quick analysis, which many reviews at once get.")
def evaluate_reviews_command(reviews: Path | None, aspects: Path | None, quick: bool, as_json: bool) -> None:
    """Measure the analysis of reviews on labelled texts: sentiment, aspects and their polarity."""
    if reviews is None and aspects is None:
        raise BadQuery("There is nothing to measure.", "Give labelled texts: --reviews FILE.csv or --aspects FILE.csv.")
    analyser = ReviewAnalyser.open(quick=quick)
    figures: dict[str, Any] = {"model": analyser.model}
    if reviews is not None:
        figures |= measure_sentiment(analyser, read_labelled_reviews(reviews))
    if aspects is not None:
        figures["aspects"] = measure_aspects(analyser, read_labelled_clauses(aspects))
    if as_json:
        print_json(figures)
        return
    if reviews is not None:
        _print_by_language("sentiment", figures, SENTIMENT_COLUMNS)
    if aspects is not None:
        _print_by_language("aspects", figures["aspects"], ASPECT_COLUMNS)


def _print_by_language(name: str, figures: Mapping[str, Any], columns: tuple[str, ...]) -> None:
    rows = [("all", figures), *figures["by_language"].items()]
    cells = [(language, *(_cell(own[column]) for column in columns)) for language, own in rows]
    print_table((name, *columns), cells, columns)


def _cell(value: float | int | None) -> str:
    return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else f"{value:,}"
