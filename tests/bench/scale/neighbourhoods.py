"""How near the ten nearest rows are, as a catalogue grows: of real products, and of those drawn around them.

python -m tests.bench.scale.neighbourhoods DATA FOLDER [REAL]: quantiles of 1 - score of the 1st and the 10th nearest.
Distances at 1/8, 1/4, 1/2 and all of the real products give the power of the size that drawn ones are to follow.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from indexer.ann.block_weights import shop_weights
from indexer.encoders.registry import open_encoder
from indexer.types import Floats
from tests.bench.scale.catalogues import CatalogueMaker
from tests.bench.scale.drawing import Drawing

QUERIES = 300
SIZES = (20_000, 50_000)
SPREADS = (0.5, 0.75, 1.0)


def main(data: Path, folder: Path, count: int | None) -> None:
    """Print a line for each size and spread."""
    maker = CatalogueMaker.of(data, folder, open_encoder("starter"), count)
    layout, real = maker.drawing.layout, maker.drawing.real
    weights = shop_weights(layout)["picture"]
    queries = layout.query(maker.held_out.pictures[:QUERIES], weights)
    rows = layout.rows(real.pictures, real.titles)
    order = np.random.default_rng(3).permutation(len(rows))
    medians = []
    sizes = [len(rows) // 8, len(rows) // 4, len(rows) // 2, len(rows)]
    for size in sizes:
        medians.append(report(f"real {size:>9,}", queries, rows[order[:size]]))
    for place, name in enumerate(("1st", "10th")):
        power = np.polyfit(np.log(sizes), np.log([median[place] for median in medians]), 1)[0]
        last = medians[-1][place]
        expected = [(size, last * (size / len(rows)) ** power) for size in (*SIZES, 200_000, 1_000_000)]
        wanted = ", ".join(f"{distance:.4f} at {size:,}" for size, distance in expected)
        print(f"{name}: size to the power {power:.3f}, so expected {wanted}", flush=True)
    for spread in SPREADS:
        drawing = Drawing(layout, real, maker.drawing.neighbours, spread)
        chance = np.random.default_rng(5)
        drawn = [rows]
        for size in SIZES:
            _, pictures, titles = drawing.draw(size - sum(map(len, drawn)), chance)
            drawn.append(layout.rows(pictures, titles))
            report(f"spread {spread:4} {size:>9,}", queries, np.concatenate(drawn))


def report(name: str, queries: Floats, rows: Floats) -> tuple[float, float]:
    """Print quantiles of the distances, and return the medians."""
    nearest = np.empty((len(queries), 2))
    for at, query in enumerate(queries):
        scores = rows @ query
        best = np.sort(scores[np.argpartition(-scores, 10)[:10]])[::-1]
        nearest[at] = 1 - best[0], 1 - best[9]
    parts = [" ".join(f"{q:.4f}" for q in np.quantile(nearest[:, at], (0.1, 0.5, 0.9))) for at in (0, 1)]
    print(f"{name}: 1st {parts[0]}; 10th {parts[1]} (10, 50, 90 %)", flush=True)
    return float(np.median(nearest[:, 0])), float(np.median(nearest[:, 1]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else None)
