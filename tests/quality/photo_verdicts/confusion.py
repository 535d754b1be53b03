"""What a shop answers to photos: exact, similar or not sold, of what is and what is not sold, and of no product."""

from __future__ import annotations

import csv
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from catalog.images.crop import load_picture
from catalog.product import Product
from catalog.sample.generator.catalogue.plan import TEST
from indexer.build.build import build_index
from indexer.encoders.base import Encoder
from search.engine import SearchEngine
from search.evaluation.statistics import mean, measured
from search.hits import EXACT, NO_MATCH, SIMILAR
from search.query.terms import PictureTerm, Query
from tests.quality.measures import precision
from tests.quality.photo_verdicts.drawn_pictures import PAINTERS, drawn_pictures
from tests.quality.questions import Answer, Question, ask, of_split
from tests.quality.report.records import Headline, Outcome, Section, Share, Table
from tests.quality.sample_shop import SampleShop
from tests.quality.shop_feeds import write_feed

KINDS = (EXACT, SIMILAR, NO_MATCH)
PRODUCT_SOLD, KIND_SOLD, KIND_NOT_SOLD, NO_PRODUCT = "product sold", "kind sold", "kind not sold", "no product"
SOLD = (PRODUCT_SOLD, KIND_SOLD)
DRAWN = 25  # pictures of each painter
RECALL_FLOOR = 0.6

FOREIGN = 100  # photos of another set, whose kinds the shop does not sell
# The article types of the fashion feed that are the same kind as a label of the owners' photos.
ARTICLE_TYPES: Mapping[str, tuple[str, ...]] = {
    "dress": ("Dresses",),
    "hat": ("Caps", "Hat"),
    "longsleeve": ("Tshirts", "Tops", "Sweaters", "Sweatshirts"),
    "outwear": ("Jackets", "Sweaters", "Sweatshirts", "Rain Jacket"),
    "pants": ("Trousers", "Jeans", "Track Pants", "Leggings", "Capris", "Lounge Pants"),
    "shirt": ("Shirts",),
    "shoes": ("Casual Shoes", "Sports Shoes", "Formal Shoes", "Heels", "Flats"),
    "shorts": ("Shorts",),
    "skirt": ("Skirts",),
    "t-shirt": ("Tshirts", "Tops"),
}
REMOVED = ("dress", "hat", "pants", "shoes")  # labels whose article types the second fashion shop lacks

Answers = Mapping[tuple[str, str], Sequence[str]]  # (set of photos, what is true of them) -> what was answered


def verdicts_of(answers: Iterable[Answer]) -> list[str]:
    """The verdicts of the answers that carry one."""
    return [answer.page.verdict.kind for answer in answers if answer.page and answer.page.verdict]


def drawn_verdicts(engine: SearchEngine) -> list[str]:
    """The verdicts on pictures without any product, drawn by the tests' own code."""
    queries = [Query((PictureTerm(drawing),)) for kind in PAINTERS for drawing in drawn_pictures(kind, DRAWN)]
    pages = [engine.search(query) for query in queries]
    return [page.verdict.kind for page in pages if page.verdict]


def sample_confusion(shop: SampleShop) -> Outcome:
    """The sample shop: test photos, things that it does not sell, and drawings."""
    answers = {
        ("test photos", PRODUCT_SOLD): verdicts_of(of_split(shop.photos, TEST)),
        ("things not sold", KIND_NOT_SOLD): verdicts_of(shop.strangers),
        ("drawings", NO_PRODUCT): drawn_verdicts(shop.engine),
    }
    return confusion("sample_confusion", "Sample shop: not sold", answers)


def fashion_confusion(products: Sequence[Product], home: Path, data: Path, encoder: Encoder) -> Outcome:
    """Owners' photos of clothes in the fashion shop in `home`, and in one that lacks four labels' article types."""
    clothes = labelled_questions(data / "clothing" / "photos_validation.csv", "category")
    groceries = labelled_questions(data / "grocery" / "photos_val.csv", "product_id")[:: 296 // FOREIGN]
    answers: dict[tuple[str, str], list[str]] = {}
    with SearchEngine.open(home) as engine:
        answers["owners' photos", KIND_SOLD] = asked_verdicts(engine, clothes)
        answers["groceries", KIND_NOT_SOLD] = asked_verdicts(engine, groceries)
        answers["drawings", NO_PRODUCT] = drawn_verdicts(engine)
    lacking = {kind for label in REMOVED for kind in ARTICLE_TYPES[label]}
    rest = [product for product in products if product.category_path[-1] not in lacking]
    with tempfile.TemporaryDirectory() as folder:
        feed = write_feed(rest, Path(folder), title=lambda product: product.title)
        build_index(Path(folder) / "shop", feed, encoder)
        with SearchEngine.open(Path(folder) / "shop") as engine:
            removed = [photo for photo in clothes if photo.product_id in REMOVED]
            answers["owners' photos, kinds removed", KIND_NOT_SOLD] = asked_verdicts(engine, removed)
            others = [photo for photo in clothes if photo.product_id not in REMOVED]
            answers["owners' photos, other kinds removed", KIND_SOLD] = asked_verdicts(engine, others)
    return confusion("fashion_confusion", "Fashion: not sold", answers)


def labelled_questions(table: Path, column: str) -> list[Question]:
    """The photos of a table with their labels in the place of a product id."""
    with table.open(newline="", encoding="utf-8") as opened:
        return [Question(str(table.parent / row["photo"]), row[column]) for row in csv.DictReader(opened)]


def asked_verdicts(engine: SearchEngine, photos: Sequence[Question]) -> list[str]:
    """The verdicts on photos."""
    return verdicts_of(ask(engine, photos, lambda photo: PictureTerm(load_picture(Path(photo)))))


def confusion(key: str, title: str, answers: Answers) -> Outcome:
    """The whole table, and precision, recall and false alarms of "not sold"."""
    called = {pair: np.array([kind == NO_MATCH for kind in kinds]) for pair, kinds in answers.items()}
    sold = np.concatenate([np.zeros(0, bool), *(which for (_, truth), which in called.items() if truth in SOLD)])
    unsold = np.concatenate([np.zeros(0, bool), *(which for (_, truth), which in called.items() if truth not in SOLD)])
    figures: dict[str, Any] = {
        "table": {f"{name}: {truth}": dict(Counter(kinds)) for (name, truth), kinds in answers.items()},
        **measured("precision", precision, unsold, sold),
        **measured("recall", mean, unsold),
        **measured("false_alarms", mean, sold),
    }
    rows = tuple(_row(name, truth, kinds, called[name, truth]) for (name, truth), kinds in answers.items())
    section = Section(
        title,
        "Every photo is answered by exact, similar or not sold. Not sold is right when not even the kind of thing is "
        "sold or there is no product in the picture. Precision is the share of those among all that is called not sold "
        "and depends on how many photos of each are asked. False alarms are photos of sold kinds that are called so.",
        (Table(("photos", "true", "n", *KINDS, "called not sold"), rows),),
    )
    headlines = (
        Headline(f"{title}, precision", Share.of(figures, "precision"), int(sold.sum() + unsold.sum())),
        Headline(f"{title}, recall", Share.of(figures, "recall"), len(unsold), RECALL_FLOOR),
        Headline(f"{title}, false alarms", Share.of(figures, "false_alarms"), len(sold)),
    )
    return Outcome(key, figures, section, headlines)


def _row(name: str, truth: str, kinds: Sequence[str], called: np.ndarray[Any, Any]) -> tuple[str | Share, ...]:
    counts = Counter(kinds)
    share = Share.of(measured("called", mean, called), "called")
    return (name, truth, str(len(kinds)), *(str(counts[kind]) for kind in KINDS), share)
