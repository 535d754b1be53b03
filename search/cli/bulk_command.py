"""Suggest listings for a whole file from the command line: a job that resumes where an earlier run stopped."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

import click

from catalog import images
from catalog.errors import BadQuery
from catalog.files.atomic import write_atomically
from indexer.progress import progress
from search.bulk.exports import corrected_csv, listings_csv
from search.bulk.job_store import CANCELLED, DONE, RECEIVING, Job, JobStore
from search.bulk.review import accept_above
from search.bulk.worker import POLL_INTERVAL_S, Worker, exclusive_worker
from search.engine import SearchEngine


def suggest_file(
    home: Path, runtime: str, source: Path, review: Path, listings: Path | None, accept: float | None
) -> Job:
    """Suggest a listing for every row of a CSV (with pictures in its folder) or a zip.

    Write the table to review, and where wanted a feed of the `listings` that are accepted: those from the confidence
    `accept` on, without it those that the shop is confident of. The same file again is the same job. Where a server
    works on the shop's jobs, it works on this one too. Raises BadFeed, BadQuery, GenerationError.
    """
    job = _job_of(JobStore(home), source)
    status = job.status()
    with progress("rows", status["total"]) as tick:
        done = status["done"]
        tick(done)
        while job.status()["state"] != DONE:
            with exclusive_worker(home) as free:
                if free:
                    with SearchEngine.open(home, runtime=runtime) as engine:
                        for count in Worker(engine).steps(job):
                            done += count
                            tick(count)
                else:
                    time.sleep(POLL_INTERVAL_S)
            status = job.status()
            tick(status["done"] - done)
            done = status["done"]
            if status["state"] == CANCELLED:
                raise BadQuery("The job was cancelled.", "Run the command again to resume it.")
    if accept is not None:
        accept_above(home, job, accept)
    _write(review, corrected_csv(job))
    if listings is not None:
        _write(listings, listings_csv(job, confident=accept is None))
    return job


def report(job: Job, out: Path) -> None:
    """Print the counts of a job, and its first failed rows, on stderr."""
    status = job.status()
    for row in job.rows("failed", limit=20):
        click.echo(f"line {row['line']}: {row['id']!r}: {row['reason']}", err=True)
    counts = f"{status['done']:,} rows, {status['failed']:,} failed, {status['needs_review']:,} need review"
    click.echo(f"{counts}: {out}", err=True)


def _write(out: Path, pieces: Iterable[str]) -> None:
    text = "".join(pieces)
    write_atomically(out, lambda path: path.write_text(text, encoding="utf-8", newline=""))


def _job_of(jobs: JobStore, source: Path) -> Job:
    digest = images.content_hash(source.read_bytes()) if source.stat().st_size < 2**31 else ""
    for job in jobs.all():
        about = job.about()
        if digest and about.get("digest") == digest and about.get("root", "") == str(source.parent.resolve()):
            job.begin()
            return job
    job = jobs.create(source.name, source.stat().st_size, source.parent, source)
    job.set_meta(digest=digest)
    if job.about()["state"] == RECEIVING:
        try:
            job.begin()
        except BaseException:
            jobs.delete(job.id)
            raise
    return job
