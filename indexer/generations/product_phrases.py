"""Phrases about kinds of things that shops sell anywhere: names, and what people use them for. Needs no numpy."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path


@cache
def product_phrases() -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return phrases about kinds that shops sell anywhere, in English, and the number of the kind of each.

    The names of all kinds come first, then what shoppers use them for, then what is nothing to buy, whose number is -1.
    """
    others = Path(__file__).with_name("other_questions.txt").read_text(encoding="utf-8").splitlines()
    with Path(__file__).with_name("product_kinds.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["name"], row["uses"].split("|") if row["uses"] else []) for row in csv.DictReader(file)]
    uses = [(use, number) for number, (_, own) in enumerate(rows) for use in own]
    texts = (*(name for name, _ in rows), *(use for use, _ in uses), *others)
    return texts, (*range(len(rows)), *(number for _, number in uses), *(-1 for _ in others))
