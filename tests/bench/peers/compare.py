"""Compare indexes at equal recall: the least effort that finds 0.995 of the ten best, and what a search then takes.

Each is built in a process of its own, and opened and searched in another, so that memory is what it needs to search.
Times are of the processor. Each peer's searches alternate with ours, so that whatever else the machine does falls on
both.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from indexer.ann.block_weights import shop_weights
from indexer.ann.exact_rerank import exact_scores, top_rows
from indexer.ann.recall import Goal, sample_queries
from indexer.generations.store import open_current
from indexer.layout import RowLayout
from indexer.types import Floats
from tests.bench.peers.contestants import (
    Contestant,
    Effort,
    FaissByteGraph,
    FaissFastScan,
    FaissGraph,
    FaissLists,
    Hnswlib,
    Usearch,
    Windowshop,
    mask_of,
)
from tests.bench.peers.databases import LanceBits, LanceGraph, LanceLists, MilvusLite, QdrantLocal
from tests.bench.peers.process_memory import disk_mb, own_memory, peak_mb
from tests.bench.peers.table import tables
from tests.bench.peers.tuning import DEPTH, Part, side_by_side

QUERIES = 200
OWN = "windowshop"
CONTESTANTS: dict[str, type[Contestant]] = {
    "FAISS HNSW, float16": FaissGraph,
    "FAISS HNSW, 8 bits": FaissByteGraph,
    "FAISS IVF, 8 bits": FaissLists,
    "FAISS IVF, 4-bit codes, float16": FaissFastScan,
    "hnswlib": Hnswlib,
    "usearch, float16": Usearch,
    "lancedb IVF_PQ": LanceLists,
    "lancedb IVF_RQ": LanceBits,
    "lancedb HNSW_SQ": LanceGraph,
    "qdrant-client, local": QdrantLocal,
    "milvus-lite HNSW": MilvusLite,
}
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")  # lancedb builds for ever on one of its own
SURROUNDINGS = {**dict.fromkeys(THREADS, "1"), "LANCE_LOG": "error"}
ANSWER = "figures: "  # begins the line that a step's process prints


@dataclass(frozen=True)
class Workload:
    """Float16 rows, vectors of questions by kind, and the score of the tenth best row with and without the filter."""

    rows: np.ndarray
    questions: Mapping[str, Floats]
    emphasis: Floats
    tenth: Mapping[str, Floats]
    filtered_tenth: Mapping[str, Floats]

    @classmethod
    def with_truth(cls, rows: np.ndarray, questions: Mapping[str, Floats], emphasis: Floats) -> Workload:
        """Find the tenth best rows by reading all."""
        allowed = np.ascontiguousarray(rows[mask_of(len(rows))])
        tenth = {kind: least_scores(rows, vectors) for kind, vectors in questions.items()}
        return cls(rows, questions, emphasis, tenth, {kind: least_scores(allowed, q) for kind, q in questions.items()})

    def save(self, folder: Path) -> None:
        """Write it for the processes that measure."""
        if not (folder / "rows.npy").exists():
            np.save(folder / "rows.npy", self.rows)
        arrays = {"emphasis": self.emphasis}
        for name, part in (("q", self.questions), ("tenth", self.tenth), ("filtered", self.filtered_tenth)):
            arrays |= {f"{name}:{kind}": array for kind, array in part.items()}
        np.savez(folder / "questions.npz", **arrays)

    @classmethod
    def load(cls, folder: Path) -> Workload:
        """Open what was saved, its rows mapped."""
        arrays: dict[str, dict[str, Floats]] = {"q": {}, "tenth": {}, "filtered": {}}
        with np.load(folder / "questions.npz") as saved:
            emphasis = saved["emphasis"]
            for name in saved.files:
                part, _, kind = name.partition(":")
                if kind:
                    arrays[part][kind] = saved[name]
        rows = np.load(folder / "rows.npy", mmap_mode="r")
        return cls(rows, arrays["q"], emphasis, arrays["tenth"], arrays["filtered"])


def comparing(home: Path, count: int, folder: Path) -> dict[str, Any]:
    """Rows of a shop and questions that are not among them: every contestant's figures, or why it has none."""
    generation = open_current(home, mapped=True)
    chance = np.random.default_rng(0)
    order = chance.permutation(len(generation.product_keys))
    stored = generation.vectors.rows
    rows = np.asarray(stored[np.sort(order[QUERIES : QUERIES + count])])
    held_out = np.asarray(stored[np.sort(order[:QUERIES])])
    layout = generation.layout
    questions = sample_queries(layout, held_out, shop_weights(layout), Goal(queries=QUERIES))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    Workload.with_truth(rows, questions, emphasis_of(layout)).save(folder)
    report = comparing_all(folder)
    shutil.rmtree(folder)
    return report


def emphasis_of(layout: RowLayout) -> Floats:
    """Return what each number of a row counts when rows are assigned to lists, as in a build."""
    return layout.weigh(np.ones(layout.dim, np.float32), shop_weights(layout)["picture"])


def least_scores(rows: np.ndarray, queries: Floats) -> Floats:
    """Return the score of the tenth best row of each query."""
    best = top_rows(rows, queries, DEPTH)
    return np.array([exact_scores(rows, q, found).min() for q, found in zip(queries, best, strict=True)], np.float32)


def in_own_process(step: str, name: str, folder: Path) -> dict[str, Any]:
    """Run a step in another process; return its figures, or that it ended without any."""
    command = [sys.executable, "-m", "tests.bench.peers", step, name, str(folder)]
    run = subprocess.run(command, env={**os.environ, **SURROUNDINGS}, stdout=subprocess.PIPE, text=True, check=False)
    if run.returncode:
        return {"skipped": f"failed to {step}: the process ended with {run.returncode}"}
    for line in reversed(run.stdout.splitlines()):  # libraries print lines of their own, some at exit
        if line.startswith(ANSWER):
            figures: dict[str, Any] = json.loads(line.removeprefix(ANSWER))
            return figures
    return {"skipped": f"failed to {step}: the process gave no figures"}


def comparing_all(
    folder: Path, step: Callable[[str, str, Path], dict[str, Any]] = in_own_process, leave: bool = False
) -> dict[str, Any]:
    """Compare on the saved workload, one after the other; `leave` keeps their files."""
    rows = np.load(folder / "rows.npy", mmap_mode="r")
    report: dict[str, Any] = {"rows": len(rows), "rows_mb": rows.nbytes / 1e6}
    for name in (OWN, *CONTESTANTS):
        figures = report[name] = step("build", name, folder)
        if "skipped" not in figures:
            figures |= step("search", name, folder)
        if name != OWN and not leave:
            shutil.rmtree(files_of(folder, name), ignore_errors=True)
    report["tables"] = tables(report, OWN)
    return report


def files_of(folder: Path, name: str) -> Path:
    """Return the folder of a contestant's files."""
    return folder / name.replace(" ", "-").replace(",", "")


def one_step(step: str, name: str, folder: Path) -> dict[str, Any]:
    """Build or search one contestant in this process."""
    contestant = Windowshop() if name == OWN else CONTESTANTS[name]()
    workload = Workload.load(folder)
    try:
        return (build_step if step == "build" else search_step)(contestant, name, workload, folder)
    except ModuleNotFoundError as error:
        return {"skipped": f"{error.name} is not installed: pip install 'windowshop[bench]'"}
    except Exception as error:  # whatever a peer raises, the others are compared
        return {"skipped": f"failed to {step}: {error!r}"}


def build_step(contestant: Contestant, name: str, workload: Workload, folder: Path) -> dict[str, Any]:
    """Return what a build took of the processor, its peak memory and its files; those that are there are not built."""
    files = files_of(folder, name)
    if contestant.in_memory:
        return {}
    done = files / "figures.json"  # written last
    if not done.exists():
        shutil.rmtree(files, ignore_errors=True)
        files.mkdir()
        figures = timed_build(contestant, workload, files) | {"disk_mb": disk_mb(files)}
        figures["reads_files"] = contestant.reads_files
        done.write_text(json.dumps(figures))
    saved: dict[str, Any] = json.loads(done.read_text())
    return saved


def timed_build(contestant: Contestant, workload: Workload, files: Path) -> dict[str, Any]:
    """Build; return the seconds of the processor, all threads together, and the highest memory of this process."""
    started = time.process_time()
    contestant.build(workload.rows, workload.emphasis, files)
    return {"build_s": time.process_time() - started, "build_peak_mb": peak_mb()}


def search_step(contestant: Contestant, name: str, workload: Workload, folder: Path) -> dict[str, Any]:
    """Return what searches take in turn with ours, and by how many MB this process's own memory grew for them."""
    mask = mask_of(len(workload.rows))
    own = Windowshop()
    if name != OWN:
        own.open(files_of(folder, OWN), workload.rows, mask)
    figures: dict[str, Any] = {}
    before = own_memory()
    if contestant.in_memory:
        figures |= timed_build(contestant, workload, folder)
    contestant.open(files_of(folder, name), workload.rows, mask)
    figures["opened_mb"] = own_memory() - before
    for kind, queries in workload.questions.items():
        for filtered in (False, True):
            title = f"{kind}, 5 %" if filtered else kind
            truth = (workload.filtered_tenth if filtered else workload.tenth)[kind]
            part = Part(workload.rows, queries, truth, mask if filtered else None)
            figures[title] = {"skipped": "takes no filter"}
            if contestant.filters or not filtered:
                figures[title] = searched(own, contestant, part, name)
    figures["memory_mb"] = own_memory() - before
    return figures


def searched(own: Contestant, peer: Contestant, part: Part, name: str) -> dict[str, Any]:
    """Return the figures of one part, or why it has none."""
    if name == OWN:
        widths = peer.widths_for(part.filtered)
        for query in part.queries:
            peer.search(query, DEPTH, Effort(widths[len(widths) // 4]), part.filtered)
        return {}
    try:
        return side_by_side(own, peer, part)
    except Exception as error:  # a peer may refuse filters alone
        return {"skipped": f"failed to search: {error!r}"}
