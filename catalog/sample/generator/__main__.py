"""Generate the sample shop: python -m catalog.sample.generator [--only mug-1a,p003] [--count 20] [--check]."""

from __future__ import annotations

import io
import sys
import time
from itertools import islice
from pathlib import Path

import click
import numpy as np
from PIL import Image

from catalog.files.atomic import SHARED, draft
from catalog.sample import SAMPLE_FOLDER
from catalog.sample.generator.catalogue.jobs import Job, jobs, training_jobs
from catalog.sample.generator.catalogue.tables import write_tables

CHECKED_PICTURES = 10
TOLERANCE = 2.0  # mean absolute difference of pixels, 0 to 255


@click.command()
@click.option(
    "--out", default=SAMPLE_FOLDER, type=click.Path(file_okay=False, path_type=Path), help="Folder to write to."
)
@click.option("--only", default="", help="Only these product ids or photo names, separated by commas.")
@click.option("--count", default=0, help="Stop after so many pictures.")
@click.option("--training", default=0, help="Render so many training scenes of the detection head instead.")
@click.option(
    "--missing",
    "mode",
    flag_value="missing",
    help="Only pictures that are not there yet: goes on where a run was stopped.",
)
@click.option(
    "--check", "mode", flag_value="check", help="Remake ten products and compare with the pictures that are there."
)
@click.option("--tables", "mode", flag_value="tables", help="Write the tables only, no pictures.")
@click.option(
    "--engine", default="scalar_rgb", help="Mitsuba's variant; llvm_ad_rgb is faster, needs LLVM 19 or newer."
)
def main(out: Path, only: str, count: int, training: int, mode: str | None, engine: str) -> None:
    """Render the sample shop's pictures and write its tables."""
    if mode != "tables":
        _choose(engine)
    if mode == "check":
        sys.exit(_check(out))
    every = training_jobs(training) if training else jobs()
    chosen = [job for job in every if not only or job.belongs_to in only.split(",")]
    if not chosen:
        raise click.ClickException(f"Nothing is called {only}. Give ids as in products.csv, or photo names like p003.")
    if mode == "missing":
        chosen = [job for job in chosen if not (out / job.path).exists()]
    if mode != "tables":
        _make(chosen[: count or None], out)
    if not training:
        write_tables(out)


def _choose(engine: str) -> None:
    try:
        from catalog.sample.generator.rendering.render import use
    except ModuleNotFoundError as error:
        if error.name != "mitsuba":
            raise
        raise click.ClickException("Pictures are rendered with Mitsuba: pip install '.[sample]'") from error
    use(engine)


def _make(chosen: list[Job], out: Path) -> None:
    begin = time.monotonic()
    for number, job in enumerate(chosen, 1):
        path = out / job.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft(path, job.take(), mode=SHARED, durable=False) as written:
            written.replace(path)
        if number % 20 == 0 or number == len(chosen):
            click.echo(f"{number} of {len(chosen)} pictures, {(time.monotonic() - begin) / number:.2f} s each")


def difference(first: bytes, second: bytes) -> float:
    """Return the mean absolute difference of two pictures' pixels, 0 to 255."""
    pixels = [np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=float) for data in (first, second)]
    return float(np.abs(pixels[0] - pixels[1]).mean())


def _check(out: Path) -> int:
    every = [job for job in jobs() if job.path.startswith("images/") and job.angle == 1]
    differences = []
    for job in islice(every, 0, None, len(every) // CHECKED_PICTURES):
        differences.append(difference(job.take(), (out / job.path).read_bytes()))
        click.echo(f"{job.path}: {differences[-1]:.3f} of 255")
    click.echo(
        f"mean absolute difference {np.mean(differences):.3f}, worst {max(differences):.3f} (allowed: {TOLERANCE})"
    )
    return int(max(differences) >= TOLERANCE)


if __name__ == "__main__":
    main()
