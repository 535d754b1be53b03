"""Questions about products of the catalogues: what is answered, what is not stated, and if anything is invented."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.feeds.reader import read_feed
from catalog.product import Product
from catalog.sample import SAMPLE_FOLDER
from search.assistant.products.answer import ANSWERED, NO, NOT_STATED, YES, ProductAnswer
from search.assistant.products.product_answers import ProductAnswers
from search.evaluation.statistics import mean, measured
from tests.quality.report.records import Headline, Outcome, Part, Section, Share, Table

QUESTIONS = Path(__file__).parents[1] / "data" / "product_questions.csv"
SAMPLE, DEV, TEST = "sample", "dev", "test"
FEEDS = ("fashion", "grocery")
PRECISION, RECALL = 0.9, 0.7  # of "not stated"
VERDICTS = {YES: YES, "measure_yes": YES, "in_stock": YES, NO: NO, "measure_no": NO, "out_of_stock": NO}
_COLUMNS = ("id", "title", "category", "brand", "description", "image")


@dataclass(frozen=True)
class Row:
    """A question with what its answer must have, "" where nothing states one; "/" divides alternatives."""

    split: str
    product: Product
    language: str
    question: str
    answer: str
    verdict: str

    @property
    def stated(self) -> bool:
        return bool(self.answer or self.verdict)


class NoShop:
    """A shop whose products have no variants: they are passed to the answers themselves."""

    def product(self, product_id: str) -> Product:
        raise KeyError(product_id)

    def variants(self, product_id: str) -> tuple[Product, ...]:
        return ()


def read_questions(data: Path | None = None) -> list[Row]:
    """Return the questions about products of the sample shop and, with `data`, of the public feeds there."""
    products = {(SAMPLE, product.id): product for product in _sample()}
    for feed in FEEDS if data is not None else ():
        products |= {(feed, product.id): product for product in _public(data / feed / "products.csv")}
    with QUESTIONS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        Row(row["split"], products[key], row["language"], row["question"], row["answer"], row["verdict"])
        for row in rows
        if (key := (row["feed"], row["product_id"])) in products
    ]


def figures_of(rows: Sequence[Row]) -> tuple[dict[str, Any], list[str]]:
    """Return precision and recall of "not stated", how many answers have what they must, and what went wrong."""
    answers = ProductAnswers(NoShop())
    found = [(row, answers.answer(row.product, row.question, row.language)) for row in rows]
    silent = [not row.stated for row, answer in found if answer.status == NOT_STATED]
    unstated = [answer.status == NOT_STATED for row, answer in found if not row.stated]
    right = [is_right(row, answer) for row, answer in found if row.stated]
    invented = [f"{row.product.id}: {row.question}" for row, answer in found if is_invented(row, answer)]
    wrong = [
        f"{row.product.id}: {row.question}"
        for row, answer in found
        if (answer.status == ANSWERED) != row.stated or (row.stated and not is_right(row, answer))
    ]
    figures: dict[str, Any] = {"questions": len(found), "invented": len(invented)}
    figures |= measured("precision", mean, silent) | measured("recall", mean, unstated) | measured("right", mean, right)
    return figures, [*(f"invented: {one}" for one in invented), *wrong]


def is_right(row: Row, answer: ProductAnswer) -> bool:
    """Return whether an answer has what it must: one of the alternatives, and no other verdict."""
    shown = " ".join([answer.passage, *map(str, answer.facts.values())]).lower()
    given, wanted = VERDICTS.get(answer.code, ""), row.verdict.replace("fits", YES)
    return any(part in shown for part in row.answer.lower().split("/")) and given in ("", wanted)


def is_invented(row: Row, answer: ProductAnswer) -> bool:
    """Return whether an answer has a passage that the product lacks, or a verdict that nothing states."""
    product = row.product
    texts = [product.title, product.description, product.brand, *product.attributes.values()]
    quoted = not answer.passage or any(answer.passage in text for text in texts)
    given = VERDICTS.get(answer.code, "")
    return not quoted or bool(given and given != row.verdict.replace("fits", YES))


def measure_product_questions(data: Path) -> Part:
    """Both halves of the questions; the half for tuning beside the other."""
    key, title = "product_questions", "Questions about products"
    try:
        rows = read_questions(data)
    except FileNotFoundError as error:
        return Part(key, title, skipped=f"{error.filename} is missing.")
    halves = {half: figures_of([row for row in rows if row.split == half]) for half in (DEV, TEST)}
    names = ("precision", "recall", "right")
    table = Table(
        ("half", "n", "not stated: precision", "not stated: recall", "right answers", "invented"),
        tuple(
            (half, str(own["questions"]), *(Share.of(own, name) for name in names), str(own["invented"]))
            for half, (own, _) in halves.items()
        ),
    )
    section = Section(
        title,
        "Questions in English and Chinese about products of the sample shop, the fashion and the grocery feed. Half of "
        "them nothing states an answer to. Answers were tuned on the half dev alone.",
        (table,),
        note="; ".join(halves[TEST][1]),
    )
    own = halves[TEST][0]
    headlines = (
        Headline("Product questions: not stated, precision", Share.of(own, "precision"), own["questions"], PRECISION),
        Headline("Product questions: not stated, recall", Share.of(own, "recall"), own["questions"], RECALL),
    )
    figures = {half: figures for half, (figures, _) in halves.items()}
    return Part(key, title, (Outcome(key, figures, section, headlines),))


def _sample() -> Iterator[Product]:
    return (product for product in read_feed(SAMPLE_FOLDER / "products.csv") if isinstance(product, Product))


def _public(table: Path) -> Iterator[Product]:
    """Yield the products of a public feed without their pictures, which no question is about."""
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield _product(row)


def _product(row: Mapping[str, str]) -> Product:
    attributes = {name: value for name, value in row.items() if name not in _COLUMNS and value}
    description = row.get("description", "")
    return Product(
        row["id"],
        row["title"],
        (),
        row["category"],
        brand=row.get("brand", ""),
        attributes=attributes,
        description=description,
    )
