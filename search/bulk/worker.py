"""Works bulk jobs off, one batch after the other: in a process of its own that gives way to shoppers, or in a command.

`python -m search.bulk.worker HOME RUNTIME` is what a server starts; it ends when nothing is left to do, or when its
standard input does, which is when the server has ended. At most one process works on a shop's jobs.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.errors import BadInput, WindowshopError
from catalog.files.failpoints import failpoint
from catalog.files.locks import locked_file
from catalog.home import ShopHome
from search.bulk.input_files import Pictures, open_pictures, read_failure
from search.bulk.job_store import Job, JobStore, Outcome, RowPicture, Task, UnknownJob
from search.bulk.review import note_translations
from search.dedup.duplicate_kinds import repeats
from search.listings.attribute_fields import value_translations

if TYPE_CHECKING:
    from indexer.types import Floats
    from search.bulk.row_duplicates import RowDuplicateFinder
    from search.engine import SearchEngine
    from search.listings.feedback_suggester import SuggesterCache
    from search.listings.suggester import Listing

BATCH = 32
THUMBNAIL = 128
DUPLICATES = 8  # that are told of a row
TRANSLATING = 1_000  # products that tell what values are called in another language
PATIENCE = 2.0  # seconds to wait for the next job, and for a worker that died before another is started
NICE = 15  # at 19 a busy machine would hardly let it work at all
log = logging.getLogger(__name__)


class Worker:
    """Works on the jobs of a shop with an open engine."""

    def __init__(self, home: Path, engine: SearchEngine, listers: SuggesterCache) -> None:
        self._home = home
        self._engine = engine
        self._listers = listers

    def steps(self, job: Job) -> Iterator[int]:
        """Work a job off; yields how many rows each batch had, once they are durable. Ends when it is cancelled."""
        learn_if_missing(self._home, self._engine)
        note_translations(job, value_translations(self._engine.browse(TRANSLATING)))
        pictures = open_pictures(job.source, job.root)
        looks, earlier = "", None
        done, began = 0, time.monotonic()
        try:
            while tasks := job.take(BATCH):
                if earlier is None or self._engine.encoder.fingerprint != looks:
                    looks, earlier = self._engine.encoder.fingerprint, self._earlier(job, pictures)
                outcomes = self._outcomes(pictures, tasks, earlier)
                failpoint("job.batch")
                done += len(tasks)
                job.finish(outcomes, done / max(1e-3, time.monotonic() - began))
                yield len(tasks)
        finally:
            pictures.close()

    def _earlier(self, job: Job, pictures: Pictures) -> RowDuplicateFinder:
        from search.bulk.row_duplicates import RowDuplicateFinder

        job.set_encoder(self._engine.encoder.fingerprint)
        return RowDuplicateFinder(self._engine.generation.layout, pictures.read, job.unique_rows())

    def _outcomes(self, pictures: Pictures, tasks: list[Task], earlier: RowDuplicateFinder) -> list[Outcome]:
        from catalog import images
        from catalog.images.crop import SHORT_SIDE
        from search.listings.suggester import VIEWS, Listing

        listings, known, outcomes = [], [], []
        for task in tasks:
            try:
                files = [pictures.read(name) for name in task.pictures]
                decoded = [images.decode(data, at_least=SHORT_SIDE) for data in files]
            except BadInput as error:
                outcomes.append(Outcome(task.number, reason=read_failure(error)))
                continue
            listings.append(Listing(decoded, task.title))
            known.append((task, [images.content_hash(data) for data in files]))
        made = self._listers.get(self._engine).suggest_with_rows(listings)
        shown = [
            RowPicture(task.number, task.title, task.pictures[0], hashes[0], rows[::VIEWS].astype("float16").tobytes())
            for (task, hashes), (_, rows) in zip(known, made, strict=True)
        ]
        pictured, sides = [listing.pictures[0] for listing in listings], [rows[:VIEWS] for _, rows in made]
        repeated = earlier.repeated(shown, pictured, sides) if shown else []
        for listing, (task, hashes), (suggestion, rows), own, (first, how) in zip(
            listings, known, made, shown, repeated, strict=True
        ):
            told = {
                **suggestion.to_dict(),
                "duplicates": self._duplicates(task, listing, hashes, rows),
                "repeats_row": first,
                "repeats_row_kind": how,
            }
            top = suggestion.category.top
            sure = bool(top) and suggestion.category.answer == top[0].name and not repeats(told)
            small = images.thumbnail(listing.pictures[0], THUMBNAIL)
            confidence = top[0].confidence if top else 0.0
            outcomes.append(Outcome(task.number, told, confidence, sure, own.content, own.vectors, small))
        return outcomes

    def _duplicates(self, task: Task, listing: Listing, hashes: list[str], rows: Floats) -> list[dict[str, Any]]:
        from search.dedup.listing_duplicates import find_duplicates

        encoded = rows[:, : self._engine.generation.layout.encoder_dim]
        found = find_duplicates(
            self._engine, listing.pictures, task.title, hashes=hashes, encoded=encoded, own_id=task.id
        )
        return [one.to_dict() for one in found[:DUPLICATES]]


class WorkerSupervisor:
    """The jobs of a serving shop: starts the process that works on them, and again when it dies."""

    def __init__(self, home: Path, runtime: str = "auto") -> None:
        self.home = home
        self.jobs = JobStore(home)
        self._command = [sys.executable, "-m", "search.bulk.worker", str(home), runtime]
        self._lock = threading.Lock()
        self._watching: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._closing = threading.Event()

    def ensure(self) -> None:
        """See to it that somebody works on what there is to do."""
        with self._lock:
            watched = self._watching is not None and self._watching.is_alive()
            if not watched and not self._closing.is_set() and self.jobs.next() is not None:
                self._watching = threading.Thread(target=self._watch, name="bulk-jobs", daemon=True)
                self._watching.start()

    def close(self) -> None:
        """Let the process end; what it had not finished is begun anew the next time."""
        self._closing.set()
        process = self._process
        if process is not None:
            process.terminate()
        if self._watching is not None:
            self._watching.join()

    def _watch(self) -> None:
        while not self._closing.is_set() and self.jobs.next() is not None:
            home = Path(__file__).resolve().parents[2]
            with subprocess.Popen(
                self._command, stdin=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(home)}
            ) as process:
                self._process = process
                if self._closing.is_set():
                    process.terminate()
                process.wait()
            if process.returncode and not self._closing.is_set():
                log.error("The process that works on bulk jobs ended with %s", process.returncode)
                self._closing.wait(PATIENCE)


def learn_if_missing(home: Path, engine: SearchEngine) -> None:
    """Let the shop learn its heads where it has none for its encoder, a minute for 20,000 pictures.

    Its network is made ready where it is not, as after a restore.
    """
    from indexer.labels.heads import LabelHeads
    from indexer.labels.network import read_network
    from search.evaluation.categorise import LEAST_LEARNT

    if LabelHeads.load(home, engine.encoder.fingerprint) is None and len(engine.generation.rows) >= LEAST_LEARNT:
        from search.listings.fit_heads import learn  # here, because it imports torch

        learn(home)
    if ShopHome(home).label_network.is_file():
        read_network(ShopHome(home).label_network)


@contextmanager
def exclusive_worker(home: Path) -> Iterator[bool]:
    """Whether no other process works on the shop's jobs; none will, until the end."""
    ShopHome(home).jobs.mkdir(parents=True, exist_ok=True)
    with locked_file(ShopHome(home).worker_lock) as free:
        yield free


def give_way() -> None:
    """Let every other process go first; threads begun after this do so too."""
    with suppress(OSError):
        os.nice(NICE)


def main(home: Path, runtime: str) -> int:
    """Work on the shop's jobs until there are none."""
    give_way()
    with exclusive_worker(home) as first:
        if not first:
            time.sleep(PATIENCE)
            return 0
        from search.engine import SearchEngine
        from search.listings.feedback_suggester import SuggesterCache

        jobs = JobStore(home)
        with SearchEngine.open(home, runtime=runtime) as engine:
            worker = Worker(home, engine, SuggesterCache(home))
            waited = False
            while True:
                job = jobs.next()
                if job is None:
                    if waited:
                        return 0
                    waited = True
                    time.sleep(PATIENCE)
                    continue
                waited = False
                with suppress(UnknownJob):  # deleted meanwhile
                    for _ in worker.steps(job):
                        engine.follow()


def _end_with_parent() -> None:
    """End when the process that started this one does: nothing is ever written to standard input."""
    os.read(0, 1)  # not through sys.stdin, whose lock would be held when this process ends by itself
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
    except WindowshopError as failure:
        log.error("Bulk jobs cannot be worked on: %s", failure)
        sys.exit(1)
