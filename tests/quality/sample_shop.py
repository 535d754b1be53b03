"""The sample shop: its tables, its shop built and opened, and every question of the tables asked once."""

from __future__ import annotations

import json
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from catalog.feeds.reader import read_feed
from catalog.images.crop import load_picture
from catalog.images.decoder import Box
from catalog.product import Product
from catalog.text.labelled_csv import LabelledRow, read_labelled_csv
from indexer.build.build import build_index
from indexer.encoders.base import Encoder
from search.engine import SearchEngine
from search.query.terms import PictureTerm, TextTerm
from tests.quality.questions import Answer, Question, ask

TABLES = ("products.csv", "photos.csv", "photos_unknown.csv", "scenes.csv", "captions.csv")


@dataclass(frozen=True, slots=True)
class Scene:
    """A photo of several products: where it is, and each product with its box in fractions of the photo."""

    photo: Path
    products: tuple[tuple[str, Box], ...]


@dataclass(frozen=True, slots=True)
class SampleShop:
    """The shop open for searching, what it sells by id, and what it answered: photos, strangers, captions by language.

    `splits` says of every product whether it is for training or for tests. Strangers are photos of things not sold.
    """

    engine: SearchEngine
    products: Mapping[str, Product]
    splits: Mapping[str, str]
    photos: tuple[Answer, ...]
    strangers: tuple[Answer, ...]
    captions: Mapping[str, tuple[Answer, ...]]
    scenes: tuple[Scene, ...]


def missing_tables(folder: Path) -> list[str]:
    """Which of the tables are not there: the pictures have not been made yet, or not all of them."""
    return [name for name in TABLES if not (folder / name).is_file()]


@contextmanager
def open_sample_shop(folder: Path, home: Path, encoder: Encoder) -> Iterator[SampleShop]:
    """Index the sample shop in `home`, ask it everything, and keep it open. Raises BadFeed for a broken table."""
    _say(f"building the sample shop in {home}")
    feed = _feed_of_single_products(folder, home.parent / f"{home.name}-feed")
    build_index(home, feed, encoder)
    products = {item.id: item for item in read_feed(feed) if isinstance(item, Product)}
    said = read_labelled_csv(folder / "captions.csv", ("query", "product_id", "lang", "split"))
    with SearchEngine.open(home) as engine:
        _say("asking it the photos and captions")
        yield SampleShop(
            engine=engine,
            products=products,
            splits={row.values["product_id"]: row.values["split"] for row in said},
            photos=_ask_photos(engine, folder / "photos.csv", ("product_id", "split")),
            strangers=_ask_photos(engine, folder / "photos_unknown.csv", ()),
            captions=_ask_captions(engine, said),
            scenes=read_scenes(folder / "scenes.csv"),
        )


def _feed_of_single_products(source: Path, folder: Path) -> Path:
    """Copy a feed so that variants are products of their own: "similar products" leaves out those of one item group."""
    shutil.copytree(source / "images", folder / "images", dirs_exist_ok=True)
    header, _, rows = (source / "products.csv").read_text(encoding="utf-8").partition("\n")
    feed = folder / "products.csv"
    feed.write_text(f"{header.replace('item_group_id', 'group')}\n{rows}", encoding="utf-8")
    return feed


def read_scenes(path: Path) -> tuple[Scene, ...]:
    """The scenes of a table photo,boxes. Raises BadFeed when it cannot be read."""
    scenes = []
    for row in read_labelled_csv(path, ("photo", "boxes")):
        shown = [(one["product_id"], tuple(one["box"])) for one in json.loads(row.values["boxes"])]
        scenes.append(Scene(path.parent / row.values["photo"], tuple(shown)))
    return tuple(scenes)


def family(product: Product) -> str:
    """The kind of thing: the last part of its category."""
    return product.category_path[-1]


def group(product: Product) -> str:
    """Its siblings: the same shape in another colour or pattern."""
    return product.attributes["group"]


def _ask_photos(engine: SearchEngine, path: Path, columns: tuple[str, ...]) -> tuple[Answer, ...]:
    questions = [
        Question(str(path.parent / row.values["photo"]), *(row.values[column] for column in columns))
        for row in read_labelled_csv(path, ("photo", *columns))
    ]
    return ask(engine, questions, lambda photo: PictureTerm(load_picture(Path(photo))))


def _ask_captions(engine: SearchEngine, said: Sequence[LabelledRow]) -> dict[str, tuple[Answer, ...]]:
    questions = defaultdict(list)
    for row in said:
        question = Question(row.values["query"], row.values["product_id"], row.values["split"])
        questions[row.values["lang"]].append(question)
    return {language: ask(engine, asked, TextTerm) for language, asked in questions.items()}


def _say(doing: str) -> None:
    print(f"{doing} ...", file=sys.stderr, flush=True)
