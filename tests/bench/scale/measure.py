"""python -m tests.bench.scale.measure SIZE DATA FOLDER [REAL]: measure one home, in a process of its own; prints JSON.

The home itself is only read. What is written (live products, an update) is written to a copy beside it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from indexer.ann.exact_rerank import exact_scores, top_rows
from indexer.cache.vector_cache import PICTURE_VECTORS, TITLE_VECTORS
from indexer.encoders.base import Encoder
from indexer.generations.store import Generation
from search.engine import SearchEngine
from tests.bench.scale.catalogues import CatalogueMaker
from tests.bench.scale.homes import home_name
from tests.bench.scale.questions import Questions, ask, live_puts
from tests.bench.scale.real_products import RealProducts

QUESTIONS = 200
RECALL_QUESTIONS = 200
LIVE_PUTS = 30
DEPTH = 10
LARGE_CACHES = (f".{PICTURE_VECTORS}", f".{TITLE_VECTORS}")  # a server reads them only for changed products


def main(size: int, data: Path, folder: Path, count: int | None) -> None:
    """Measure disk, opening, memory, questions, recall and live changes."""
    home = folder / home_name(size)
    found: dict[str, Any] = {"products": size, "bytes_per_product": bytes_on_disk(home, size)}
    copy = scratch_copy(home)
    try:
        before, clock, cpu = resident_mb(), time.perf_counter(), time.process_time()
        with SearchEngine.open(copy) as engine:
            found["open"] = {"seconds": seconds_since(clock), "cpu_seconds": round(time.process_time() - cpu, 2)}
            found["memory_mb"] = {"before": before, "opened": resident_mb()}
            engine.warm_up()
            engine._suggester.wait()
            found["ready"] = {"seconds": seconds_since(clock), "cpu_seconds": round(time.process_time() - cpu, 2)}
            found["memory_mb"]["ready"] = resident_mb()
            held_out = CatalogueMaker.of(data, folder, engine.encoder, count).held_out
            drawn = np.random.default_rng(2).choice(size, QUESTIONS, replace=False)
            ids = [f"P{number:07d}" for number in drawn.tolist()]
            found["questions"] = ask(engine, Questions.of(held_out, data, QUESTIONS), ids)
            found["recall"] = recall(engine.generation, engine.encoder, held_out)
            found["live_put"] = live_puts(engine, held_out, LIVE_PUTS)
    finally:
        shutil.rmtree(copy)
    found["load"] = os.getloadavg()
    print(json.dumps(found))


def seconds_since(start: float) -> float:
    """Return the seconds by the clock since then."""
    return round(time.perf_counter() - start, 2)


def bytes_on_disk(home: Path, size: int) -> dict[str, int]:
    """Return the bytes a product of the current generation's files, of the catalogue and of the caches."""
    generation = home / "generations" / f"{int((home / 'current').read_text()):06d}"
    files = {path.name: path for path in sorted(generation.iterdir()) if path.is_file()}
    files |= {path.name: path for path in home.glob("catalog.sqlite*")}
    files |= {path.suffix.lstrip(".") + " cache": path for path in (home / "cache").iterdir()}
    return {name: round(path.stat().st_size / size) for name, path in files.items() if path.stat().st_size >= size}


def resident_mb() -> dict[str, float]:
    """Return the process's memory in MiB: all that is resident, its own, and pages of mapped files."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    values = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.startswith(("VmRSS", "Rss"))}
    return {"all": round(values["VmRSS"]), "own": round(values["RssAnon"]), "files": round(values["RssFile"])}


def scratch_copy(home: Path) -> Path:
    """Copy a home: what never changes by links to its files, the rest really."""
    copy = home.with_name(f".measured-{home.name}-{os.getpid()}")
    for path in home.rglob("*"):
        target = copy / path.relative_to(home)
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        elif "generations" in path.parts:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, target)
        elif path.suffix not in LARGE_CACHES:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    return copy


def recall(generation: Generation, encoder: Encoder, held_out: RealProducts) -> dict[str, float]:
    """Return the recall@10 of the index for pictures and titles of held-out products against exact search."""
    layout, weights = generation.layout, generation.manifest.weights
    chosen = range(min(RECALL_QUESTIONS, len(held_out.rows)))
    worded = encoder.encode_texts([held_out.rows[at]["title"] for at in chosen])
    encoded = {"picture": held_out.pictures[: len(chosen)], "text": worded}
    body = {}
    for kind, vectors in encoded.items():
        queries = layout.query(vectors, weights[kind])
        best = top_rows(generation.rows, queries, DEPTH)
        hits = 0
        for query, exact in zip(queries, best, strict=True):
            tenth = exact_scores(generation.rows, query, exact).min()
            hits += int((generation.search(query, DEPTH)[0] >= tenth - 1e-5).sum())
        body[kind] = round(hits / (DEPTH * len(chosen)), 4)
    return body


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else None)
