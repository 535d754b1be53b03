"""make bench: how fast it is, as ratios against bare forward passes, and of an update against a build, in one run.

Writes var/bench.json. `--only update` measures one part.
"""

from __future__ import annotations

import argparse
import csv
import http.client
import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from catalog.feeds.reader import read_feed
from catalog.images.decoder import decode
from catalog.product import Product
from indexer.ann.exact_rerank import MIN_FETCH
from indexer.build.build import BuildOptions, build_index
from indexer.build.encoding_pipeline import PipelineOptions
from indexer.encoders.projection_encoder import ProjectionEncoder
from indexer.encoders.registry import open_encoder
from search.engine import SearchEngine
from search.query.terms import PictureTerm, Query, TextTerm
from tests.bench.peers.clip_retrieval import indexing_beside
from tests.bench.peers.compare import add_options, comparing
from tests.bench.prices import price_histories
from tests.bench.recommend import scaling
from tests.bench.reviews import reviewing
from tests.bench.scale.run import SIZES, scaling_catalogues
from tests.bench.update import updating

PARTS = ["indexing", "server", "update", "reviews", "peers"]
ALL_PARTS = [*PARTS, "prices", "recommend", "scale", "clip-retrieval"]  # the last four only by name: they take long
PORT = 8765
ROUNDS = 3
KEPT: dict[str, http.client.HTTPConnection] = {}  # open connections, as a shop's proxy keeps them


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the folder that holds fashion/")
    parser.add_argument("--count", type=int, default=2_000, help="pictures a round")
    parser.add_argument("--batch", type=int, default=PipelineOptions().batch_size)
    parser.add_argument("--home", type=Path, default=Path("var/bench"))
    parser.add_argument("--shop", type=Path, help="serve this shop instead of the one just built")
    parser.add_argument("--only", choices=ALL_PARTS, action="append", help="measure this part; may be given again")
    parser.add_argument("--encoders", nargs="+", default=["colour"], help="of the updates; the starter takes minutes")
    parser.add_argument("--sizes", nargs="+", type=numbers, help="products of the updates or of scale: 20000,200000")
    parser.add_argument("--real", type=int, help="real products that those of scale are drawn around, all by default")
    parser.add_argument(
        "--events", nargs="+", type=int, default=[1_000_000, 3_000_000, 10_000_000], help="of recommend"
    )
    parser.add_argument("--python", type=Path, help="of an environment with clip-retrieval, for the part of this name")
    parser.add_argument("--reviews", type=int, default=100_000, help="how many reviews")
    parser.add_argument("--weeks", type=int, default=104, help="weekly price changes of each of 100,000 products")
    add_options(parser)
    options = parser.parse_args()
    if "clip-retrieval" in (options.only or ()) and options.python is None:
        parser.error("clip-retrieval needs --python: the Python of an environment in which it is installed")
    wanted, sizes = options.only or PARTS, [size for part in options.sizes or () for size in part]
    report: dict[str, Any] = {"machine": machine()}
    if "indexing" in wanted:
        shutil.rmtree(options.home, ignore_errors=True)
        feed = cut_feed(options.data / "fashion", options.home / "feed", options.count)
        report["indexing"] = indexing(feed, options.home, options.count, options.batch)
    if "server" in wanted:
        report["server"] = serving(options.shop or options.home / "shop 0")
    if "update" in wanted:
        report["update"] = [
            updating(options.data, options.home / "update", encoder, size)
            for encoder in options.encoders
            for size in sizes or [5_000, 20_000]
        ]
    if "reviews" in wanted:
        shop = options.shop or options.home / "shop 0"
        report["reviews"] = reviewing(shop, options.home / "reviewed", options.reviews, server)
    if "peers" in wanted:
        report["peers"] = comparing(options.shop or options.home / "shop 0", options.home / "peers", options)
        Path("var").mkdir(exist_ok=True)
        Path("var/peers.md").write_text(report["peers"].pop("table"))
    if "clip-retrieval" in wanted:
        folder = options.home / "clip-retrieval"
        report["clip-retrieval"] = indexing_beside(options.data, folder, options.count, options.python)
    if "prices" in wanted:
        report["prices"] = price_histories(options.home / "prices", 100_000, options.weeks)
    if "recommend" in wanted:
        report["recommend"] = [
            scaling(options.data / "purchases", options.home / "recommend", count) for count in options.events
        ]
    if "scale" in wanted:
        report["scale"] = scaling_catalogues(options.data, options.home / "scale", sizes or list(SIZES), options.real)
    report["machine"]["load_after"] = os.getloadavg()
    Path("var").mkdir(exist_ok=True)
    Path("var/bench.json").write_text(json.dumps(report, indent=2))
    print(json.dumps(report, indent=2))


def numbers(text: str) -> list[int]:
    """Read "20000,200000"."""
    return [int(part) for part in text.split(",")]


def machine() -> dict[str, Any]:
    """What the figures were measured on; a load above the cores says that others were at work too."""
    cores, threads = len(os.sched_getaffinity(0)), os.environ.get("OMP_NUM_THREADS")
    return {"cores": cores, "threads": threads, "load_before": os.getloadavg()}


def cut_feed(source: Path, target: Path, count: int) -> Path:
    """The first `count` rows of the fashion feed with their pictures, as a feed of its own."""
    (target / "images").mkdir(parents=True)
    with (source / "products.csv").open(newline="", encoding="utf-8") as opened:
        rows = list(csv.reader(opened))[: count + 1]
    for row in rows[1:]:
        shutil.copy(source / row[-1], target / row[-1])
    with (target / "products.csv").open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows(rows)
    return target / "products.csv"


def indexing(feed: Path, home: Path, count: int, batch: int) -> dict[str, object]:
    """Pictures a second: bare forward, a plain torch-eager loop, and a whole build, in turn, several rounds."""
    encoder = open_encoder("starter", runtime="onnx")
    products = [item for item in read_feed(feed) if isinstance(item, Product)]
    paths = [Path(product.pictures[0].path) for product in products]
    pixels = np.stack([encoder.prepare(decode(path.read_bytes())) for path in paths[: 16 * batch]])
    titles = sorted({product.title for product in products}, key=lambda title: (len(title), title))
    rates: dict[str, list[float]] = {
        name: [] for name in ("tower", "model", "titles", "torch_eager", "build", "build_pictures_only")
    }
    for number in range(ROUNDS):
        rates["tower"].append(bare_forward(encoder.tower, pixels, batch))
        report = build_index(home / f"shop {number}", feed, encoder, BuildOptions(PipelineOptions(batch)))
        words = sum(step.seconds for step in report.steps if step.name == "words")
        rates["build"].append(count / report.seconds)
        rates["build_pictures_only"].append(count / (report.seconds - words))
        rates["model"].append(bare_forward(lambda part: forward(encoder, part), pixels, batch))
        rates["titles"].append(bare_forward(encoder.words, titles, batch))
        rates["torch_eager"].append(torch_eager(paths[: 8 * batch], batch))
    median = {name: statistics.median(values) for name, values in rates.items()}
    bare_seconds = count / median["tower"] + len(titles) / median["titles"]
    return {
        "pictures": count,
        "different_titles": len(titles),
        "batch": batch,
        "rates_per_second": {name: round(value, 1) for name, value in median.items()},
        "build_to_towers_of_pictures_and_titles": round(bare_seconds * median["build"] / count, 3),
        "build_to_tower_of_pictures": round(median["build"] / median["tower"], 3),
        "build_less_titles_to_tower_of_pictures": round(median["build_pictures_only"] / median["tower"], 3),
        "build_less_titles_to_model_of_pictures": round(median["build_pictures_only"] / median["model"], 3),
        "build_to_torch_eager": round(median["build"] / median["torch_eager"], 2),
    }


def forward(encoder: ProjectionEncoder, pixels: np.ndarray) -> None:
    """The model and nothing else: the tower on ONNX Runtime, and the trained heads on top of it."""
    features = encoder.tower(pixels)
    encoder.heads.look(features)
    encoder.heads.picture(features)


def bare_forward(run: Callable[[Any], object], items: np.ndarray | list[str], batch: int) -> float:
    """Prepared pictures, or titles, that a function takes a second."""
    run(items[:batch])
    start = time.perf_counter()
    for first in range(0, len(items), batch):
        run(items[first : first + batch])
    return len(items) / (time.perf_counter() - start)


def torch_eager(paths: list[Path], batch: int) -> float:
    """Pictures a second of the loop one would write first: open, resize, stack, torch."""
    tower = open_encoder("starter", runtime="torch").tower
    start = time.perf_counter()
    for first in range(0, len(paths), batch):
        pictures = [Image.open(path).convert("RGB").resize((224, 224)) for path in paths[first : first + batch]]
        tower(np.stack([np.asarray(picture) for picture in pictures]))
    return len(paths) / (time.perf_counter() - start)


def serving(home: Path) -> dict[str, object]:
    """Seconds until ready, and milliseconds of photo and word queries over HTTP against their bare parts."""
    photo = Path(next(product.pictures[0].path for product in products_of(home))).read_bytes()
    engine = SearchEngine.open(home)
    with server(home) as ready_seconds:
        layout = engine.generation.layout
        pictured = layout.queries(engine.encoder.encode_images([decode(photo)]))
        worded = layout.queries(engine.encoder.encode_texts(["red running shoes"]))
        parts = {"photo": lambda: bare_photo(engine, photo, pictured), "words": lambda: bare_words(engine, worded)}
        asked = {"photo": lambda: post_photo(photo), "words": lambda: post_words("red running shoes")}
        found: dict[str, object] = {"ready_seconds": round(ready_seconds, 2)}
        for name in ("photo", "words"):
            bare, http = paired(parts[name], asked[name])
            found[name] = {"bare_ms": round(bare, 2), "http_ms": round(http, 2), "ratio": round(http / bare, 2)}
        in_process = {
            "photo": lambda: engine.search(Query((PictureTerm(decode(photo)),))),
            "words": lambda: engine.search(Query((TextTerm("red running shoes"),))),
        }
        found["engine_ms"] = {name: round(paired(work, work)[0], 2) for name, work in in_process.items()}
    return found


def products_of(home: Path) -> Iterator[Product]:
    from catalog.storage.catalogue import Catalogue

    return (product for _, product in Catalogue.open(home / "catalog.sqlite").iterate())


def bare_photo(engine: SearchEngine, photo: bytes, query: np.ndarray) -> None:
    """Decode and resize, the model's forward pass, one FAISS search: what a photo query cannot do without."""
    forward(engine.encoder, engine.encoder.prepare(decode(photo))[None])
    bare_search(engine, query)


def bare_words(engine: SearchEngine, query: np.ndarray) -> None:
    """The model's forward pass of the words, and one FAISS search."""
    engine.encoder.heads.text(engine.encoder.words(["red running shoes"]))
    bare_search(engine, query)


def bare_search(engine: SearchEngine, query: np.ndarray) -> None:
    """FAISS alone, as deep as the engine asks it."""
    record = engine.generation.manifest.index
    engine.generation.vectors.index.search(query, max(MIN_FETCH, record.overfetch * 10), None, max(1, record.nprobe))


def paired(a: Callable[[], object], b: Callable[[], object], rounds: int = 100) -> tuple[float, float]:
    """Median milliseconds of two functions called in turn, each after a pause, as a lone shopper's query comes.

    The pause lets the threads of the one's ONNX Runtime stop spinning before the other begins in its own process,
    and makes both wake theirs: a loop without it would time the one's warm threads against the other's cold ones.
    """
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 10):
        for work, kept in ((a, times[0]), (b, times[1])):
            time.sleep(0.03)
            start = time.perf_counter()
            work()
            if number >= 10:
                kept.append(time.perf_counter() - start)
    return statistics.median(times[0]) * 1000, statistics.median(times[1]) * 1000


@contextmanager
def server(home: Path, port: int = PORT) -> Iterator[float]:
    """A server of the shop; gives the seconds from start to ready."""
    command = [sys.executable, "-m", "web", "serve", "--home", str(home), "--port", str(port)]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1).read()
                break
            except OSError:
                if time.perf_counter() - start > 120:
                    raise
                time.sleep(0.02)
        yield time.perf_counter() - start
    finally:
        process.terminate()
        process.wait(20)


def post_photo(photo: bytes) -> bytes:
    body = io.BytesIO()
    body.write(b'--cut\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n')
    body.write(photo + b"\r\n--cut--\r\n")
    return post(body.getvalue(), "multipart/form-data; boundary=cut")


def post_words(words: str) -> bytes:
    return post(json.dumps({"text": words}).encode(), "application/json")


def post(body: bytes, kind: str) -> bytes:
    if "connection" not in KEPT:
        KEPT["connection"] = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
    KEPT["connection"].request("POST", "/api/v1/search", body, {"Content-Type": kind})
    answer = KEPT["connection"].getresponse()
    read = answer.read()
    assert answer.status == 200, read
    return read


if __name__ == "__main__":
    main()
