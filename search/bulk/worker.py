"""Work on bulk jobs, batch by batch: in a low-priority process that a server starts, or in a command.

`python -m search.bulk.worker HOME RUNTIME` first learns the shop's label heads if they are missing. It ends seconds
after the last job, or when its standard input is closed, because then the server has ended. Standard output has a line
"learning DONE TOTAL" for each step of learning, and "ready" when there are heads, or too few pictures to learn from.
At most one process works on a shop's jobs.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from catalog import images
from catalog.errors import BadInput, WindowshopError
from catalog.files.failpoints import failpoint
from catalog.files.locks import locked_file
from catalog.home import ShopHome
from catalog.images.crop import SHORT_SIDE
from catalog.logs import write_logs
from indexer.progress import reporting_to
from indexer.types import Floats
from search.bulk.input_files import Pictures, open_pictures, read_failure
from search.bulk.job_rows import Outcome, RowPicture, Task
from search.bulk.job_store import Job, JobStore, UnknownJob
from search.bulk.review import note_translations
from search.bulk.row_duplicates import RowDuplicateFinder
from search.bulk.supervisor import EXIT_BUSY, LEARNING, READY
from search.dedup.duplicate_kinds import repeats
from search.dedup.listing_duplicates import find_duplicates
from search.engine import SearchEngine
from search.listings.attribute_fields import value_translations
from search.listings.feedback_suggester import SuggesterCache
from search.listings.fit_heads import learn_if_missing
from search.listings.suggester import VIEWS_PER_PICTURE, Listing

BATCH_ROWS = 32
THUMBNAIL_SIDE = 128
MAX_DUPLICATES = 8  # listed for a row
TRANSLATION_PRODUCTS = 1_000  # products whose translations of values are used
POLL_INTERVAL_S = 0.5
IDLE_S = 10.0  # how long a worker waits for the next job: starting another one takes seconds
BUSY_S = 2.0  # pause before another worker is started where a command works on the shop's jobs
NICENESS = 15  # a nice value of 19 would hardly let the worker run on a busy machine
log = logging.getLogger(__name__)


class Worker:
    """Works on the jobs of a shop with an open engine."""

    def __init__(self, engine: SearchEngine, *, supervised: bool = False) -> None:
        self._engine = engine
        self._reports = supervised
        self._suggesters = SuggesterCache(engine.home)

    def learn_if_missing(self) -> None:
        """Learn the shop's label heads if it has none, and report to the supervisor."""
        with reporting_to(_report_learning) if self._reports else nullcontext():
            learn_if_missing(self._engine)
        if self._reports:
            print(READY, flush=True)

    def steps(self, job: Job) -> Iterator[int]:
        """Work on a job until it is done or cancelled; yields the number of rows of each batch once it is durable."""
        self.learn_if_missing()
        note_translations(job, value_translations(self._engine.browse(TRANSLATION_PRODUCTS)))
        pictures = open_pictures(job.source, job.root)
        fingerprint, earlier = "", None
        done, began = 0, time.monotonic()
        try:
            while tasks := job.take(BATCH_ROWS):
                if earlier is None or self._engine.encoder.fingerprint != fingerprint:
                    fingerprint = self._engine.encoder.fingerprint
                    job.set_encoder(fingerprint)
                    layout = self._engine.generation.layout
                    earlier = RowDuplicateFinder(layout, pictures.read, job.unique_rows())
                outcomes = self._outcomes(pictures, tasks, earlier)
                failpoint("job.batch")
                done += len(tasks)
                job.finish(outcomes, done / max(1e-3, time.monotonic() - began))
                yield len(tasks)
        finally:
            pictures.close()

    def _outcomes(self, pictures: Pictures, tasks: list[Task], earlier: RowDuplicateFinder) -> list[Outcome]:
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
        suggestions = self._suggesters.get(self._engine).suggest_with_rows(listings)
        row_pictures = [
            RowPicture(
                task.number,
                task.title,
                task.pictures[0],
                hashes[0],
                rows[::VIEWS_PER_PICTURE].astype("float16").tobytes(),
            )
            for (task, hashes), (_, rows) in zip(known, suggestions, strict=True)
        ]
        first_pictures = [listing.pictures[0] for listing in listings]
        views = [rows[:VIEWS_PER_PICTURE] for _, rows in suggestions]
        repeated = earlier.repeated(row_pictures, first_pictures, views) if row_pictures else []
        for listing, (task, hashes), (suggestion, rows), own, (first, how) in zip(
            listings, known, suggestions, row_pictures, repeated, strict=True
        ):
            values = {
                **suggestion.to_dict(),
                "duplicates": self._duplicates(task, listing, hashes, rows),
                "repeats_row": first,
                "repeats_row_kind": how,
            }
            top = suggestion.category.top
            confident = bool(top) and suggestion.category.answer == top[0].name and not repeats(values)
            thumbnail = images.thumbnail(listing.pictures[0], THUMBNAIL_SIDE)
            confidence = top[0].confidence if top else 0.0
            outcomes.append(Outcome(task.number, values, confidence, confident, own.content, own.vectors, thumbnail))
        return outcomes

    def _duplicates(self, task: Task, listing: Listing, hashes: list[str], rows: Floats) -> list[dict[str, Any]]:
        encoded = rows[:, : self._engine.generation.layout.encoder_dim]
        found = find_duplicates(
            self._engine, listing.pictures, task.title, hashes=hashes, encoded=encoded, own_id=task.id
        )
        return [duplicate.to_dict() for duplicate in found[:MAX_DUPLICATES]]


@contextmanager
def exclusive_worker(home: Path) -> Iterator[bool]:
    """Hold the worker lock of a shop; yields False when another process holds it."""
    ShopHome(home).jobs.mkdir(parents=True, exist_ok=True)
    with locked_file(ShopHome(home).worker_lock) as free:
        yield free


def main(home: Path, runtime: str) -> int:
    """Learn what is missing and work on the shop's jobs until none comes; `EXIT_BUSY` when another process does."""
    with suppress(OSError):
        os.nice(NICENESS)  # threads started from here on inherit it
    with exclusive_worker(home) as free:
        if not free:
            time.sleep(BUSY_S)
            return EXIT_BUSY
        jobs = JobStore(home)
        with SearchEngine.open(home, runtime=runtime) as engine:
            worker = Worker(engine, supervised=True)
            worker.learn_if_missing()
            end = time.monotonic()
            while (job := jobs.next()) or time.monotonic() < end:
                if job is None:
                    time.sleep(POLL_INTERVAL_S)
                    continue
                engine.follow()
                with suppress(UnknownJob):  # deleted in the meantime
                    for _ in worker.steps(job):
                        engine.follow()
                end = time.monotonic() + IDLE_S
            return 0


def _report_learning(what: str, done: int, total: int) -> None:
    print(LEARNING, done, total, flush=True)


def _end_with_parent() -> None:
    """End when the process that started this one ends: it never writes to this one's standard input."""
    os.read(0, 1)  # not through sys.stdin, whose lock would be held when this process ends by itself
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    write_logs()
    try:
        sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
    except WindowshopError as failure:
        log.error("The bulk jobs cannot be worked on: %s", failure)
        sys.exit(1)
