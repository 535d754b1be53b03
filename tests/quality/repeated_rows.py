"""Rows of one table that show an earlier row's picture altered: python -m tests.quality.repeated_rows --home DIR.

A table of products of the test half of a shop, every third of which comes again altered, behind all of them.
"""

from __future__ import annotations

import argparse
import io
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ImageOps

from catalog import images
from indexer.numeric import chunks
from indexer.types import Floats
from search.bulk.job_rows import RowPicture
from search.bulk.row_duplicates import RowDuplicateFinder
from search.engine import SearchEngine
from tests.quality.measures import mean, measured
from tests.quality.report.records import Headline, Outcome, Section, Share, Table
from tests.quality.sections.duplicates import HALVES, PRECISION_FLOOR, RECALL_FLOOR, alterations, chosen

EACH = 3
AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Planted:
    """A row: its picture's file, its title, and the row that it shows again, altered in some way; "" for a product."""

    file: bytes
    title: str
    of: int
    how: str


def planted(engine: SearchEngine, most: int) -> list[Planted]:
    """A row for each of so many products, and behind them the altered ones, in every way in turn."""
    products = chosen(engine, HALVES[1], most)
    files = [images.read_file(Path(product.pictures[0].path)) for product in products]
    rows = [Planted(file, product.title, 0, "") for file, product in zip(files, products, strict=True)]
    for count, place in enumerate(range(0, len(products), EACH)):
        ways = list(alterations(images.decode(files[place]), np.random.default_rng((0, place))))
        how, picture = ways[count % len(ways)]
        out = io.BytesIO()
        picture.save(out, "PNG")  # as decoded from the JPEG that it was saved as
        rows.append(Planted(out.getvalue(), products[place].title, place + 1, how))
    return rows


def repeated(engine: SearchEngine, rows: Sequence[Planted], vectors: Floats, *, titled: bool) -> list[int]:
    """The earlier row that each row is found to repeat, 0 for none."""
    earlier = RowDuplicateFinder(engine.generation.layout, lambda name: rows[int(name)].file, ())
    found = []
    for part in chunks(len(rows), AT_ONCE):
        sides = np.zeros((len(rows[part]), 2, engine.generation.layout.dim), np.float32)
        sides[:, :, : vectors.shape[2]] = vectors[part]
        shown = [
            RowPicture(
                number + 1,
                row.title if titled else "",
                f"{number}",
                images.content_hash(row.file),
                own[:1].astype(np.float16).tobytes(),
            )
            for number, (row, own) in enumerate(zip(rows[part], sides, strict=True), part.start)
        ]
        pictures = [images.decode(row.file) for row in rows[part]]
        found += [number for number, _ in earlier.repeated(shown, pictures, list(sides))]
    return found


def figures(rows: Sequence[Planted], found: Sequence[int]) -> dict[str, Any]:
    """Recall of the altered, and the precision of all that was named; products that share a file do repeat it."""
    firsts: dict[bytes, int] = {}
    shows = [row.of or firsts.setdefault(row.file, number) for number, row in enumerate(rows, 1)]
    shows = [shows[of - 1] if of != number else of for number, of in enumerate(shows, 1)]
    copies = [said == of for row, said, of in zip(rows, found, shows, strict=True) if row.how]
    right = [said == of for said, of in zip(found, shows, strict=True) if said]
    by_way: dict[str, list[bool]] = defaultdict(list)
    for row, said, of in zip(rows, found, shows, strict=True):
        if row.how:
            by_way[row.how].append(said == of)
    return {
        "rows": len(rows),
        "copies": len(copies),
        **measured("recall", mean, copies),
        "named": len(right),
        **measured("precision", mean, right),
        "found_by_way": {how: [sum(of), len(of)] for how, of in by_way.items()},
        "wrong": [[n, said] for n, (said, of) in enumerate(zip(found, shows, strict=True), 1) if said and said != of],
    }


def repeated_rows(home: Path, name: str, most: int) -> Outcome:
    """Without titles and with the products' own."""
    with SearchEngine.open(home) as engine:
        rows = planted(engine, most)
        vectors = _encoded(engine, rows)
        bare, titled = (figures(rows, repeated(engine, rows, vectors, titled=told)) for told in (False, True))
    table = tuple(
        (way, f"{told['copies']:,}", Share.of(told, "recall"), f"{told['named']:,}", Share.of(told, "precision"))
        for way, told in (("without titles", bare), ("with the products' own", titled))
    )
    section = Section(
        f"{name}: rows that repeat others of their table",
        f"{bare['rows'] - bare['copies']:,} products in one table, and {bare['copies']:,} of their pictures, altered.",
        (Table(("rows", "copies", "found", "named", "rightly"), table),),
    )
    headlines = (
        Headline(f"{name}: repeating rows found", table[1][2], titled["copies"], RECALL_FLOOR),
        Headline(f"{name}: repeating rows named rightly", table[1][4], titled["named"], PRECISION_FLOOR),
    )
    return Outcome(f"repeated_rows_{name.lower()}", {"bare": bare, "titled": titled}, section, headlines)


def _encoded(engine: SearchEngine, rows: Sequence[Planted]) -> Floats:
    """The encoder's rows of each picture as it is and mirrored, (n, 2, dim)."""
    parts = []
    for part in chunks(len(rows), AT_ONCE):
        pictures = [images.decode(row.file) for row in rows[part]]
        sides = [side for picture in pictures for side in (picture, ImageOps.mirror(picture))]
        encoded = engine.encoder.encode_images(sides)
        parts.append(encoded.reshape(len(pictures), 2, -1))
    return np.concatenate(parts)


def main() -> None:
    """Measure and print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.quality.repeated_rows", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="a shop that is built")
    parser.add_argument("--products", type=int, default=1_500, help="at most so many of the test half")
    options = parser.parse_args()
    print(json.dumps(repeated_rows(options.home, options.home.name, options.products).figures, indent=1))


if __name__ == "__main__":
    main()
