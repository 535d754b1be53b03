"""R2: every step of a write may be the last. A child is killed after each of them, and the shop is whole.

A killed process leaves the page cache behind, so this shows nothing about a loss of power; that rests on the order of
fsync and rename, which tests/indexer/generations/test_store.py watches.
"""

import os
import random
import re
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from catalog.errors import WindowshopError
from catalog.files.failpoints import KILLED
from catalog.images.decoder import content_hash
from catalog.storage.catalogue import Catalogue
from indexer.build.build import UpdateOptions, build_index, update_index
from indexer.generations.publishing import recover, recover_pending, rollback
from indexer.generations.store import open_current, open_serving
from indexer.maintenance.backup import read_backup, restore
from indexer.maintenance.consistency import check_consistency
from search.live.picture_store import UNFINISHED, remove_unused
from search.query.terms import PictureTerm, Query
from tests.fake_encoder import FakeEncoder
from tests.promises.conftest import ROOT
from tests.promises.feed_writer import draw_feed, draw_pictures, price_state, shop_state
from tests.promises.server_process import opened

SEEDS = 3
PRODUCTS, PICTURES = 16, 24

# Every failpoint of the program, and the work in which it is reached.
POINTS = {
    "build.encoded": "build",
    "cache.appended": "update",
    "titles.encoded": "update",
    "pictures.encoded": "update",
    "files.remembered": "update",
    "update.compared": "update",
    "update.encoded": "update",
    "staging.copied": "update",
    "staging.applied": "update",
    "generation.begun": "update",
    "rows.page": "update",
    "rows.written": "update",
    "index.saved": "update",
    "tables.written": "update",
    "suggestions.written": "update",
    "words.written": "update",
    "gates.passed": "update",
    "seal.files-synced": "update",
    "seal.manifest-written": "update",
    "catalogue.before-commit": "update",
    "catalogue.committed": "update",
    "adopt.renamed": "update",
    "generation.adopted": "update",
    "file.written": "update",
    "file.replaced": "update",
    "pointer.moved": "update",
    "prune.dropped": "update",
    "pointer.pruned": "update",
    "generation.published": "update",
    "update.reported": "update",
    "price.recorded": "prices",
    "update.before-commit": "prices",
    "update.committed": "prices",
    "rollback.before-commit": "rollback",
    "rollback.committed": "rollback",
    "rollback.moved": "rollback",
    "prune.rewritten": "prune",
    "prune.replaced": "prune",
    "backup.generation-taken": "backup",
    "backup.catalogue-copied": "backup",
    "backup.files-taken": "backup",
    "backup.sealed": "backup",
    "restore.file-copied": "restore",
    "restore.checked": "restore",
    "restore.renamed": "restore",
    "picture.written": "put",
    "picture.renamed": "put",
    "picture.kept": "put",
    "put.encoded": "put",
    "put.committed": "put",
    "put.found": "put",
    "batch.committed": "put_batch",
    "remove.committed": "remove",
    "remove.found": "remove",
}
LIVE = [point for point, work in POINTS.items() if work in ("put", "put_batch", "remove")]  # what an open shop does
COMMITTED = {"put.committed", "put.found", "batch.committed", "remove.committed", "remove.found"}
STEPS = [point for point in POINTS if point not in LIVE]  # what a command does
OFTEN = {"cache.appended", "pictures.encoded", "file.written", "file.replaced"}  # reached more than once in an update


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A shop with three generations, the feeds that come next, and a backup."""
    folder = tmp_path_factory.mktemp("steps")
    feed = folder / "feed"
    feed.mkdir()
    draw_pictures(feed, 1, PICTURES)
    home = folder / "home"
    build_index(home, draw_feed(feed, "0.csv", 100, PRODUCTS, PICTURES // 2), FakeEncoder())
    for number in (1, 2):
        update_index(home, FakeEncoder(), UpdateOptions(draw_feed(feed, f"{number}.csv", 100 + number, PRODUCTS, 12)))
    for number in range(SEEDS):
        draw_feed(feed, f"next-{number}.csv", 200 + number, PRODUCTS, PICTURES)
    text = (feed / "2.csv").read_text()
    (feed / "prices.csv").write_text(re.sub(r"\d EUR", "77 EUR", text))
    return folder


def one_each(points):
    """Each step once, with one of the feeds or products in turn."""
    return [(point, at % SEEDS) for at, point in enumerate(points)]


COVERED_BY = {  # steps of jobs and fits
    "alert.begun": "tests/search/pricing/alerts/test_price_alerts.py",
    "alert.fired": "tests/search/pricing/alerts/test_price_alerts.py",
    "alert.matched": "tests/search/pricing/alerts/test_price_alerts.py",
    "alert.sent": "tests/search/pricing/alerts/test_price_alerts.py",
    "fetch.file-fetched": "tests/indexer/maintenance/test_generation_fetch.py",
    "fetch.renamed": "tests/indexer/maintenance/test_generation_fetch.py",
    "fit.measured": "tests/search/recommend/learning/test_fit.py",
    "fit.fitted": "tests/search/recommend/learning/test_fit.py",
    "handover.begun": "tests/search/assistant/handover/test_handovers.py",
    "handover.sent": "tests/search/assistant/handover/test_handovers.py",
    "handover.stored": "tests/search/assistant/handover/test_handovers.py",
    "postgres.before-commit": "tests/catalog/postgres/test_killed_writers.py",
    "postgres.committed": "tests/catalog/postgres/test_killed_writers.py",
    "postgres.created": "tests/catalog/postgres/test_killed_writers.py",
    "postgres.prices-recorded": "tests/catalog/postgres/test_killed_writers.py",
    "postgres.products-put": "tests/catalog/postgres/test_killed_writers.py",
    "postgres.table-copied": "tests/catalog/postgres/test_copying.py",
    "prices.measured": "tests/search/pricing/learning/test_price_fit.py",
    "prices.fitted": "tests/search/pricing/learning/test_price_fit.py",
    "prices.chunk": "tests/search/pricing/learning/test_price_fit.py",
    "prices.forecast": "tests/search/pricing/learning/test_price_fit.py",
    "milvus.created": "tests/indexer/vectors/test_milvus_crashes.py",
    "milvus.filled": "tests/indexer/vectors/test_milvus_crashes.py",
    "milvus.indexed": "tests/indexer/vectors/test_milvus_crashes.py",
    "job.batch": "tests/search/bulk/test_job_store.py",
    "price.imported": "tests/search/pricing/past_prices/test_past_price_import.py",
    "price.merged": "tests/search/pricing/past_prices/test_past_price_import.py",
    "publication.put": "tests/web/api/test_publish.py",
    "publication.taken-back": "tests/web/api/test_publish.py",
}


def test_every_failpoint_of_the_program_is_covered():
    sources = [path for room in ("catalog", "indexer", "search", "web") for path in (ROOT / room).rglob("*.py")]
    named = [name for path in sources for name in re.findall(r'\bfailpoint\("([^"]*)"\)', path.read_text())]
    elsewhere = [name for name, file in COVERED_BY.items() if name in (ROOT / file).read_text()]
    assert sorted(named) == sorted([*POINTS, *elsewhere])
    assert len(POINTS) >= 12


def all_state(home):
    """What can be searched, and what each product cost before."""
    return shop_state(home), price_state(home)


def whole(home):
    """The shop agrees with itself: every file, and catalogue, rows and cache one to one."""
    findings = check_consistency(home, open_current(home))
    assert findings.all() == []


def work_of(point, world, home, number):
    work = POINTS[point]
    if work in ("update", "build"):
        return work, {"home": home, "feed": world / "feed" / f"next-{number}.csv"}
    if work == "prices":
        return "update", {"home": home, "feed": world / "feed" / "prices.csv"}
    if work == "backup":
        return work, {"home": home, "to": home.parent / "copy"}
    if work == "restore":
        return work, {"source": home.parent / "source", "home": home.parent / "restored"}
    return work, {"home": home}


@pytest.mark.promise("R2", "every step of a command")
@pytest.mark.parametrize(("point", "number"), one_each(STEPS))
def test_a_shop_survives_being_killed_at_any_step(kennel, world, tmp_path, point, number):
    kill_a_command(kennel, world, tmp_path, point, number)


@pytest.mark.promise("R2", "every step of a command, 3 times")
@pytest.mark.torture
@pytest.mark.parametrize("point", STEPS)
@pytest.mark.parametrize("number", range(SEEDS))
def test_a_shop_survives_being_killed_at_any_step_three_times(kennel, world, tmp_path, point, number):
    kill_a_command(kennel, world, tmp_path, point, number)


def kill_a_command(kennel, world, tmp_path, point, number):
    home = tmp_path / "home"
    shutil.copytree(world / "home", home)
    work, words = work_of(point, world, home, number)
    if work == "restore":
        assert kennel.run("backup", home=home, to=words["source"])[0] == 0
    before = all_state(home)
    times = 1 + random.Random(number).randrange(2) if point in OFTEN else 1
    code, output = kennel.run(work, f"{point}*{times}:exit", **words)
    assert code == KILLED, output

    with closing(Catalogue.open(home / "catalog.sqlite")) as catalogue:  # as a server meets it: nothing mended yet
        assert check_consistency(home, open_serving(home)).all() == [] and catalogue.count()
        recover_pending(home)  # as a server mends it
        serving = open_serving(home)
        assert check_consistency(home, serving).all() == []
        assert serving.manifest.seq == catalogue.seq or POINTS[point] not in ("build", "update")
    recover(home)
    whole(home)
    left = all_state(home)
    assert not list(home.rglob("*.tmp")) and not list((home / "generations").glob(".*"))
    assert not (home / "staging").exists()

    if work in ("backup", "restore"):
        assert left == before
        again_after_a_copy(kennel, work, words, before)
        return
    if work == "rollback":
        undisturbed = tmp_path / "undisturbed"
        shutil.copytree(world / "home", undisturbed)
        rollback(undisturbed)
        assert left == (before if point == "rollback.before-commit" else all_state(undisturbed))
    code, output = kennel.run(work, **words)
    assert code == 0, output
    whole(home)
    after = all_state(home)
    if work != "rollback":
        assert left in (before, after)
    assert not list(home.rglob("*.tmp"))


def again_after_a_copy(kennel, work, words, expected):
    """A copy that was cut short is refused as one, never taken for whole; the next attempt succeeds."""
    if work == "backup":
        try:
            read_backup(words["to"])
        except WindowshopError:
            shutil.rmtree(words["to"])
            assert kennel.run("backup", **words)[0] == 0
        restore(words["to"], words["home"].parent / "restored")
    elif not words["home"].exists():
        assert kennel.run("restore", **words)[0] == 0
    restored = words["home"] if work == "restore" else words["home"].parent / "restored"
    assert all_state(restored) == expected
    whole(restored)


def stock(home):
    """Every product with its pictures' content; their files are whole."""
    with closing(Catalogue.open(home / "catalog.sqlite")) as catalogue:
        products = [product for _, product in catalogue.iterate()]
    for picture in (picture for product in products for picture in product.pictures):
        assert content_hash(Path(picture.path).read_bytes()) == picture.sha256
    return {each.id: (each.title, [picture.sha256 for picture in each.pictures]) for each in products}


def found(home):
    """What a server finds that opens the shop now: every product once."""
    with closing(opened(home)) as engine:
        return sorted(
            hit.product.id
            for hit in engine.search(Query((PictureTerm(Image.new("RGB", (64, 64), "red")),), k=100)).hits
        )


def write_of(work, number):
    """A new product with a picture more, the same for one that is there, and removals."""
    names = ("new", "p004", "p005")
    if work == "remove":
        return {"product_id": f"p{number + 4:03}"}
    return {"product_id": names[number], "title": f"red {number}", "colours": "navy teal"}


@pytest.mark.promise("R2", "every step of a live write")
@pytest.mark.parametrize(("point", "number"), one_each(LIVE))
def test_an_open_shop_survives_being_killed_at_any_step_of_a_write(kennel, world, tmp_path, point, number):
    kill_a_write(kennel, world, tmp_path, point, number)


@pytest.mark.promise("R2", "every step of a live write, 3 times")
@pytest.mark.torture
@pytest.mark.parametrize("point", LIVE)
@pytest.mark.parametrize("number", range(SEEDS))
def test_an_open_shop_survives_being_killed_at_any_step_of_a_write_three_times(kennel, world, tmp_path, point, number):
    kill_a_write(kennel, world, tmp_path, point, number)


def kill_a_write(kennel, world, tmp_path, point, number):
    home, undisturbed = tmp_path / "home", tmp_path / "undisturbed"
    shutil.copytree(world / "home", home)
    shutil.copytree(world / "home", undisturbed)
    work, words = POINTS[point], write_of(POINTS[point], number)
    assert kennel.run(work, home=undisturbed, **words)[0] == 0
    before, after = stock(home), stock(undisturbed)
    assert before != after
    times = 1 + number % 2 if point.startswith("picture.") else 1
    code, output = kennel.run(work, f"{point}*{times}:exit", home=home, **words)
    assert code == KILLED, output

    left = stock(home)
    assert left == (after if point in COMMITTED else before)
    assert check_consistency(home, open_serving(home)).all() == []
    assert found(home) == sorted(left)
    half = list((home / "pictures" / UNFINISHED).glob("*"))
    assert len(half) == (point == "picture.written")
    for path in half:
        os.utime(path, (0, 0))
    remove_unused(home)
    assert not list((home / "pictures" / UNFINISHED).glob("*"))

    code, output = kennel.run(work, home=home, **words)
    assert code == (1 if work == "remove" and left == after else 0), output
    assert stock(home) == after and found(home) == sorted(after)
