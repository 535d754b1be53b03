"""Three public data sets, on what the starter's training never saw: fashion, groceries, clothes."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import BadFeed
from catalog.home import ShopHome
from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from indexer.build.build import build_index
from indexer.encoders.base import Encoder
from indexer.training.starter_data import labelled_photos, read_starter_data
from indexer.types import Floats
from search.engine import SearchEngine
from search.evaluation.categorise import categorise_photos
from search.evaluation.evaluate import Evaluation, evaluate_photos, evaluate_texts
from search.evaluation.statistics import mean, measured
from tests.quality.measures import rank_figures
from tests.quality.objects.single_products import MOST_PHOTOS, single_products
from tests.quality.photo_verdicts.confusion import fashion_confusion
from tests.quality.report.rank_tables import rank_headline, rank_table
from tests.quality.report.records import Headline, Outcome, Part, Section, Share, Table
from tests.quality.sections.facet_counts import fashion_facets
from tests.quality.sections.short_questions import fashion_outcomes
from tests.quality.sections.unsold import grocery_unsold
from tests.quality.sections.words_verdict import fashion_verdict
from tests.quality.shop_feeds import write_feed

KEY, TITLE = "public_data", "Public data"
FASHION_FLOOR = ("recall_at_10", 0.55)
GROCERY_FLOORS = (("recall_at_1", 0.64), ("recall_at_5", 0.94))
CLOTHING_FLOOR = 0.88


def measure_public_data(data: Path, work: Path, encoder: Encoder, fashion_home: Path | None = None) -> Part:
    """All tasks on the folder that holds fashion/, grocery/ and clothing/; skipped when it does not.

    Short questions go to the shop in `fashion_home`, where one is given, else to that of the products kept aside.
    """
    if not data.is_dir():
        return Part(KEY, TITLE, skipped=f"There is no folder {data}; give one with --data.")
    try:
        fashion = read_starter_data(data, seed=0).fashion
    except BadFeed as error:
        return Part(KEY, TITLE, skipped=f"{data} is not whole. {error}")
    _say(f"the fashion feed's {len(fashion):,} products kept aside")
    outcomes = [
        fashion_titles(fashion, work / "fashion", encoder),
        fashion_neighbours(fashion, work / "fashion", encoder),
    ]
    _say("short questions of fashion")
    outcomes += fashion_questions(fashion_home or work / "fashion" / "shop")
    _say("the grocery's photos and the owners' photos of clothes")
    build_index(work / "grocery", data / "grocery" / "products.csv", encoder)
    with SearchEngine.open(work / "grocery") as engine:
        outcomes.append(grocery_photos(engine, data / "grocery" / "photos_val.csv"))
        outcomes.append(clothing_zero_shot(engine, data / "clothing" / "photos_validation.csv"))
        outcomes.append(single_products(engine, public_photos(data, fashion)))
    _say("groceries that lack some kinds")
    outcomes += grocery_unsold(data, work / "unsold", encoder)
    _say("clothes in fashion shops")
    outcomes.append(fashion_confusion(fashion, work / "fashion" / "shop", data, encoder))
    return Part(KEY, TITLE, tuple(outcomes))


def public_photos(data: Path, fashion: Sequence[Product]) -> dict[str, list[Path]]:
    """Return photos and catalogue pictures of one product each that no training saw, an even selection of each kind."""
    shelves = [photo.file for photo in labelled_photos(data / "grocery" / "photos_val.csv", "product_id")]
    clothes = [photo.file for photo in labelled_photos(data / "clothing" / "photos_validation.csv", "category")]
    pictures = [Path(product.pictures[0].path) for product in fashion]
    kinds = {"grocery photos": shelves, "clothing photos": clothes, "fashion pictures": pictures}
    return {name: files[:: max(1, len(files) // MOST_PHOTOS)] for name, files in kinds.items()}


def fashion_titles(fashion: Sequence[Product], folder: Path, encoder: Encoder) -> Outcome:
    """Titles asked of a shop that does not know them: every product is called by its id, so only pictures answer."""
    feed = write_feed(fashion, folder, title=lambda product: product.id)
    questions = folder / "titles.csv"
    with questions.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows([("query", "product_id"), *((product.title, product.id) for product in fashion)])
    build_index(folder / "shop", feed, encoder)
    with SearchEngine.open(folder / "shop") as engine:
        gate = engine.generation.manifest.words_gate
        figures = evaluation_figures(evaluate_texts(engine, questions)) | {"words_gate": gate}
    section = Section(
        "Fashion: from a title to its picture",
        f"{len(fashion):,} fashion products that training never saw, in a shop where each is called by its number: a "
        "title can only be answered by what the pictures show.",
        (rank_table("titles", {"all": figures}),),
    )
    return Outcome(
        "fashion_title_to_picture",
        figures,
        section,
        (rank_headline("Fashion title to picture", figures, *FASHION_FLOOR),),
    )


def fashion_neighbours(fashion: Sequence[Product], folder: Path, encoder: Encoder) -> Outcome:
    """Whether the nearest other product has the same colour, and the same category, by block and by default weights."""
    feed = write_feed(fashion, folder, title=lambda product: product.title)
    build_index(folder / "shop", feed, encoder)
    figures = {}
    with SearchEngine.open(folder / "shop") as engine:
        generation = engine.generation
        rows = np.asarray(generation.rows, dtype=np.float32)
        layout, weights = generation.layout, generation.manifest.weights["picture"]
        keys = generation.product_keys.tolist()
        known = engine.present(keys)
        products = [known[key] for key in keys]
        encoded = layout.queries(rows[:, : layout.encoder_dim])
        for name, chosen in {**{block: {block: 1.0} for block in layout.names}, "default": weights}.items():
            figures[name] = same_as_nearest(layout.weigh(encoded, chosen), rows, products)
    table = Table(
        ("block", "same colour first", "same category first"),
        tuple(
            (name, Share.of(of, "same_colour_at_1"), Share.of(of, "same_category_at_1")) for name, of in figures.items()
        ),
    )
    section = Section(
        "Fashion: the nearest other product",
        "The same products with their titles. Each one's nearest other product, by one block of the vectors alone and "
        "by the weights that a shop uses: has it the same colour, the same category?",
        (table,),
    )
    return Outcome("fashion_neighbours", figures, section)


def fashion_questions(home: Path) -> tuple[Outcome, ...]:
    """Short questions, own words, the verdict on words and facets of a shop of the fashion feed."""
    with closing(Catalogue.open(ShopHome(home).catalogue)) as catalogue:
        products = [product for _, product in catalogue.iterate()]
    with SearchEngine.open(home) as engine:
        return (
            *fashion_outcomes(engine, products),
            fashion_verdict(engine, products),
            fashion_facets(engine, products),
        )


def grocery_photos(engine: SearchEngine, photos: Path) -> Outcome:
    """Phone photos taken in front of the shelf against the grocery's products."""
    figures = evaluation_figures(evaluate_photos(engine, photos))
    section = Section(
        "Grocery: from a phone photo to the product",
        f"{figures['queries']:,} photos taken with a phone in front of the shelf, asked of a shop of "
        f"{engine.status().products} groceries.",
        (rank_table("photos", {"all": figures}),),
    )
    headlines = tuple(rank_headline("Grocery photo to product", figures, *floor) for floor in GROCERY_FLOORS)
    return Outcome("grocery_photo_to_product", figures, section, headlines)


def clothing_zero_shot(engine: SearchEngine, photos: Path) -> Outcome:
    """Owners' photos of clothes named by words alone, as one of the categories that the file holds."""
    with photos.open(newline="", encoding="utf-8") as opened:
        labels = sorted({row["category"] for row in csv.DictReader(opened)})
    named = categorise_photos(engine, photos, labels)
    right = [result.right for result in named.results]
    figures = {"photos": len(right), **named.figures(), **measured("accuracy", mean, right)}
    share = Share.of(figures, "accuracy")
    section = Section(
        "Clothing: the category by words alone",
        f"{len(right):,} owners' photos of clothes, each named as one of {len(labels)} categories by comparing it with "
        "words; no picture of any category is given.",
        (Table(("photos", "n", "accuracy"), (("clothes", f"{len(right):,}", share),)),),
    )
    headline = Headline("Clothing category by words", share, len(right), CLOTHING_FLOOR)
    return Outcome("clothing_zero_shot", figures, section, (headline,))


def evaluation_figures(evaluation: Evaluation) -> dict[str, Any]:
    """The figures of a file of questions with their intervals, without the long lists."""
    told = {name: value for name, value in evaluation.to_dict().items() if not isinstance(value, list)}
    return told | rank_figures(evaluation.ranks)


def same_as_nearest(queries: Floats, rows: Floats, products: Sequence[Product]) -> dict[str, Any]:
    """Shares of rows whose nearest other row has the same colour, and the same category."""
    nearest: list[int] = []
    for start in range(0, len(rows), 512):
        scores = queries[start : start + 512] @ rows.T
        scores[np.arange(len(scores)), np.arange(start, start + len(scores))] = -np.inf
        nearest.extend(scores.argmax(axis=1).tolist())
    pairs = [(products[row], products[other]) for row, other in enumerate(nearest)]
    colours = [a.attributes["colour"] == b.attributes["colour"] for a, b in pairs]
    categories = [a.category == b.category for a, b in pairs]
    return measured("same_colour_at_1", mean, colours) | measured("same_category_at_1", mean, categories)


def _say(doing: str) -> None:
    print(f"measuring {doing} ...", file=sys.stderr, flush=True)
