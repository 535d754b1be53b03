"""Update: only what changed is encoded, everything else is copied, and what looks wrong is refused."""

import csv
import json
import os
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from catalog.errors import BadFeed, GenerationError, NoGeneration, StoreError
from catalog.storage.catalogue import Catalogue
from catalog.storage.connections import Connections
from catalog.storage.restoration import ProductHistory, Restoration
from indexer.build import index_run
from indexer.build import report as reports
from indexer.build.build import UpdateOptions, build_index, compare_encoder, dry_run, update_index
from indexer.cache import feed_rows
from indexer.cache.file_stats import FileStatCache
from indexer.generations import gates
from indexer.generations.gates import FAILED, Gate
from indexer.generations.publishing import recover, rollback
from indexer.generations.store import current_number, numbers, open_current
from tests.fake_encoder import FakeEncoder
from tests.indexer.shop_fixtures import write_picture

FIELDS = ["id", "title", "image", "price"]
NAMES = ("red", "green", "blue")


class Shop:
    """A feed of some products that a test changes, and its home."""

    def __init__(self, folder, count=12):
        self.home, self.folder = folder / "home", folder / "feed"
        self.rows = {}
        for i in range(count):
            self.set(f"p{i}", f"{NAMES[i % 3]} {i}", (i * 20, 255 - i * 20, (i * 70) % 255))

    def set(self, product_id, title, colour, price="5 EUR"):
        name = f"{product_id}.png"
        old(write_picture(self.folder / name, colour))
        self.rows[product_id] = {"id": product_id, "title": title, "image": name, "price": price}

    def write(self, ids=None):
        with (self.folder / "products.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, FIELDS)
            writer.writeheader()
            writer.writerows(row for key, row in self.rows.items() if ids is None or key in ids)
        return self.folder / "products.csv"

    def build(self, encoder=None):
        return build_index(self.home, self.write(), encoder or FakeEncoder())

    def update(self, encoder=None, ids=None, **options):
        self.write(ids)
        return update_index(self.home, encoder or FakeEncoder(), UpdateOptions(**options))


def old(path, seconds=100):
    """A file that was changed a while ago, as the pictures of a shop were."""
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns - seconds * 1_000_000_000))
    return path


def state(home):
    """Everything that can be searched: product id -> its facts and rows."""
    generation = open_current(home)
    catalogue = Catalogue.open(home / "catalog.sqlite")
    found = {product.id: (product, []) for _, product in catalogue.iterate()}
    ids = dict(catalogue.ids())
    catalogue.close()
    for key, row in zip(generation.product_keys.tolist(), generation.rows, strict=True):
        found[ids[key]][1].append(np.asarray(row, np.float32).tolist())
    return found


@pytest.fixture
def shop(tmp_path):
    shop = Shop(tmp_path)
    shop.build()
    return shop


def same_as_a_new_build(shop, tmp_path):
    fresh = tmp_path / "fresh"
    build_index(fresh, shop.folder / "products.csv", FakeEncoder())
    assert state(shop.home) == state(fresh)


def test_a_feed_that_is_the_same_changes_nothing(shop):
    encoder = FakeEncoder()
    report = shop.update(encoder)
    assert (report.made, report.changes.total, report.changes.unchanged) == (False, 0, 12)
    assert (encoder.pictures_encoded, encoder.texts_encoded) == (0, 0)
    assert numbers(shop.home) == [1]
    assert "Nothing has changed" in report.table()


def test_only_what_is_new_or_changed_is_encoded(shop, tmp_path):
    shop.set("p1", "green 1", (1, 2, 3))
    shop.set("new", "blue new", (9, 200, 77))
    shop.rows["p2"]["title"] = "blue two"
    shop.rows["p3"]["price"] = "7.50 EUR"
    del shop.rows["p4"]
    encoder = FakeEncoder()
    report = shop.update(encoder)
    assert report.changes.counts == {"added": 1, "pictures": 1, "words": 1, "facts": 1, "removed": 1}
    assert report.changes.ids["removed"] == ["p4"]
    assert (encoder.pictures_encoded, encoder.texts_encoded, report.encoded, report.titles) == (2, 2, 2, 2)
    assert (report.generation, report.made, report.copied, report.rows) == (2, True, 8, 12)
    assert {gate.name for gate in report.gates} >= {"one-to-one", "self-retrieval", "picture recall", "overlap"}
    same_as_a_new_build(shop, tmp_path)
    body = json.loads((shop.home / "reports" / "000002.json").read_text())
    assert body["changes"]["pictures"] == {"count": 1, "ids": ["p1"]}


def test_prices_alone_leave_the_index_as_it_is(shop, tmp_path):
    for row in shop.rows.values():
        row["price"] = "9 EUR"
    encoder = FakeEncoder()
    report = shop.update(encoder)
    assert (report.changes.counts["facts"], report.made, encoder.pictures_encoded) == (12, False, 0)
    assert numbers(shop.home) == [1]
    same_as_a_new_build(shop, tmp_path)


def test_a_long_log_gets_an_index_without_encoding(shop, monkeypatch):
    monkeypatch.setattr(index_run, "MAX_LOG_CHANGES", 5)
    for row in shop.rows.values():
        row["price"] = "9 EUR"
    encoder = FakeEncoder()
    report = shop.update(encoder)
    assert (report.made, encoder.pictures_encoded, encoder.texts_encoded) == (True, 0, 0)
    assert open_current(shop.home).manifest.seq == 24


def test_an_unchanged_picture_file_is_not_even_read(shop, monkeypatch):
    def refused(path):
        raise AssertionError(path)

    monkeypatch.setattr("indexer.build.encoding_pipeline.images.read_file", refused)
    shop.rows["p1"]["title"] = "red again"
    assert shop.update().encoded == 0
    with pytest.raises(AssertionError):
        shop.update(check_pictures=True)


def test_a_picture_changed_behind_our_back_is_found_with_check_pictures(shop):
    path = shop.folder / "p1.png"
    before, data = path.stat(), path.read_bytes()
    write_picture(path, (200, 1, 1))
    path.write_bytes(path.read_bytes().ljust(len(data), b"\0"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    if path.stat().st_size == before.st_size:
        assert shop.update().changes.total == 0
    assert shop.update(check_pictures=True).changes.counts["pictures"] == 1


def test_a_picture_of_this_very_second_is_read_again(tmp_path):
    shop = Shop(tmp_path)
    for path in shop.folder.glob("*.png"):
        old(path, -100)  # their time has not come yet
    shop.build()
    write_picture(shop.folder / "p1.png", (200, 1, 1))
    assert shop.update().changes.counts["pictures"] == 1


def test_the_memory_of_files_may_be_lost_or_damaged(shop):
    for damage in (b"no database", b""):
        (shop.home / "cache" / "files.sqlite").write_bytes(damage)
        encoder = FakeEncoder()
        assert shop.update(encoder).changes.total == 0
        assert encoder.pictures_encoded == 0


@pytest.mark.parametrize("count", [5, 0])
def test_a_truncated_feed_is_refused(shop, count):
    before = state(shop.home)
    with pytest.raises(BadFeed, match=r"lacks 7 of the shop's 12 products|no product that can be indexed"):
        shop.update(ids=[f"p{i}" for i in range(count)])
    assert state(shop.home) == before
    assert numbers(shop.home) == [1]
    if count:
        assert shop.update(ids=["p0", "p1"], allow_shrink=True).changes.counts["removed"] == 10


def test_what_is_missing_may_stay(shop):
    report = shop.update(ids=["p0", "p1"], keep_missing=True)
    assert (report.changes.total, report.changes.unchanged) == (0, 2)
    assert len(state(shop.home)) == 12


def test_a_rehearsal_changes_nothing_on_disk(shop):
    def files():
        return {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in shop.home.rglob("*") if p.is_file()}

    shop.set("p1", "green 1", (1, 2, 3))
    shop.rows["p3"]["price"] = "7.50 EUR"
    shop.write()
    (shop.folder / "p5.png").write_bytes(b"broken")
    before = files()
    encoder = FakeEncoder()
    report = dry_run(shop.home, encoder, UpdateOptions())
    assert files() == before
    assert encoder.pictures_encoded == 0
    assert report.changes.counts == {"added": 0, "pictures": 1, "words": 0, "facts": 1, "removed": 0}
    assert report.retained.body() == {"rejected": 1, "uncertain": 0, "ids": ["p5"]}  # a bad picture removes nothing
    assert report.would_make and not report.made
    plan = report.plan()
    assert "changed pictures: p1" in plan and "1 left as they were" in plan and "no usable picture" in plan
    done = update_index(shop.home, FakeEncoder())
    assert done.changes.body() == report.changes.body()
    assert done.retained == report.retained


def test_a_feed_of_last_time_is_used_again_and_a_new_one_is_remembered(shop, tmp_path):
    other = Shop(tmp_path / "other")
    update_index(shop.home, FakeEncoder(), UpdateOptions(feed=other.write()))
    shop.write()
    (other.folder / "products.csv").unlink()
    with pytest.raises(BadFeed, match="other"):
        update_index(shop.home, FakeEncoder())
    (shop.home / "feed.json").unlink()
    with pytest.raises(BadFeed, match="--feed"):
        update_index(shop.home, FakeEncoder())
    with pytest.raises(NoGeneration, match="make index"):
        update_index(tmp_path / "none", FakeEncoder())


def test_changes_made_meanwhile_are_folded_in(shop):
    catalogue = Catalogue.open(shop.home / "catalog.sqlite")
    product = catalogue.get("p1")
    catalogue.put([type(product)("live", "red live", product.pictures)])
    catalogue.close()
    report = update_index(shop.home, FakeEncoder(), UpdateOptions(from_catalogue=True))
    assert (report.made, report.rows, report.encoded, report.titles) == (True, 13, 0, 1)
    again = update_index(shop.home, FakeEncoder(), UpdateOptions(from_catalogue=True))
    assert not again.made


def test_a_picture_that_is_gone_for_good_does_not_stop_the_others(shop):
    catalogue = Catalogue.open(shop.home / "catalog.sqlite")
    product = catalogue.get("p1")
    lost = type(product.pictures[0])(str(shop.folder / "never.png"), "0" * 64, 3, 3)
    catalogue.put([type(product)("live", "red live", (lost,)), type(product)("half", "h", (*product.pictures, lost))])
    catalogue.close()
    report = update_index(shop.home, FakeEncoder(), UpdateOptions(from_catalogue=True))
    assert report.rows == 13
    assert sorted(row.reason.split(":")[0] for row in report.rejected) == ["half", "live"]


def test_a_product_of_before_that_no_catalogue_stores_does_not_stop_the_others(shop, monkeypatch):
    """Earlier versions stored characters NUL and longer ids."""
    monkeypatch.setattr("catalog.storage.sqlite_catalogue.storable", iter)
    with closing(Catalogue.open(shop.home / "catalog.sqlite")) as catalogue:
        product = catalogue.get("p1")
        before = (replace(product.pictures[0], sha256="0" * 64),)  # its file shows another picture by now
        names = ("good", "x" * 2_001, "nul")
        catalogue.put(
            [
                replace(product, id=name, title=f"t\0{name}" if name == "nul" else name, pictures=before)
                for name in names
            ]
        )
    monkeypatch.undo()
    report = update_index(shop.home, FakeEncoder(), UpdateOptions(from_catalogue=True))
    assert (report.made, report.rows, report.changes.counts["removed"]) == (True, 13, 2)
    assert sorted(row.product_id for row in report.rejected) == sorted(names[1:])
    assert "good" in state(shop.home)
    assert not update_index(shop.home, FakeEncoder(), UpdateOptions(from_catalogue=True)).made


def test_the_index_is_disposable(shop):
    before = state(shop.home)
    for path in (shop.home / "generations").rglob("*.*"):
        path.unlink()
    report = update_index(shop.home, FakeEncoder(), UpdateOptions(from_catalogue=True))
    assert report.made and report.encoded == 0
    assert state(shop.home) == before


def test_another_encoder_is_compared_before_it_serves(shop):
    other = FakeEncoder(fingerprint="fb" * 32)
    other.spec = type(other.spec)("other", "fake", "mean-colour", "none", other.spec.blocks, "Apache-2.0")
    compare_encoder(shop.home, other)
    assert numbers(shop.home) == [1] and not list((shop.home / "generations").glob(".*"))
    figures = json.loads((shop.home / "encoder-change.json").read_text())
    assert figures["overlap_at_10"] == {"picture": 1.0, "text": 1.0}
    assert (figures["before"]["encoder"], figures["after"]["encoder"]) == ("fake", "other")
    page = (shop.home / "encoder-change.html").read_text()
    assert "data:image/jpeg;base64," in page and "From fake to other" in page and "http" not in page
    report = update_index(shop.home, other)
    assert report.made and other.pictures_encoded == 12
    assert open_current(shop.home).manifest.fingerprint == other.fingerprint


def test_an_error_before_the_commit_leaves_no_unfinished_generation(shop, monkeypatch):
    def full(*_):
        raise StoreError("The disk is full.")

    shop.set("new", "red new", (1, 2, 3))
    before = everything_in(shop.home / "generations")
    with monkeypatch.context() as patch, pytest.raises(StoreError):
        patch.setattr(index_run, "record_pending", full)
        shop.update()
    assert everything_in(shop.home / "generations") == before and not (shop.home / "staging").exists()
    with monkeypatch.context() as patch, pytest.raises(StoreError):
        patch.setattr(Connections, "importing", lost_at_the_commit)
        shop.update()
    assert (shop.home / "generations" / ".building-000002").is_dir()  # the products may be committed
    assert shop.update().made and current_number(shop.home) == 2


@contextmanager
def lost_at_the_commit(connections):
    with connections.transaction() as db:
        yield db
        if connections._path.parent.name != "staging":
            raise StoreError("The connection was lost while a change was committed.")


def everything_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_failed_gate_leaves_everything_as_it_was(shop, monkeypatch):
    before = state(shop.home)
    failing = Gate("overlap", FAILED, 0.1, 0.5, "0.10 of the first 10")
    monkeypatch.setattr(gates, "same_answers", lambda *_: failing)
    shop.rows["p1"]["title"] = "red again"
    with pytest.raises(GenerationError, match=r"gate overlap: failed, 0\.10.*--force"):
        shop.update()
    assert state(shop.home) == before
    assert [path.name for path in (shop.home / "generations").iterdir()] == ["000001"]
    assert shop.update(force=True).made


def test_rolling_back_and_forth(shop):
    before = open_current(shop.home).rows[:].tolist()
    shop.rows["p1"]["title"] = "red again"
    shop.update()
    move = rollback(shop.home)
    assert (move.left, move.current, move.restoration) == (2, 1, Restoration(changed=1))
    assert open_current(shop.home).rows[:].tolist() == before
    with pytest.raises(BadFeed, match="makes 1 of 1 changes again"):  # an unchanged feed does not undo it
        shop.update()
    with pytest.raises(GenerationError, match="no generation before 1"):
        rollback(shop.home)
    shop.rows["p1"]["title"] = "red mended"
    assert shop.update().generation == 3
    assert numbers(shop.home) == [1, 3]  # what was rolled back from is not gone back to
    assert len(state(shop.home)) == 12


def test_a_commit_whose_pointer_did_not_move_is_finished(shop, monkeypatch):
    class Stop(BaseException):
        pass

    def stop(*_):
        raise Stop

    monkeypatch.setattr("indexer.build.index_run.publish_pending", stop)
    shop.rows["p1"]["title"] = "red again"
    with pytest.raises(Stop):
        shop.update()
    assert current_number(shop.home) == 1
    assert "it is current now" in recover(shop.home)
    assert current_number(shop.home) == 2
    assert recover(shop.home) == ""
    monkeypatch.undo()
    assert not shop.update().changes.total


@pytest.mark.promise("R21")
def test_bad_rows_of_an_update_are_named_and_the_rest_is_taken(tmp_path):
    shop = Shop(tmp_path, 60)
    shop.build()
    for i in range(0, 60, 10):
        shop.rows[f"p{i}"]["image"] = "gone.png"
        (shop.folder / f"p{i + 1}.png").write_bytes(b"broken")
        shop.rows[f"p{i + 2}"]["title"] = ""
        shop.rows[f"p{i + 3}"]["title"] = "red again"
    report = shop.update()
    assert len(report.rejected) == 18 and all(row.line and row.reason for row in report.rejected)
    # Their products were removed once. But the feed lists them, so that nobody wants them gone: they stay as they were.
    assert (report.changes.counts["words"], report.changes.counts["removed"], report.rows) == (6, 0, 60)
    assert (report.retained.rejected, report.retained.uncertain) == (18, 0)


def test_files_are_forgotten_when_no_product_shows_them(shop):
    with FileStatCache(shop.home) as files:
        paths = [str(shop.folder / f"p{i}.png") for i in range(12)]
        assert len(files.known(paths)) == 12
        assert files.keep_only(paths[:5]) == 7
        assert set(files.known(paths)) == set(paths[:5])
        assert files.known(["/nowhere", "\udcff", *paths[:1]]).keys() <= {paths[0]}


def test_rows_that_no_catalogue_stores_are_rejected_before_pictures_are_encoded(tmp_path):
    shop = Shop(tmp_path, 2)
    feed = shop.write().rename(shop.folder / os.fsdecode(b"shop\xff.csv"))  # the name is part of what is stored
    encoder = FakeEncoder()
    with pytest.raises(BadFeed) as raised:
        build_index(shop.home, feed, encoder)
    assert "p0' is not valid Unicode" in raised.value.hint and encoder.pictures_encoded == 0


def full_disk(*_, **__):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("broken", ["_write_report", "remember_feed", "write_feed_rows", "write_atomically", "forget"])
def test_what_cannot_be_written_after_publishing_is_a_warning(tmp_path, monkeypatch, caplog, broken):
    shop = Shop(tmp_path, 3)
    shop.build()
    shop.set("p1", "green mug", (9, 9, 9))
    shop.rows["bad"] = shop.rows["p1"] | {"id": "bad", "image": "nowhere.png"}
    with monkeypatch.context() as patched:
        owners = {"_write_report": reports, "write_atomically": feed_rows, "forget": ProductHistory}
        owner = owners.get(broken, index_run)
        patched.setattr(owner, broken, full_disk)
        report = shop.update()
    assert report.made and current_number(shop.home) == 2 and state(shop.home)["p1"][0].title == "green mug"
    assert caplog.text.count("No space left") == 1
    if broken == "_write_report":
        assert "picture 'nowhere.png' does not exist" in caplog.text  # no rejected row is lost
        assert "the report of this run is not written" in report.table() and "No space left" in report.to_json()
    assert shop.update().changes.total == 0 and numbers(shop.home) == [1, 2]


@pytest.mark.parametrize("publish", [True, False])
def test_a_comparison_of_encoders_that_fails_leaves_no_folder(shop, monkeypatch, publish):
    monkeypatch.setattr(index_run, "save_encoder_diff", full_disk)
    other = FakeEncoder(fingerprint="other")
    with pytest.raises(OSError, match="No space left"):
        (shop.update if publish else partial(compare_encoder, shop.home))(other)
    assert [path.name for path in (shop.home / "generations").iterdir()] == ["000001"]
