"""python -m tests.bench.suggest HOME [PRODUCTS]: how fast suggestions come while somebody types, and what they take.

HOME gets a catalogue of generated products when it has none: invented words as frequent as words are, in two scripts.
Times are of `Suggester.suggest` with the reading of the best products, by the clock and of the processor.
"""

from __future__ import annotations

import gc
import sys
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np

from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from search.query.glossary import Glossary
from search.state.column_store import ProductColumns
from search.suggest.suggester import Suggester

WORDS, BRANDS, KINDS, GROUPS = 40_000, 5_000, 400, 25
QUERIES = 400  # of each sort
SYLLABLES = [a + b for a in "bcdfghklmnprstvz" for b in ("a", "e", "i", "o", "u", "ar", "el", "in", "on", "us")]
COLOURS = ("red", "blue", "green", "black", "white", "grey", "navy", "mustard", "terracotta", "ivory")
COLOURS_ZH = ("红色", "蓝色", "绿色", "黑色", "白色", "灰色", "藏青色", "芥末黄", "陶土色", "象牙白")


def main(home: Path, count: int) -> None:
    """Print seconds of reading, memory, and the times of queries of each sort."""
    home.mkdir(parents=True, exist_ok=True)
    catalogue = Catalogue.open(home / "catalog.sqlite")
    if not catalogue.count():
        catalogue.put(generated(count))
    columns = ProductColumns.read(catalogue)
    suggester = Suggester(catalogue, Glossary.of(home))
    gc.collect()
    before, started, worked = resident_mib(), time.perf_counter(), time.process_time()
    suggester.suggest("x", columns, 6, {})
    seconds = f"{time.perf_counter() - started:.1f} s ({time.process_time() - worked:.1f} of the processor)"
    print(f"{catalogue.count():,} products: words read in {seconds}, ", end="")
    gc.collect()
    print(f"{resident_mib() - before:.0f} MiB more of memory")
    titles = [title for _, title in catalogue.titles()]
    for name, queries in sorts_of_queries(catalogue, titles).items():
        measure(name, suggester, columns, queries)
    product = next(iter(catalogue.get_many(catalogue.keys()[:1]).values()))
    for name, changed in (("1 product", 1), ("1,000 products", 1_000)):
        many = catalogue.get_many(catalogue.keys()[:changed])
        catalogue.put(replace(each, title=f"{each.title} again {changed}") for each in many.values())
        columns = columns.changed(catalogue.get_many(list(many)), (), catalogue.seq)
        measure(f"first after {name} changed", suggester, columns, [product.title[:3]])
    measure("after changes", suggester, columns, sorts_of_queries(catalogue, titles)["beginnings of 1 to 6 letters"])
    suggester.wait()
    catalogue.close()


def generated(count: int):
    """Yield products: titles of words that are as frequent as words are, brands, kinds and colours in two languages."""
    chance = np.random.default_rng(0)
    words = ["".join(chance.choice(SYLLABLES, chance.integers(2, 5))) for _ in range(WORDS)]
    ranks = 1.0 / np.arange(2, WORDS + 2)
    frequent = ranks / ranks.sum()
    characters = [chr(0x4E00 + int(point)) for point in chance.choice(6_000, 900, replace=False)]
    words_zh = ["".join(chance.choice(characters, chance.integers(2, 4))) for _ in range(3_000)]
    brands = [word.title() for word in words[-BRANDS:]]
    kinds = [f"{words[1_000 + number % GROUPS].title()} > {words[2_000 + number].title()}s" for number in range(KINDS)]
    kinds_zh = [f"{words_zh[number % GROUPS]} > {words_zh[100 + number]}" for number in range(KINDS)]
    for number in range(count):
        kind, colour = int(chance.integers(KINDS)), int(chance.integers(len(COLOURS)))
        chosen = [words[at] for at in chance.choice(WORDS, chance.integers(4, 8), p=frequent)]
        noun = kinds[kind].rpartition(" > ")[2].removesuffix("s").lower()
        extra = "".join(words_zh[at] for at in chance.integers(0, 3_000, 2))
        yield Product(
            f"P-{number:06d}",
            f"{chosen[0].title()} {COLOURS[colour]} {' '.join(chosen[1:])} {noun}",
            (),
            kinds[kind],
            Decimal(int(chance.integers(100, 20_000))) / 100,
            "EUR",
            brand=brands[int(chance.integers(BRANDS))],
            attributes={
                "colour": COLOURS[colour],
                "colour_zh": COLOURS_ZH[colour],
                "category_zh": kinds_zh[kind],
                "title_zh": COLOURS_ZH[colour] + extra + kinds_zh[kind].rpartition(" > ")[2],
                "gtin": str(4_000_000_000_000 + number),
            },
        )


def sorts_of_queries(catalogue: Catalogue, titles: list[str]) -> dict[str, list[str]]:
    """Return texts as they are typed, by sort."""
    chance = np.random.default_rng(1)
    drawn = [titles[at] for at in chance.integers(0, len(titles), QUERIES)]
    keys = chance.choice(catalogue.keys(), QUERIES).tolist()
    chinese = [product.attributes["title_zh"] for product in catalogue.get_many(keys).values()]

    def cut(text: str, least: int, most: int) -> str:
        return text[: int(chance.integers(least, most + 1))]

    def mistaken(word: str) -> str:
        at = int(chance.integers(1, len(word) - 1))
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]

    several = [f"{title.split()[1]} {title.split()[2]} {cut(title.split()[3], 1, 3)}" for title in drawn]
    return {
        "beginnings of 1 to 6 letters": [cut(title.lower(), 1, 6) for title in drawn],
        "one letter": [cut(title.lower(), 1, 1) for title in drawn],
        "several words": several,
        "complete words and a blank": [title.split()[1] + " " for title in drawn],
        "a typing mistake": [mistaken(max(title.split(), key=len).lower()) for title in drawn],
        "Chinese": [cut(title, 1, 6) for title in chinese],
        "ids": [f"P-{int(number):06d}"[:6] for number in chance.integers(0, len(titles), QUERIES)],
        "nothing": [""] * QUERIES,
    }


def resident_mib() -> float:
    """Return the process's own memory, without mapped files."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("RssAnon:")[2].split()[0]) / 1024


def measure(name: str, suggester: Suggester, columns: ProductColumns, queries: list[str]) -> None:
    """Print the quantiles of the times of some queries."""
    clock, processor = [], []
    for query in queries:
        began, worked = time.perf_counter(), time.thread_time()
        suggester.suggest(query, columns, 6, {})
        clock.append((time.perf_counter() - began) * 1000)
        processor.append((time.thread_time() - worked) * 1000)
    p50, p95, p99 = np.quantile(clock, (0.5, 0.95, 0.99))
    of_processor = f"processor p95 {np.quantile(processor, 0.95):5.1f}"
    print(
        f"{name:30} n {len(queries):3}  p50 {p50:5.1f} ms  p95 {p95:5.1f}  p99 {p99:5.1f}  ({of_processor})", flush=True
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 200_000)
