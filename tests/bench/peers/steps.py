"""The two steps of a contestant, each in a process of its own: it is built, then opened and searched."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

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
from tests.bench.peers.limits import LIMITS, Limits
from tests.bench.peers.process_memory import disk_mb, own_memory, peak_mb
from tests.bench.peers.tuning import DEPTH, Part, side_by_side
from tests.bench.peers.workload import Workload

OWN = "windowshop"
CONTESTANTS: dict[str, type[Contestant]] = {
    "FAISS HNSW, float16": FaissGraph,
    "FAISS HNSW, 8 bits, float16": FaissByteGraph,
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


def contestant_of(name: str) -> type[Contestant]:
    """Return the class of a contestant."""
    return Windowshop if name == OWN else CONTESTANTS[name]


def files_of(folder: Path, name: str) -> Path:
    """Return the folder of a contestant's files."""
    return folder / name.replace(" ", "-").replace(",", "")


def one_step(step: str, name: str, folder: Path, limits: Limits = LIMITS) -> dict[str, Any]:
    """Build or search one contestant in this process."""
    try:
        contestant, workload = contestant_of(name)(), Workload.load(folder)
        files = files_of(folder, name)
        if step == "build":
            return build_step(contestant, workload, files)
        own = None if name == OWN else files_of(folder, OWN)
        return search_step(contestant, workload, files, own, limits.part_seconds)
    except ModuleNotFoundError as error:
        return {"skipped": f"{error.name} is not installed: pip install 'windowshop[bench]'"}
    except Exception as error:  # whatever a peer raises, the others are compared
        return {"skipped": f"failed to {step}: {error!r}"}


def build_step(contestant: Contestant, workload: Workload, files: Path) -> dict[str, Any]:
    """Return what a build took of the processor, its peak memory and its files."""
    if contestant.in_memory:
        return {}
    shutil.rmtree(files, ignore_errors=True)
    files.mkdir()
    figures = timed_build(contestant, workload, files)
    return figures | {"disk_mb": disk_mb(files), "reads_files": contestant.reads_files}


def timed_build(contestant: Contestant, workload: Workload, files: Path) -> dict[str, Any]:
    """Build; return the seconds of the processor, all threads together, and the highest memory of this process."""
    started = time.process_time()
    contestant.build(workload.rows, workload.emphasis, files)
    return {"build_s": time.process_time() - started, "build_peak_mb": peak_mb()}


def search_step(
    contestant: Contestant, workload: Workload, files: Path, own_files: Path | None, part_seconds: float
) -> dict[str, Any]:
    """Return what searches take in turn with ours, if its files are given, and the MB that this process grew by."""
    mask = mask_of(len(workload.rows))
    own = Windowshop()
    own.open(own_files or files, workload.rows, mask)
    _search_all(own, workload)  # what ours allocates, and what libraries do once, is not the peer's
    if own_files is None:
        own = contestant  # so that the one before is closed
    figures: dict[str, Any] = {}
    before = own_memory()
    if contestant.in_memory:
        figures |= timed_build(contestant, workload, files)
    contestant.open(files, workload.rows, mask)
    figures["opened_mb"] = own_memory() - before
    if own_files is None:
        _search_all(contestant, workload)
    else:
        for kind, filtered in [(kind, filtered) for filtered in (False, True) for kind in workload.questions]:
            truth = (workload.filtered_tenth if filtered else workload.tenth)[kind]
            part = Part(workload.rows, workload.questions[kind], truth, mask if filtered else None)
            figures[f"{kind}, 5 %" if filtered else kind] = _searched(own, contestant, part, part_seconds)
    figures["memory_mb"] = own_memory() - before
    return figures


def _search_all(contestant: Contestant, workload: Workload) -> None:
    """Ask every question, with and without the filter."""
    for filtered in (False, True):
        widths = contestant.widths_for(filtered)
        for queries in workload.questions.values():
            for query in queries:
                contestant.search(query, DEPTH, Effort(widths[len(widths) // 4]), filtered)


def _searched(own: Contestant, peer: Contestant, part: Part, seconds: float) -> dict[str, Any]:
    """Return the figures of one part, or why it has none."""
    if part.filtered and not peer.filters:
        return {"skipped": "takes no filter"}
    try:
        return side_by_side(own, peer, part, seconds)
    except Exception as error:  # a peer may refuse filters alone
        return {"skipped": f"failed to search: {error!r}"}
