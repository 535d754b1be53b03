"""Training examples of the sample shop: the products, photos and captions of its training part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from catalog.errors import BadFeed
from catalog.product import Product
from catalog.sample.generator.catalogue.plan import TRAIN
from indexer.training.captions.compose import Parts, captions_by_language, drawn, shared
from indexer.training.pairs import CaptionedPicture
from indexer.training.starter_data import complete_rows, whole_feed

STUDIO_COPIES = 2  # how often an epoch shows each of a product's two studio pictures
SHOPPERS_COPIES = 4
_Captions = tuple[tuple[str, ...], tuple[str, ...]]
_HINT = "Restore the folder, or make it again: python -m catalog.sample.generator."


def sample_examples(folder: Path) -> list[CaptionedPicture]:
    """Return studio pictures and shoppers' photos of the training products, with captions in six languages.

    Raises BadFeed when a table of the sample shop is missing or one of its rows is incomplete.
    """
    queries: dict[str, dict[str, list[str]]] = {}
    for row in _training_rows(folder / "captions.csv", "query", "product_id", "lang"):
        queries.setdefault(row["product_id"], {}).setdefault(row["lang"], []).append(row["query"])
    products = {product.id: product for product in whole_feed(folder / "products.csv", _HINT) if product.id in queries}
    captions = {key: _captions(product, queries[key]) for key, product in products.items()}
    examples = [
        _example(Path(picture.path), captions[key], product)
        for key, product in products.items()
        for picture in product.pictures
    ] * STUDIO_COPIES
    for row in _training_rows(folder / "photos.csv", "photo", "product_id"):
        product = products.get(row["product_id"])
        if product is None:
            raise BadFeed(f"photos.csv: {row['product_id']!r} is no training product of captions.csv.", _HINT)
        examples += [_example(folder / row["photo"], captions[product.id], product)] * SHOPPERS_COPIES
    return examples


def _example(file: Path, captions: _Captions, product: Product) -> CaptionedPicture:
    return CaptionedPicture(file, captions[0], product.title, translations=captions[1])


def _captions(product: Product, queries: Mapping[str, Sequence[str]]) -> _Captions:
    """Return captions in English, and in the other languages."""
    values, kind = product.attributes, product.category_path[-1]
    parts = Parts(kind, values["colour"], values.get("pattern", ""), values.get("material", ""))
    others = captions_by_language(parts)
    english = [(0.2, (product.title,)), (0.1, (f"{values['colour']} {kind}".lower(),)), (0.22, queries.get("en", ()))]
    chinese = [(0.06, (values["title_zh"],)), (0.1, queries.get("zh", ())), (0.04, others.pop("zh"))]
    return drawn(english), drawn([*chinese, *shared(0.28, others)])


def _training_rows(file: Path, *columns: str) -> Iterator[Mapping[str, str]]:
    return (row for _, row in complete_rows(file, (*columns, "split"), _HINT) if row["split"] == TRAIN)
