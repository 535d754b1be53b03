"""Rank figures as tables and headlines: the same columns, under the same names, wherever ranks are measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from search.evaluation.evaluate import RECALLS
from tests.quality.report.records import Headline, Share, Table

COLUMNS = {**{f"recall_at_{k}": f"R@{k}" for k in RECALLS}, "mrr": "MRR"}


def rank_table(what: str, sets: Mapping[str, Mapping[str, Any]], more: Mapping[str, str] | None = None) -> Table:
    """A line a set of questions: how many, the rank figures, and whatever else `more` names."""
    columns = {**COLUMNS, **(more or {})}
    return Table(
        (what, "n", *columns.values()),
        tuple(
            (name, f"{figures['queries']:,}", *(Share.of(figures, column) for column in columns))
            for name, figures in sets.items()
        ),
    )


def rank_headline(name: str, figures: Mapping[str, Any], column: str, floor: float | None = None) -> Headline:
    """One rank figure as a line of the summary."""
    return Headline(f"{name}, {COLUMNS[column]}", Share.of(figures, column), figures["queries"], floor)
