"""A shop that the desk's own processes can open too: real pictures of one colour each, the colour encoder."""

import csv
import io
import random
import zipfile
from contextlib import suppress

from PIL import Image, ImageDraw

from indexer.build.build import build_index
from indexer.encoders.registry import open_encoder
from indexer.labels.heads import LabelHeads
from search.bulk.job_store import JobStore, UnknownJob
from search.bulk.supervisor import WorkerSupervisor
from search.bulk.worker import Worker
from search.engine import SearchEngine

KINDS = {"Wear > Scarves": (200, 30, 30), "Wear > Gloves": (30, 180, 40), "Home > Mugs": (30, 40, 200)}


def picture_bytes(colour, size=40, kind="JPEG"):
    """A picture of one colour, with a darker bar across where no other colour or size has it."""
    picture, out = Image.new("RGB", (size, size), colour), io.BytesIO()
    rng = random.Random(f"{colour} {size}")
    corner = rng.randrange(size // 2), rng.randrange(size // 2)
    ends = corner[0] + rng.randrange(3, size // 2), corner[1] + rng.randrange(3, size // 2)
    ImageDraw.Draw(picture).rectangle((*corner, *ends), tuple(part // 2 for part in colour))
    picture.save(out, kind)
    return out.getvalue()


def shade(colour, n):
    return tuple(min(255, part + 3 * (n % 8)) for part in colour)


def make_desk_shop(home, each=8, learnt=True):
    feed = home / "feed"
    feed.mkdir(parents=True)
    with (feed / "products.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "title", "category", "material", "price", "image"])
        for path, colour in KINDS.items():
            name = path.rsplit(" ", 1)[-1].lower()
            for n in range(each):
                (feed / f"{name}-{n}.jpg").write_bytes(picture_bytes(shade(colour, n), 40 + n))
                material = "Clay" if name == "mugs" else "Wool"
                rows.writerow([f"{name}-{n}", f"{name} {n}", path, material, f"{10 + n} EUR", f"{name}-{n}.jpg"])
    encoder = open_encoder("colour")
    build_index(home, feed / "products.csv", encoder)
    if learnt:  # nothing: neighbours alone suggest, so that no test waits for learning
        LabelHeads(encoder.fingerprint, {}).save(home)
    return home


def bulk_zip(path, count, table=True):
    """A zip of `count` pictures, the kinds in turn, with a table whose titles begin like formulas."""
    colours = list(KINDS.values())
    with zipfile.ZipFile(path, "w") as file:
        lines = ["id,title,image"]
        for n in range(count):
            file.writestr(f"pictures/p{n}.jpg", picture_bytes(shade(colours[n % 3], n), 30 + n % 7))
            lines.append(f"new-{n},=1+{n},pictures/p{n}.jpg")
        if table:
            file.writestr("list.csv", "\n".join(lines))
    return path


def begun(home, source):
    job = JobStore(home).create(source.name, source.stat().st_size, source=source)
    job.begin()
    return job


class ThreadSupervisor(WorkerSupervisor):
    """Has a shop's jobs worked on in a thread, for tests of pages: a process takes seconds to start."""

    def _watch(self):
        with SearchEngine.open(self.home) as engine:
            worker = Worker(engine)
            while not self._closing.is_set() and (job := self.jobs.next()):
                engine.follow()
                with suppress(UnknownJob):  # deleted in the meantime
                    for _ in worker.steps(job):
                        engine.follow()
