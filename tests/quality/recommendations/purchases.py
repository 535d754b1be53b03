"""All models of recommendations on a log of purchases: what the last four weeks bring, foretold from the rest."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from catalog.errors import WindowshopError
from search.recommend.evaluation.model_table import SERVED, evaluate
from search.recommend.events.purchase_log import read_events, read_products
from tests.quality.report.records import Headline, Outcome, Part, Section, Share, Table

KEY, TITLE = "purchases", "Purchases"
EVENTS, PRODUCTS = "events.csv.gz", "products.csv"
# Rows of the table: the part of the answer, its figure, and what it is called.
FIGURES = (
    ("everything", "recall_at_20", "everything, recall@20"),
    ("everything", "map_at_20", "everything, MAP@20"),
    ("repeat", "recall_at_20", "bought before, recall@20"),
    ("new", "recall_at_20", "new to the visitor, recall@20"),
    ("new", "ndcg_at_20", "new to the visitor, nDCG@20"),
)
TRIVIAL = ("own_history", "popularity")
TIMES_CHANCE = 4  # floor of cold products


def measure_purchases(folder: Path) -> Part:
    """The models on the log in a folder with events.csv.gz and products.csv; skipped when it is not there."""
    if missing := [name for name in (EVENTS, PRODUCTS) if not (folder / name).is_file()]:
        return Part(KEY, TITLE, skipped=f"{folder} has no {', '.join(missing)}.")
    print("fitting models of recommendations on purchases ...", file=sys.stderr, flush=True)
    try:
        table = read_products(folder / PRODUCTS)
        events = read_events(folder / EVENTS, table)
        figures = evaluate(events, table)
    except WindowshopError as error:
        return Part(KEY, TITLE, skipped=str(error))
    facts = {"visitors": len(events.visitor_ids), "events": len(events), "products": len(table)}
    return Part(KEY, TITLE, (whole_lists(figures), *parts_of_lists(figures)), facts=facts)


def whole_lists(figures: Mapping[str, Any]) -> Outcome:
    """Every model's lists, against the visitor's own history and what is popular."""
    models = figures["models"]
    rows = tuple((name, *(_share(of[part], figure) for part, figure, _ in FIGURES)) for name, of in models.items())
    section = Section(
        "What is bought in the next four weeks",
        "The last four weeks are held out, and every product with three buyers before is ranked. What cannot be found "
        "counts as not found. Intervals are over visitors.",
        (Table(("model", *(said for _, _, said in FIGURES)), rows),),
    )
    headlines = tuple(
        Headline(f"Purchases: {said}", _share(figures[part], figure), figures[part]["visitors"], floor)
        for part, figure, said in FIGURES
        for floor in [max((models[name][part][figure] for name in TRIVIAL if name in models), default=None)]
    )
    return Outcome("lists", {SERVED: figures["everything"], "models": models}, section, headlines)


def parts_of_lists(figures: Mapping[str, Any]) -> tuple[Outcome, ...]:
    """What the evaluation measures besides whole lists; cold products have a floor."""
    outcomes = []
    for name in ("basket", "cold", "outlook"):
        found = figures.get(name, {})
        rows = tuple((key, str(value)) for key, value in found.items() if not isinstance(value, Mapping))
        section = Section(f"Purchases: {name}", "As windowshop recommend evaluate prints it.", (Table(("", ""), rows),))
        headlines: tuple[Headline, ...] = ()
        if name == "cold" and "recall_at_20" in found:
            floor = TIMES_CHANCE * found["random_recall_at_20"]
            share = _share(found, "recall_at_20")
            headlines = (Headline("Purchases: cold products, recall@20", share, found["visitors"], floor),)
        outcomes.append(Outcome(name, found, section, headlines))
    return tuple(outcomes)


def _share(figures: Mapping[str, Any], name: str) -> Share:
    low, high = figures.get(f"{name}_low"), figures.get(f"{name}_high")
    return Share(figures[name], None if low is None or high is None else (low, high))
