"""python -m tests.bench.load HOME [--beside FOLDER]: requests a second, and their times, of 1, 4 and 16 clients.

With --beside, the server of another working copy is measured in turn with this one's, round by round, so that what
else the machine does slows both. The clients are one process, on whatever core is free; their processor time is
reported beside the server's. With --offered 0.5, 16 clients together ask half as often as one client can that waits
for each answer: clients that never pause take all there is, so that 16 of them wait 16 times the work of one request.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

from catalog.storage.catalogue import Catalogue
from tests.bench.load.clients import Answers, closed_loop, open_loop, request_bytes
from tests.timing import processor_seconds

ROOT = Path(__file__).parents[3]
PORT = 8790


def main() -> None:
    """Print a line for each kind of request, number of clients and server, and the whole as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--photos", type=Path, default=ROOT / "catalog" / "sample" / "photos")
    parser.add_argument("--beside", type=Path, help="another working copy")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--kinds", nargs="+", default=["photos", "words"], choices=["photos", "words", "similar"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6.0, help="of a round")
    parser.add_argument("--timeout-ms", type=int, default=20_000, help="that a search may take")
    parser.add_argument("--offered", type=float, nargs="+", help="only this: shares of what one client alone gets")
    parser.add_argument("--overload", type=float, help="only this: arrivals at so many times the rate of 16 clients")
    options = parser.parse_args()
    requests = requests_of(options.home, options.photos)
    folders = {"here": ROOT} | ({"beside": options.beside.resolve()} if options.beside else {})
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(server(folder, options.home, PORT + number, options.timeout_ms))
            for number, (name, folder) in enumerate(folders.items())
        }
        if options.overload:
            report = [overload(*servers["here"], requests[kind], options.overload) for kind in options.kinds]
        elif options.offered:
            report = [
                offered(servers, kind, requests[kind], share, options)
                for kind in options.kinds
                for share in options.offered
            ]
        else:
            report = [
                compared(servers, kind, requests[kind], clients, options)
                for kind in options.kinds
                for clients in options.clients
            ]
    print(json.dumps(report, indent=1))


def requests_of(home: Path, photos: Path) -> dict[str, list[bytes]]:
    """Return requests of each kind: photos as files, and words of titles, no two alike."""
    catalogue = Catalogue.open(home / "catalog.sqlite")
    products = [product for _, product in zip(range(6_000), (each for _, each in catalogue.iterate()), strict=False)]
    catalogue.close()
    chance = random.Random(7)
    texts = {" ".join(chance.sample(words, min(3, len(words)))) for each in products if (words := each.title.split())}
    forms = [
        b'--cut\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
        + path.read_bytes()
        + b"\r\n--cut--\r\n"
        for path in sorted(photos.glob("*.jpg"))
    ]
    made = {
        "photos": [
            request_bytes("POST", "/api/v1/search", body, "multipart/form-data; boundary=cut") for body in forms
        ],
        "words": [
            request_bytes("POST", "/api/v1/search", json.dumps({"text": text}).encode(), "application/json")
            for text in sorted(texts)
        ],
        "similar": [request_bytes("GET", f"/api/v1/products/{quote(each.id, safe='')}/similar") for each in products],
    }
    for kind in made.values():
        chance.shuffle(kind)
    return made


@contextmanager
def server(folder: Path, home: Path, port: int, timeout_ms: int) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """A server of a working copy's code, ready; gives its port and process."""
    environment = os.environ | {"PYTHONPATH": str(folder), "WINDOWSHOP_TIMEOUT_MS": str(timeout_ms)}
    command = [sys.executable, "-m", "web", "serve", "--home", str(home), "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        end = time.monotonic() + 300
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).read()
                break
            except OSError:
                assert time.monotonic() < end and process.poll() is None
                time.sleep(0.1)
        yield port, process
    finally:
        process.terminate()
        process.wait(60)


def compared(
    servers: dict[str, tuple[int, subprocess.Popen[bytes]]],
    kind: str,
    requests: list[bytes],
    clients: int,
    options: argparse.Namespace,
) -> dict[str, object]:
    """Measure each server in turn, several rounds; the median round of each."""
    rounds: dict[str, list[tuple[Answers, float]]] = {name: [] for name in servers}
    for number in range(options.rounds):
        part = requests[number :: options.rounds]
        for name, (port, process) in servers.items():
            before = processor_seconds(process)
            answers = in_other_process(closed_loop, port, part, clients, options.seconds)
            worked = processor_seconds(process) - before
            rounds[name].append((answers, 1000 * worked / max(1, sum(answers.statuses.values()))))
    report: dict[str, object] = {"kind": kind, "clients": clients, "load": os.getloadavg()[0]}
    for name, measured in rounds.items():
        answers = sorted((each for each, _ in measured), key=lambda each: each.rate)[len(measured) // 2]
        report[name] = answers.summary() | {
            "rates": [round(each.rate, 1) for each, _ in measured],
            "processor_ms_each": round(statistics.median(each for _, each in measured), 1),
        }
        print(kind, clients, name, report[name], flush=True)
    return report


def offered(
    servers: dict[str, tuple[int, subprocess.Popen[bytes]]],
    kind: str,
    requests: list[bytes],
    share: float,
    options: argparse.Namespace,
) -> dict[str, object]:
    """Measure one client that never pauses, then 16 that ask `share` as often together, in turn, several rounds."""
    report: dict[str, object] = {"kind": kind, "share": share, "load": os.getloadavg()[0]}
    for name, (port, _) in servers.items():
        rounds = []
        for number in range(options.rounds):
            part = requests[number :: options.rounds]
            alone = in_other_process(closed_loop, port, part, 1, options.seconds)
            many = in_other_process(open_loop, port, part[::-1], share * alone.rate, options.seconds, 16)
            rounds.append((alone, many))
        ratios = [many.percentile(0.5) / alone.percentile(0.5) for alone, many in rounds]
        report[name] = {
            "alone": sorted((alone for alone, _ in rounds), key=lambda each: each.rate)[len(rounds) // 2].summary(),
            "many": sorted((many for _, many in rounds), key=lambda each: each.percentile(0.5))[
                len(rounds) // 2
            ].summary(),
            "median_ratios": [round(ratio, 2) for ratio in ratios],
        }
        print(kind, share, name, report[name], flush=True)
    return report


def overload(port: int, process: subprocess.Popen[bytes], requests: list[bytes], times: float) -> dict[str, object]:
    """Send so many times what 16 clients get; report what was answered meanwhile and after."""
    peak = in_other_process(closed_loop, port, requests, 16, 10.0)
    flood = in_other_process(open_loop, port, requests, times * peak.rate, 30.0)
    after = in_other_process(closed_loop, port, requests, 1, 10.0)
    return {"peak": peak.summary(), "flood": flood.summary(), "after": after.summary(), "load": os.getloadavg()[0]}


def in_other_process(work, *arguments) -> Answers:
    """Run the clients in a process of their own, which shares no interpreter lock with anything."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


if __name__ == "__main__":
    main()
