"""Pictures that were put or fetched and that nothing needs are swept away; all others stay."""

import json
import os
import shutil
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from catalog.errors import GenerationError, NoGeneration
from catalog.fetching.fetched_store import FetchedPictures
from catalog.files.failpoints import VARIABLE
from catalog.files.locks import exclusive_lock, shared_lock
from catalog.product import Picture, Product
from catalog.storage.catalogue import Catalogue
from catalog.storage.history import encode
from indexer.build.build import UpdateOptions, build_index, update_index
from indexer.generations.publishing import rollback
from indexer.generations.store import current_number, numbers, open_current
from indexer.maintenance import picture_pruning
from indexer.maintenance.backup import backup, restore
from indexer.maintenance.cache_pruning import own_picture_usage, prune
from indexer.maintenance.consistency import check_consistency
from indexer.maintenance.picture_pruning import PictureUsage
from search.bulk.job_store import JobStore
from search.engine import SearchEngine
from search.live.picture_store import new_picture, storing
from search.live.product_edit import edit_of
from tests.catalog.picture_server import local_rules, picture, reply, serving
from tests.fake_encoder import FakeEncoder
from tests.indexer.shop_fixtures import COLOURS, colour_shop, write_feed


@pytest.fixture
def home(tmp_path):
    build_index(tmp_path / "home", colour_shop(tmp_path / "feed"), FakeEncoder())
    return tmp_path / "home"


def engine_of(home):
    engine = SearchEngine(home, open_current(home), Catalogue.open(home / "catalog.sqlite"), FakeEncoder())
    engine.follow()
    return engine


def put(home, product_id, *colours):
    with closing(engine_of(home)) as engine:
        return engine.put(edit_of(product_id, {"title": product_id}, [picture(colour) for colour in colours])).product


def remove(home, product_id):
    with closing(engine_of(home)) as engine:
        engine.remove(product_id)


def age(home):
    """Let the pictures have been there since yesterday."""
    for path in (path for name in ("pictures", "fetched") for path in (home / name).glob("??/*")):
        os.utime(path, (time.time() - 86_400,) * 2)


def stored(home):
    return {path.stem for path in (home / "pictures").glob("??/*")}


def hashes(product):
    return {shown.sha256 for shown in product.pictures}


def test_unused_pictures_are_reported_and_removed(home):
    used, gone = put(home, "kept", (1, 2, 3)), put(home, "gone", (4, 5, 6), (7, 8, 9))
    put(home, "gone", (4, 5, 6))
    remove(home, "gone")
    age(home)
    (usage,) = own_picture_usage(home)
    assert (usage.folder, usage.files, usage.unused) == ("pictures", 3, 2) and 0 < usage.unused_bytes < usage.bytes
    done = prune(home).pictures
    assert (done.files, done.bytes, done.busy) == (2, usage.unused_bytes, ())
    assert stored(home) == hashes(used) and not hashes(used) & hashes(gone)
    assert prune(home).pictures.files == 0
    assert own_picture_usage(home) == [PictureUsage("pictures", 1, usage.bytes - usage.unused_bytes, 0, 0)]


def test_pictures_stay_that_the_undo_of_a_publication_shows_again(home):
    before = put(home, "p", (4, 5, 6))
    jobs = JobStore(home)
    job = jobs.create("list.csv", 1)
    with job.db(write=True) as db:
        db.execute("INSERT INTO publications VALUES (1, 1, 'p', ?, NULL)", (json.dumps(encode(before)),))
        db.execute("INSERT INTO publications VALUES (1, 2, 'new', NULL, NULL)")
    put(home, "p", (7, 8, 9))
    age(home)
    assert prune(home).pictures.files == 0 and hashes(before) < stored(home)
    jobs.delete(job.id)
    assert prune(home).pictures.files == 1 and not hashes(before) & stored(home)


def test_what_is_young_stays(home):
    put(home, "gone", (4, 5, 6))
    remove(home, "gone")
    assert own_picture_usage(home)[0].unused == 0 and prune(home).pictures.files == 0
    assert len(stored(home)) == 1


def test_other_files_are_none_of_ours(home):
    put(home, "gone", (4, 5, 6))
    remove(home, "gone")
    strangers = ["pictures/notes.txt", "pictures/ab/notes.txt", "pictures/unfinished/tmp1", "pictures/ab/.nfs0001"]
    for name in strangers:
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text("x")
    age(home)
    assert prune(home).pictures.files == 1
    assert all((home / name).is_file() for name in strangers)


def test_what_a_generation_to_go_back_to_has_stays(home, tmp_path):
    """Until that generation is dropped itself."""
    feed = tmp_path / "feed" / "products.csv"
    product = put(home, "gone", (4, 5, 6))
    update_index(home, FakeEncoder(), UpdateOptions(from_catalogue=True))
    update_index(home, FakeEncoder(), UpdateOptions(feed))
    age(home)
    assert prune(home).pictures.files == 0 and stored(home) == hashes(product)
    rollback(home)
    assert prune(home).pictures.files == 0
    with closing(Catalogue.open(home / "catalog.sqlite")) as catalogue:
        catalogue.put([product])
    assert check_consistency(home, open_current(home)).all() == []
    remove(home, "gone")
    for turn in range(3):
        rows = [(f"p-{name}", f"{name} {turn}", f"{name}.png") for name in COLOURS]
        update_index(home, FakeEncoder(), UpdateOptions(write_feed(tmp_path / "feed", rows)))
        assert prune(home).pictures.files == (turn == 2)
    assert len(numbers(home)) == 3 and current_number(home) == 6 and not stored(home)


def test_a_put_that_finds_an_old_picture_again_keeps_it(home):
    """From the look at its file to the commit, nobody takes it away."""
    edit = new_picture(picture((4, 5, 6)))
    with storing(home, [edit]):
        pass
    age(home)
    with storing(home, [edit]) as (shown,):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(picture_pruning, "exclusive_lock", lambda folder: exclusive_lock(folder, 0.05))
            assert prune(home).pictures.busy == ("pictures",)
        assert Path(shown.path).is_file()
        with closing(Catalogue.open(home / "catalog.sqlite")) as catalogue:
            catalogue.put([Product("p", "red", (Picture(shown.path, shown.sha256, 4, 4),))])
    assert prune(home).pictures.files == 0 and Path(shown.path).is_file()


def test_a_sweep_waits_for_puts_that_are_under_way(home):
    put(home, "gone", (4, 5, 6))
    remove(home, "gone")
    age(home)
    with shared_lock(home / "pictures"):
        swept = []
        sweep = threading.Thread(target=lambda: swept.append(prune(home).pictures))
        sweep.start()
        time.sleep(0.2)
        assert len(stored(home)) == 1
    sweep.join()
    assert swept[0].files == 1 and not stored(home)


def test_a_picture_that_comes_into_use_before_it_is_removed_stays(home, monkeypatch):
    """The list is made while anybody may write; what counts is the second look."""
    product = put(home, "gone", (4, 5, 6))
    remove(home, "gone")
    age(home)

    def late(folder):
        with closing(Catalogue.open(home / "catalog.sqlite")) as catalogue:
            catalogue.put([product])
        return exclusive_lock(folder)

    monkeypatch.setattr(picture_pruning, "exclusive_lock", late)
    assert prune(home).pictures.files == 0 and stored(home) == hashes(product)


def test_puts_and_sweeps_side_by_side_lose_no_picture(home, monkeypatch):
    monkeypatch.setattr(picture_pruning, "MIN_AGE_S", -1)
    stop = threading.Event()
    swept = []

    def sweep():
        while not stop.is_set():
            swept.append(prune(home).pictures.files)

    thread = threading.Thread(target=sweep)
    thread.start()
    colours = [(40 * n, 90, 7) for n in range(4)]
    try:
        with closing(engine_of(home)) as engine:
            for turn in range(60):
                shown = [picture(colours[turn % 4]), picture(colours[(turn + 1) % 4])]
                done = engine.put(edit_of("p", {"title": "red"}, shown)).product
                assert all(Path(each.path).is_file() for each in done.pictures)
                if turn % 5 == 4:
                    engine.remove("p")
    finally:
        stop.set()
        thread.join()
    assert sum(swept) > 0


def test_fetched_pictures_are_swept_with_what_is_known_of_them(tmp_path):
    home = tmp_path / "home"
    with serving() as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr("indexer.build.feed_settings._rules", lambda: local_rules(server.port))
        server.answers |= {f"/{n}.png": reply(picture((n, 0, 0)), ETag=f'"{n}"') for n in range(4)}
        rows = [(f"p{n}", "red", server.url(f"/{n}.png")) for n in range(4)]
        build_index(home, write_feed(tmp_path / "feed", rows), FakeEncoder(), fetch=True)
        for turn in range(3):  # until no generation has the fourth
            rows = [(f"p{n}", f"red {turn}", server.url(f"/{n}.png")) for n in range(3)]
            update_index(home, FakeEncoder(), UpdateOptions(write_feed(tmp_path / "feed", rows)))
        age(home)
        (usage,) = own_picture_usage(home)
        assert (usage.folder, usage.files, usage.unused) == ("fetched", 4, 1)
        with closing(FetchedPictures(home / "fetched")):
            patch.setattr(picture_pruning, "exclusive_lock", lambda folder: exclusive_lock(folder, 0.05))
            assert prune(home).pictures.busy == ("fetched",)
        assert prune(home).pictures.files == 1
        with closing(FetchedPictures(home / "fetched")) as fetched:
            assert [fetched.find(server.url(f"/{n}.png")) is None for n in range(4)] == [False] * 3 + [True]
        assert check_consistency(home, open_current(home)).all() == []
        server.requests.clear()
        rows.append(("p3", "red", server.url("/3.png")))
        assert update_index(home, FakeEncoder(), UpdateOptions(write_feed(tmp_path / "feed", rows))).changes.counts[
            "added"
        ]
        conditional = {path: "if-none-match" in headers for path, headers in server.requests}
        assert conditional == {"/0.png": True, "/1.png": True, "/2.png": True, "/3.png": False}


@pytest.mark.parametrize("loss", ["gone", "older"])
def test_nothing_is_dropped_by_the_word_of_a_catalogue_that_is_not_the_newest(home, tmp_path, loss):
    backup = {path.name: path.read_bytes() for path in home.glob("catalog.sqlite*")}
    put(home, "p", (4, 5, 6))
    update_index(home, FakeEncoder(), UpdateOptions(from_catalogue=True))
    age(home)
    for path in home.glob("catalog.sqlite*"):
        path.unlink()
    if loss == "older":
        for name, data in backup.items():
            (home / name).write_bytes(data)
    before = stored(home), {path.name: path.stat().st_size for path in (home / "cache").iterdir()}
    with pytest.raises(NoGeneration if loss == "gone" else GenerationError, match=r"no shop|is an older one"):
        prune(home)
    assert (stored(home), {path.name: path.stat().st_size for path in (home / "cache").iterdir()}) == before
    assert (home / "catalog.sqlite").exists() == (loss == "older")


def test_a_damaged_generation_needs_nothing(home):
    put(home, "gone", (4, 5, 6))
    remove(home, "gone")
    (home / "generations" / "000000").mkdir()
    (home / "generations" / "000000" / "pictures.npy").write_bytes(b"damaged")
    age(home)
    assert prune(home).pictures.files == 1
    shutil.rmtree(home / "generations" / "000000")


def test_a_kill_before_the_product_leaves_a_picture_that_is_swept(home, monkeypatch):
    monkeypatch.setenv(VARIABLE, "put.encoded:raise")
    with pytest.raises(RuntimeError):
        put(home, "new", (4, 5, 6))
    monkeypatch.delenv(VARIABLE)
    assert len(stored(home)) == 1
    age(home)
    assert prune(home).pictures.files == 1


def test_a_backup_keeps_every_picture_of_the_catalogue_it_copied(home, tmp_path, monkeypatch):
    """Though the product goes, and a sweep comes, between the copy of the catalogue and that of the pictures."""
    product = put(home, "p", (4, 5, 6))
    age(home)
    monkeypatch.setattr(picture_pruning, "exclusive_lock", lambda folder: exclusive_lock(folder, 0.05))

    def meanwhile(name):
        if name == "backup.catalogue-copied":
            remove(home, "p")
            age(home)
            assert prune(home).pictures.busy == ("pictures",)

    monkeypatch.setattr("indexer.maintenance.backup.failpoint", meanwhile)
    backup(home, tmp_path / "copy")
    restore(tmp_path / "copy", tmp_path / "again")
    assert stored(tmp_path / "again") == hashes(product)
    with closing(Catalogue.open(tmp_path / "again" / "catalog.sqlite")) as catalogue:
        assert hashes(catalogue.get("p")) == hashes(product)
    assert prune(home).pictures.files == 1
