"""What is asked of a shop of any size: pictures and titles of products that it does not have, and photos of clothes.

No question was chosen or tuned by its answers. Times are in milliseconds by the clock, and of the process with all its
threads, which other work on the machine hardly alters.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from catalog.images.decoder import decode
from search.engine import SearchEngine
from search.live.product_edit import edit_of
from search.query.terms import ProductTerm, Query
from tests.bench.scale.real_products import RealProducts

FILTERS = {
    "50 %": {"attributes": {"warehouse": ["W0"]}},
    "5 %": {"attributes": {"collection": ["Collection 03"]}},
    "0.1 %": {"attributes": {"batch": ["B0042"]}},
    "men": {"attributes": {"gender": ["Men"]}},
    "red": {"colour": "Red"},
}
WARM = 10  # questions of a sort that are not counted


@dataclass(frozen=True)
class Questions:
    """Titles and pictures of held-out products, photos of clothes, and how many of each are asked."""

    titles: list[str]
    pictures: list[Image.Image]
    count: int

    @classmethod
    def of(cls, held_out: RealProducts, data: Path, count: int) -> Questions:
        """Read them: a quarter of the pictures are photos that people took of their clothes."""
        photos = data / "clothing" / "photos_validation.csv"
        own: list[Path] = []
        if photos.exists():
            with photos.open(newline="", encoding="utf-8") as opened:
                own = [photos.parent / row["photo"] for row in csv.DictReader(opened)][: count // 4]
        files = [*held_out.files[: count - len(own)], *own]
        titles = [row["title"] for row in held_out.rows]
        return cls(titles[:count], [decode(file.read_bytes()) for file in files], count)

    def sorts(self, ids: list[str]) -> dict[str, Callable[[SearchEngine, int], Any]]:
        """Return how the n-th question of each sort is asked; `ids` are those of products to find similar ones to."""
        titles, pictures = self.titles, self.pictures
        sorts: dict[str, Callable[[SearchEngine, int], Any]] = {
            "text": lambda engine, n: engine.search(Query.of(text=titles[n % len(titles)])),
            "photo": lambda engine, n: engine.search(Query.of(picture=pictures[n % len(pictures)])),
            "similar": lambda engine, n: engine.similar(ids[n % len(ids)]),
            "text, faceted": lambda engine, n: engine.search(Query.of(text=titles[n % len(titles)], facets=True)),
            "text, by price": lambda engine, n: engine.search(Query.of(text=titles[n % len(titles)], sort="price")),
            "browse": lambda engine, n: engine.search(Query.of(filter=FILTERS["red"])),
            "browse, by price": lambda engine, n: engine.search(Query.of(filter=FILTERS["men"], sort="price")),
            "browse, faceted": lambda engine, n: engine.search(Query.of(filter=FILTERS["men"], facets=True)),
            "suggest": lambda engine, n: engine.suggest(_typed(titles, n)),
        }
        for name, conditions in FILTERS.items():
            sorts[f"similar within {name}"] = lambda engine, n, conditions=conditions: engine.search(
                Query((ProductTerm(ids[n % len(ids)]),), filter=Query.of(filter=conditions).filter, group_variants=True)
            )
            if "%" in name:
                sorts[f"text within {name}"] = lambda engine, n, conditions=conditions: engine.search(
                    Query.of(text=titles[n % len(titles)], filter=conditions)
                )
        return sorts


def ask(engine: SearchEngine, questions: Questions, ids: list[str]) -> dict[str, dict[str, float]]:
    """Return the quantiles of each sort; the sorts take turns, so that other work on the machine falls on all alike."""
    sorts = questions.sorts(ids)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in sorts}
    for number in range(-WARM, questions.count):
        for name, put in sorts.items():
            measured = timed(partial(put, engine, number))
            if number >= 0:
                times[name].append(measured)
    return {name: quantiles(found) for name, found in times.items()}


def live_puts(engine: SearchEngine, held_out: RealProducts, count: int) -> dict[str, Any]:
    """Put held-out products with their pictures, and look for each at once: times, and how many were found."""
    times, found = [], 0
    for number in range(count):
        row, picture = held_out.rows[number], _again(held_out.files[number], number)
        fields = {"title": row["title"], "category": row["category"], "price": "12.90 EUR"}
        edit = edit_of(f"live-{number}", fields, pictures=[picture])
        times.append(timed(lambda edit=edit: engine.put(edit)))
        page = engine.search(Query.of(picture=decode(picture), collapse=False))
        found += any(hit.product.id == edit.product_id for hit in page.hits)
    return quantiles(times) | {"found_by_the_next_search": found / max(1, count)}


def timed(act: Callable[[], object]) -> tuple[float, float]:
    """Return the milliseconds that something takes by the clock, and of the processor."""
    clock, cpu = time.perf_counter(), time.process_time()
    act()
    return (time.perf_counter() - clock) * 1000, (time.process_time() - cpu) * 1000


def quantiles(times: Iterable[tuple[float, float]]) -> dict[str, float]:
    """Return n, and the median, the 95th and the 99th percentile by the clock and of the processor."""
    array = np.array(list(times))
    body: dict[str, float] = {"n": len(array)}
    for column, name in enumerate(("ms", "cpu_ms")):
        for quantile in (50, 95, 99):
            body[f"p{quantile}_{name}"] = round(float(np.percentile(array[:, column], quantile)), 2)
    return body


def _typed(titles: list[str], number: int) -> str:
    """Return the beginning of a title, as somebody has typed it: from two letters to all of it."""
    title = titles[number % len(titles)].lower()
    return title[: 2 + (number * 7) % max(1, len(title) - 1)]


def _again(file: Path, number: int) -> bytes:
    """Return a picture as a new file, as no picture of the shop is."""
    out = io.BytesIO()
    Image.open(file).convert("RGB").save(out, "PNG", compress_level=1 + number % 9)
    return out.getvalue()
