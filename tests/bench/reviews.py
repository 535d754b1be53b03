"""make bench: customers' reviews of a shop: import with analysis, import again, and product pages with and without.

The reviews are made of sentences about the shop's own products, a fifth of them Chinese, so that few are equal. The
seconds of processors tell more than the clock where others are at work too.
"""

from __future__ import annotations

import csv
import http.client
import random
import shutil
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from catalog.home import ShopHome
from catalog.product import Product
from catalog.reviews.review_store import ReviewStore
from catalog.storage.catalogue import Catalogue
from tests.memory import Watched, watch
from web.urls import product_url

ENGLISH = (
    "The {thing} runs {less} than I expected from {maker}, so order one up.",
    "Quality of the {thing} is {good}, it held up for {n} weeks of use.",
    "The colour of my {thing} looks {less} than in the picture.",
    "Delivery of the {thing} to {maker} took {n} days.",
    "For {n} it is {good} value compared to my old {thing}.",
    "I use this {thing} every day for my {other}, {good}!",
    "It is comfortable to hold, even next to a {other} of {n} cm.",
    "My {maker} bought the {other} too and sent it back after {n} days.",
)
CHINESE = (
    "{thing}的质量{good}，用了{n}天。",
    "颜色和图片{less}，有{n}种。",
    "物流{n}天，送给{maker}的。",
    "价格{n}元，{good}。",
)
WORDS = {
    "good": ("very good", "poor", "really great", "not bad", "awful", "fine"),
    "less": ("smaller", "larger", "duller", "brighter", "shorter", "heavier"),
    "maker": ("sister", "mother", "the shop", "a friend", "Berlin", "our office", "grandpa"),
}
HAN = {
    "good": ("很好", "一般", "不错", "很差"),
    "less": ("一样", "不一样", "差不多"),
    "maker": ("妈妈", "朋友", "同事"),
}
REQUESTS = 200
FINE = 0


def reviewing(shop: Path, home: Path, count: int, serve: Any) -> dict[str, Any]:
    """Measure `count` reviews on a copy of a shop; `serve` starts a server of a home on a port."""
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(shop, home)
    with closing(Catalogue.open(ShopHome(home).catalogue)) as catalogue:
        products = [product for _, product in catalogue.iterate()]
    path = home / "reviews.csv"
    write_reviews(path, products, count)
    first, again = (_import(home, path) for _ in range(2))
    overview = ReviewStore(home).overview()
    found = {
        "reviews": count,
        "products": overview.products,
        "megabytes": round(overview.bytes / 2**20, 1),
        "import": _figures(first, count),
        "again": _figures(again, count),
        "page_ms": pages(shop, home, [product.id for product in products], serve),
    }
    shutil.rmtree(home)
    return found


def write_reviews(path: Path, products: Sequence[Product], count: int) -> None:
    """Write a file of reviews, the same one each time."""
    draw = random.Random(7)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "product_id", "rating", "text", "author", "email", "created", "verified", "state"])
        for number in range(count):
            about = draw.choice(products)
            stars, day = draw.choice((1, 2, 3, 4, 5, 5, 5)), f"2026-{1 + number % 12:02d}-{1 + number % 28:02d}"
            author = (f"Customer {number}", f"c{number}@mail.example", day, number % 3 > 0, "published")
            writer.writerow([number, about.id, stars, " ".join(_sentences(draw, products, about)), *author])


def pages(plain: Path, reviewed: Path, ids: Sequence[str], serve: Any) -> dict[str, float]:
    """Return p50 and p95 of product pages in milliseconds, in turn of a shop without reviews and one with them."""
    times: dict[str, list[float]] = {"without": [], "with": []}
    with serve(plain, 8765), serve(reviewed, 8766):
        for number in range(REQUESTS + 20):
            for name, port in {"without": 8765, "with": 8766}.items():
                with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
                    connection.connect()
                    begun = time.perf_counter()
                    connection.request("GET", product_url(ids[number * 7 % len(ids)]))
                    answer = connection.getresponse()
                    answer.read()
                    assert answer.status == 200
                    if number >= 20:
                        times[name].append(1000 * (time.perf_counter() - begun))
    return {
        f"{name}_{part}": round(value, 1)
        for name, measured in times.items()
        for part, value in (("p50", statistics.median(measured)), ("p95", statistics.quantiles(measured, n=20)[18]))
    }


def _sentences(draw: random.Random, products: Sequence[Product], about: Product) -> Iterator[str]:
    han = draw.random() < 0.2
    for sentence in draw.sample(CHINESE if han else ENGLISH, draw.randint(1, 4)):
        words = {name: draw.choice(choices) for name, choices in (HAN if han else WORDS).items()}
        other = draw.choice(products).title
        yield sentence.format(thing=about.title, other=other, n=draw.randint(2, 300), **words)


def _import(home: Path, path: Path) -> Watched:
    done = watch([sys.executable, "-m", "search", "reviews", "import", str(path), "--home", str(home)])
    assert done.code == FINE, done.errors
    return done


def _figures(done: Watched, count: int) -> dict[str, float]:
    return {
        "seconds": round(done.seconds, 1),
        "cpu_seconds": round(done.cpu_seconds, 1),
        "cpu_ms_a_review": round(1000 * done.cpu_seconds / count, 2),
        "own_mb": round(done.own_mb),
    }
