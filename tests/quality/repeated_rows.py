"""Recall and precision on rows with an earlier row's picture altered: python -m tests.quality.repeated_rows --home DIR.

The table has products of the test half of a shop, then every third of them again, altered.
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
from search.evaluation.statistics import mean, measured
from tests.quality.report.records import Headline, Outcome, Section, Share, Table
from tests.quality.sections.duplicates import HALVES, PRECISION_FLOOR, RECALL_FLOOR, alterations, chosen

REPEATED_EVERY = 3
BATCH_ROWS = 64


@dataclass(frozen=True, slots=True)
class Planted:
    """A row: its picture file, its title, the row that it repeats (0: none), and the alteration ("": none)."""

    file: bytes
    title: str
    original: int
    alteration: str


def planted(engine: SearchEngine, limit: int) -> list[Planted]:
    """Return a row for each of up to `limit` products, then the altered rows, the alterations in turn."""
    products = chosen(engine, HALVES[1], limit)
    files = [images.read_file(Path(product.pictures[0].path)) for product in products]
    rows = [Planted(file, product.title, 0, "") for file, product in zip(files, products, strict=True)]
    for count, place in enumerate(range(0, len(products), REPEATED_EVERY)):
        ways = list(alterations(images.decode(files[place]), np.random.default_rng((0, place))))
        alteration, picture = ways[count % len(ways)]
        out = io.BytesIO()
        picture.save(out, "PNG")  # lossless: the alteration may include JPEG compression
        rows.append(Planted(out.getvalue(), products[place].title, place + 1, alteration))
    return rows


def repeated(engine: SearchEngine, rows: Sequence[Planted], vectors: Floats, *, titled: bool) -> list[int]:
    """Return the earlier row that each row is found to repeat, 0 for none."""
    earlier = RowDuplicateFinder(engine.generation.layout, lambda name: rows[int(name)].file, ())
    found = []
    for part in chunks(len(rows), BATCH_ROWS):
        sides = np.zeros((len(rows[part]), 2, engine.generation.layout.dim), np.float32)
        sides[:, :, : vectors.shape[2]] = vectors[part]
        row_pictures = [
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
        found += [number for number, _ in earlier.repeated(row_pictures, pictures, list(sides))]
    return found


def figures(rows: Sequence[Planted], found: Sequence[int]) -> dict[str, Any]:
    """Return recall on altered rows and precision of all found rows; products that share a file repeat each other."""
    firsts: dict[bytes, int] = {}
    originals = [row.original or firsts.setdefault(row.file, number) for number, row in enumerate(rows, 1)]
    originals = [originals[first - 1] if first != number else first for number, first in enumerate(originals, 1)]
    copies = [found_row == true for row, found_row, true in zip(rows, found, originals, strict=True) if row.alteration]
    right = [found_row == true for found_row, true in zip(found, originals, strict=True) if found_row]
    by_way: dict[str, list[bool]] = defaultdict(list)
    for row, found_row, true in zip(rows, found, originals, strict=True):
        if row.alteration:
            by_way[row.alteration].append(found_row == true)
    return {
        "rows": len(rows),
        "copies": len(copies),
        **measured("recall", mean, copies),
        "named": len(right),
        **measured("precision", mean, right),
        "found_by_way": {way: [sum(outcomes), len(outcomes)] for way, outcomes in by_way.items()},
        "wrong": [[n, x] for n, (x, true) in enumerate(zip(found, originals, strict=True), 1) if x and x != true],
    }


def repeated_rows(home: Path, name: str, limit: int) -> Outcome:
    """Measure without titles and with the products' own."""
    with SearchEngine.open(home) as engine:
        rows = planted(engine, limit)
        vectors = _encoded(engine, rows)
        bare, titled = (
            figures(rows, repeated(engine, rows, vectors, titled=with_titles)) for with_titles in (False, True)
        )
    table = tuple(
        (way, f"{part['copies']:,}", Share.of(part, "recall"), f"{part['named']:,}", Share.of(part, "precision"))
        for way, part in (("without titles", bare), ("with the products' own", titled))
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
    """Return the encoder's rows of each picture as it is and mirrored, (n, 2, dim)."""
    parts = []
    for part in chunks(len(rows), BATCH_ROWS):
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
