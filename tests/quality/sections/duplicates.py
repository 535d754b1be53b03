"""Planted duplicates: altered copies that must be found, siblings and strangers that must not.

python -m tests.quality.sections.duplicates --home DIR. Half of a shop's products, by the hash of their ids, was for
choosing limits; figures are of the other half. A planted listing is one product's picture, altered, without a
title and with the product's own.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from catalog import images
from catalog.feeds.reader import read_feed
from catalog.product import Product
from indexer.build.build import build_index
from indexer.encoders.base import Encoder
from search.dedup.duplicate_kinds import SAME_FILE, SAME_PICTURE
from search.dedup.listing_duplicates import find_duplicates
from search.engine import SearchEngine
from search.evaluation.statistics import mean, measured
from tests.quality.measures import ratio
from tests.quality.report.records import Headline, Outcome, Section, Share, Table

HALVES = ("choice", "test")
RECALL_FLOOR, PRECISION_FLOOR = 0.95, 0.98
RECOLOURED, UNLISTED = "sibling in another colour", "product that is not in the shop"
APART, LEAST_COLOURED = 25.0, 0.1  # distance of 255, and share of the picture: less is no other colour


@dataclass(frozen=True, slots=True)
class Asked:
    """One planted listing: of which product's picture, how altered, and which listings were named as the same picture.

    `right` are those that do show it; for a product taken as another (recoloured, or not in the shop) there are none.
    """

    product: str
    how: str
    named: tuple[str, ...]
    right: frozenset[str]


def alterations(picture: Image.Image, rng: np.random.Generator) -> Iterator[tuple[str, Image.Image]]:
    """The picture altered in each way that leaves it the same picture, all saved as JPEG."""
    width, height = picture.size
    yield "saved anew", _saved(picture, int(rng.integers(40, 90)))
    scale = float(rng.choice([0.5, 0.7, 1.5, 2.0]))
    yield "resized", _saved(picture.resize((round(width * scale), round(height * scale)), Image.Resampling.BICUBIC))
    less = rng.uniform(0.05, 0.15, 2)
    left, top = (rng.uniform(0, 1, 2) * less).tolist()
    sides = (left * width, top * height, (1 - less[0] + left) * width, (1 - less[1] + top) * height)
    yield "cropped", _saved(picture.crop((round(sides[0]), round(sides[1]), round(sides[2]), round(sides[3]))))
    yield "mirrored", _saved(ImageOps.mirror(picture))
    framed, edge = picture.copy(), max(2, round(min(picture.size) * float(rng.uniform(0.03, 0.08))))
    colour = tuple(rng.integers(0, 256, 3).tolist())
    ImageDraw.Draw(framed).rectangle((0, 0, width - 1, height - 1), outline=colour, width=edge)
    yield "border recoloured", _saved(framed)


def recoloured(picture: Image.Image) -> Image.Image | None:
    """The same shape in another colour: all hues turned by a third; None for a picture with hardly any colour."""
    hue, saturation, value = picture.convert("HSV").split()
    turned = hue.point([(level + 85) % 256 for level in range(256)])
    other = Image.merge("HSV", (turned, saturation, value)).convert("RGB")
    apart = np.abs(np.asarray(other, np.float32) - np.asarray(picture, np.float32)).mean(axis=2)
    return _saved(other) if (apart > APART).mean() > LEAST_COLOURED else None


def ask(engine: SearchEngine, products: Sequence[Product], seed: int = 0, *, titled: bool = False) -> list[Asked]:
    """Every product's first picture, altered in each way, recoloured, and as it is with its own listing left out.

    With `titled`, the product's title is told too.
    """
    files = _listings_by_file(engine)
    asked = []
    for number, product in enumerate(products):
        rng = np.random.default_rng((seed, number))
        shown = product.pictures[0]
        picture = images.decode(images.read_file(Path(shown.path)))
        same = files[shown.sha256]
        title = product.title if titled else ""
        for how, altered in alterations(picture, rng):
            asked.append(Asked(product.id, how, _named(engine, altered, title), same))
        if (sibling := recoloured(picture)) is not None:
            asked.append(Asked(product.id, RECOLOURED, _named(engine, sibling, title), frozenset()))
        others = _named(engine, picture, title, product.id)
        asked.append(Asked(product.id, UNLISTED, others, same - {product.id}))
        if number % 10 == 0:
            print(f"duplicates: {number} of {len(products)} ...", file=sys.stderr, flush=True)
    return asked


def figures(asked: Sequence[Asked]) -> dict[str, Any]:
    """Recall of altered copies, and the precision of all that was named; by kind of listing, and what was wrong.

    Another listing that shows the very same file repeats a picture as well. Intervals draw whole products, as all
    alterations of a picture are alike.
    """
    found: dict[str, list[bool]] = {one.product: [] for one in asked}
    named: dict[str, list[bool]] = {one.product: [] for one in asked}
    for one in asked:
        named[one.product] += [name in one.right for name in one.named]
        if one.how not in (RECOLOURED, UNLISTED):
            found[one.product].append(one.product in one.named)
    by_kind = {}
    for how in dict.fromkeys(one.how for one in asked):
        of = [one for one in asked if one.how == how]
        by_kind[how] = {
            "listings": len(of),
            "found": sum(one.product in one.named for one in of),
            "wrongly_named": sum(bool(set(one.named) - one.right) for one in of),
        }
    return {
        "products": len({one.product for one in asked}),
        "listings": len(asked),
        "copies": sum(map(len, found.values())),
        **measured("recall", ratio, [(sum(of), len(of)) for of in found.values()]),
        "named": sum(map(len, named.values())),
        **measured("precision", ratio, [(sum(of), len(of)) for of in named.values()]),
        "by_kind": by_kind,
        "wrong": sorted({(one.product, name) for one in asked for name in one.named if name not in one.right}),
    }


def planted_duplicates(home: Path, name: str, most: int) -> Outcome:
    """At most so many products of the test half of a built shop, each asked in every alteration."""
    with SearchEngine.open(home) as engine:
        products = chosen(engine, HALVES[1], most)
        told, titled = figures(ask(engine, products)), figures(ask(engine, products, titled=True))
    ways = (told["by_kind"], titled["by_kind"])
    rows = tuple(
        (how, f"{of['listings']:,}", *(f"{by[how][count]:,}" for by in ways for count in ("found", "wrongly_named")))
        for how, of in told["by_kind"].items()
    )
    section = Section(
        f"{name}: listings that repeat others",
        "A product's picture is altered and asked as a new listing: the product must be named. Pictures turned to "
        "another colour, and of products that are taken out, must not name any. Without a title, and with the "
        "product's own, which tells variants that share a picture.",
        (Table(("listing", "n", "own named", "others named", "own, titled", "others, titled"), rows),),
    )
    headlines = (
        Headline(f"{name}: altered copies found", Share.of(told, "recall"), told["copies"], RECALL_FLOOR),
        Headline(f"{name}: named rightly", Share.of(told, "precision"), told["named"], PRECISION_FLOOR),
        Headline(f"{name}: copies with title found", Share.of(titled, "recall"), titled["copies"], RECALL_FLOOR),
        Headline(f"{name}: with title rightly", Share.of(titled, "precision"), titled["named"], PRECISION_FLOOR),
    )
    return Outcome(f"duplicates_{name.lower()}", told | {"with_title": titled}, section, headlines)


def other_views(feed: Path, work: Path, encoder: Encoder) -> Outcome:
    """The sample shop known by first pictures only, asked each test product's second one, with its title."""
    products = [item for item in read_feed(feed) if isinstance(item, Product) and len(item.pictures) > 1]
    (work / "images").mkdir(parents=True, exist_ok=True)
    with (work / "products.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "title", "category", "colour", "image"))
        for product in products:
            picture = Path(product.pictures[0].path)
            shutil.copy(picture, work / "images" / picture.name)
            colour = product.attributes.get("colour", "")
            writer.writerow((product.id, product.title, product.category, colour, f"images/{picture.name}"))
    build_index(work / "shop", work / "products.csv", encoder)
    found, wrong = [], []
    with SearchEngine.open(work / "shop") as engine:
        for product in (one for one in products if half_of(one.id) == HALVES[1]):
            picture = images.decode(images.read_file(Path(product.pictures[1].path)))
            named = [one.product_id for one in find_duplicates(engine, [picture], product.title)]
            found.append(product.id in named)
            wrong.append(any(one != product.id for one in named))
    told = {"products": len(found), **measured("recall", mean, found), **measured("others_named", mean, wrong)}
    section = Section(
        "Sample shop: another view of a listed product",
        f"{len(found):,} products, known by one picture, are listed again with another and the same title.",
        (Table(("n", "found", "others named"), ((f"{len(found):,}", *_shares(told, "recall", "others_named")),)),),
    )
    return Outcome("duplicates_other_views", told, section)


def _shares(told: Mapping[str, Any], *names: str) -> tuple[Share, ...]:
    return tuple(Share.of(told, name) for name in names)


def half_of(product_id: str) -> str:
    """Which half a product belongs to."""
    return HALVES[hashlib.sha256(product_id.encode()).digest()[0] % 2]


def chosen(engine: SearchEngine, half: str, most: int) -> list[Product]:
    """At most so many products of a half, drawn from the whole shop."""
    products = [p for p in engine.browse(len(np.unique(engine.generation.product_keys)), 7) if half_of(p.id) == half]
    return products[:most]


def _named(engine: SearchEngine, picture: Image.Image, title: str, own_id: str = "") -> tuple[str, ...]:
    found = find_duplicates(engine, [picture], title, own_id=own_id)
    return tuple(one.product_id for one in found if one.kind in (SAME_FILE, SAME_PICTURE))


def _listings_by_file(engine: SearchEngine) -> Mapping[str, frozenset[str]]:
    shown: dict[str, set[str]] = defaultdict(set)
    generation = engine.generation
    keys = generation.product_keys.tolist()
    for start in range(0, len(keys), 512):
        part = keys[start : start + 512]
        for product in engine.present(part).values():
            for picture in product.pictures:
                shown[picture.sha256].add(product.id)
    return {sha256: frozenset(ids) for sha256, ids in shown.items()}


def _saved(picture: Image.Image, quality: int = 85) -> Image.Image:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return Image.open(io.BytesIO(out.getvalue())).convert("RGB")


def main() -> None:
    """Ask one shop and print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.quality.sections.duplicates", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="a shop that is built")
    parser.add_argument("--half", choices=HALVES, default="test")
    parser.add_argument("--products", type=int, default=100, help="at most so many of the half")
    parser.add_argument("--titled", action="store_true", help="tell the products' titles too")
    parser.add_argument("--seed", type=int, default=0, help="of the alterations")
    options = parser.parse_args()
    with SearchEngine.open(options.home) as engine:
        asked = ask(engine, chosen(engine, options.half, options.products), options.seed, titled=options.titled)
    print(json.dumps(figures(asked), indent=1))


if __name__ == "__main__":
    main()
