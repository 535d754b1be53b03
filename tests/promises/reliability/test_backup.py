"""R8: a backup is taken while the shop is written, and restored exactly. R9: the index is disposable."""

import shutil
import sqlite3
import time
from contextlib import closing
from decimal import Decimal
from hashlib import sha256

import pytest

from catalog.errors import DamagedGeneration, GenerationError
from catalog.feeds.platform_documents.document import ProductDocument
from catalog.home import ShopHome
from catalog.product import Product
from catalog.questions.question_store import QuestionStore
from catalog.reviews.review import ReviewDraft
from catalog.reviews.review_store import ReviewStore
from catalog.storage.catalogue import Catalogue
from indexer.build.build import UpdateOptions, build_index, update_index
from indexer.encoders.registry import open_encoder
from indexer.generations.store import current_number, open_current
from indexer.maintenance.backup import backup, read_backup, restore
from indexer.maintenance.consistency import check_consistency
from search.assistant.threads.thread import ThreadMessage
from search.assistant.threads.thread_store import ThreadStore
from search.connect.inbox import DocumentChange, Inbox
from search.listings.decision_store import Decision, DecisionStore, Item
from search.merchandising.rule_store import RuleStore
from search.merchandising.rules import Rule
from search.ops.query_log import EMPTY, QueryLog
from search.pricing.alerts.alert_store import AlertStore
from search.pricing.alerts.price_alert import AlertRequest
from search.recommend.events.event_log import Event, EventLog
from search.recommend.experiments.experiment import Arm, Experiment
from search.recommend.experiments.experiment_store import ExperimentStore
from tests.fake_encoder import FakeEncoder
from tests.promises.feed_writer import answers, draw_feed, draw_pictures, shop_state

SNAPSHOTS = 10


def wait_for_a_new_generation(home, number):
    """Until the shop is at least that far: half of the snapshots fall between two generations, as it happens."""
    until = time.monotonic() + 300
    while current_number(home) < number and time.monotonic() < until:
        time.sleep(0.01)


@pytest.mark.promise("R8")
def test_snapshots_during_writes_are_whole_and_restore_exactly(kennel, tmp_path, seed):
    feed, home, stop = tmp_path / "feed", tmp_path / "home", tmp_path / "stop"
    draw_pictures(feed, seed, 80)
    feeds = [draw_feed(feed, f"{number}.csv", seed + number, 60, 80) for number in range(4)]
    build_index(home, feeds[0], FakeEncoder())
    kennel.start("write_for_ever", home=home, feeds="|".join(map(str, feeds)), stop=stop)
    taken = []
    try:
        for number in range(SNAPSHOTS):
            taken.append(backup(home, tmp_path / f"copy-{number}"))
            wait_for_a_new_generation(home, taken[-1].generation + number % 2)
    finally:
        stop.touch()
        code, said = kennel.result()
    assert code == 0, said
    assert taken[-1].seq > taken[0].seq and taken[-1].generation > taken[0].generation
    for number in range(SNAPSHOTS):
        copy, restored = tmp_path / f"copy-{number}", tmp_path / f"restored-{number}"
        before = answers(copy, open_current(copy))
        assert len(before) == 100
        restore(copy, restored)
        generation = open_current(restored)
        assert answers(restored, generation) == before
        assert check_consistency(restored, generation).all() == []
        # What the catalogue has beyond the index is taken in, and nothing is lost.
        update_index(restored, FakeEncoder(), UpdateOptions(from_catalogue=True))
        with closing(Catalogue.open(copy / "catalog.sqlite")) as catalogue:
            assert set(shop_state(restored)) == {product.id for _, product in catalogue.iterate()}


@pytest.mark.promise("R8")
def test_a_damaged_backup_is_refused_and_a_full_home_kept(tmp_path, seed):
    feed, home, copy = tmp_path / "feed", tmp_path / "home", tmp_path / "copy"
    draw_pictures(feed, seed, 20)
    build_index(home, draw_feed(feed, "1.csv", seed, 12, 20), FakeEncoder())
    (home / "pictures").mkdir()
    (home / "pictures" / "own.jpg").write_bytes(b"own")
    (home / "encoders").mkdir()
    (home / "encoders" / "shop.safetensors").write_bytes(b"heads")
    made = backup(home, copy)
    assert {"pictures/own.jpg", "encoders/shop.safetensors", "feed.json", "current"} <= made.files.keys()
    assert not any(name.startswith(("cache", "reports", "build.lock")) for name in made.files)
    with pytest.raises(GenerationError, match="is not empty"):
        backup(home, copy)
    with pytest.raises(GenerationError, match="is not empty"):
        restore(copy, home)
    for name in made.files:
        data = (copy / name).read_bytes()
        (copy / name).unlink()  # it may be linked to the shop's own
        (copy / name).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(DamagedGeneration, match=name.rsplit("/", 1)[-1]):
            restore(copy, tmp_path / "restored")
        (copy / name).write_bytes(data)
    assert not (tmp_path / "restored").exists()
    text = (copy / "backup.json").read_text()
    (copy / "backup.json").write_text(text.replace("feed.json", "../feed.json"))
    with pytest.raises(DamagedGeneration, match="outside the backup"):
        read_backup(copy)
    (copy / "backup.json").unlink()
    with pytest.raises(DamagedGeneration, match="not a complete backup"):
        restore(copy, tmp_path / "restored")
    assert open_current(home).number == 1


@pytest.mark.promise("R8")
def test_the_shops_own_pictures_move_with_it(tmp_path, seed):
    feed, home = tmp_path / "feed", tmp_path / "home"
    draw_pictures(feed, seed, 20)
    build_index(home, draw_feed(feed, "1.csv", seed, 12, 20), FakeEncoder())
    (home / "pictures").mkdir()
    own = home / "pictures" / "own.png"
    shutil.copyfile(feed / "0.png", own)
    with closing(Catalogue.open(home / "catalog.sqlite")) as catalogue:
        _, product = next(catalogue.iterate())
        picture = type(product.pictures[0])(str(own), product.pictures[0].sha256, 4, 3)
        catalogue.put([type(product)("live", "live", (picture,))])
    backup(home, tmp_path / "copy")
    restore(tmp_path / "copy", tmp_path / "moved")
    shutil.rmtree(home)
    with closing(Catalogue.open(tmp_path / "moved" / "catalog.sqlite")) as catalogue:
        assert catalogue.get("live").pictures[0].path == str(tmp_path / "moved" / "pictures" / "own.png")
        assert catalogue.get(product.id).pictures[0].path.startswith(str(feed))


@pytest.mark.promise("R9")
@pytest.mark.parametrize("encoder", ["fake", "colour"])
@pytest.mark.parametrize("lost", [("generations", "current"), ("generations", "current", "cache")])
def test_the_index_can_be_made_again_from_catalogue_and_pictures(tmp_path, seed, encoder, lost):
    opened = FakeEncoder() if encoder == "fake" else open_encoder(encoder)
    feed, home = tmp_path / "feed", tmp_path / "home"
    draw_pictures(feed, seed, 150)
    build_index(home, draw_feed(feed, "1.csv", seed, 120, 150), opened)
    before = answers(home, open_current(home))
    for name in lost:
        path = home / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    update_index(home, opened, UpdateOptions(from_catalogue=True))
    assert answers(home, open_current(home)) == before
    assert check_consistency(home, open_current(home)).all() == []


@pytest.mark.promise("R8")
def test_what_shoppers_did_and_merchants_decided_later_does_not_damage_a_backup(tmp_path):
    draw_pictures(tmp_path / "feed", 1, 8)
    home = tmp_path / "home"
    build_index(home, draw_feed(tmp_path / "feed", "a.csv", 1, 6, 8), FakeEncoder())

    def write(word):
        DecisionStore(home).record([(Item(word, word, "f", b""), [Decision("category", "", word)])])
        QueryLog(home).add(EMPTY, word, 1.0)
        RuleStore(home).save([Rule("pin", word, "a")], word)
        ExperimentStore(home).save(Experiment(word, (Arm("control"), Arm("new"))))
        photo = sha256(word.encode()).hexdigest()
        ReviewStore(home).photos.put(photo, word.encode())
        ReviewStore(home).add(ReviewDraft(word, 5, text=word, photos=(photo,)), word)
        QuestionStore(home).ask(word, word, "en")
        AlertStore(home).add(AlertRequest(Product(word, word, (), price=Decimal(9)), word))
        ThreadStore(home).append(word, ThreadMessage("customer", word))
        with closing(EventLog.open(home)) as events:
            events.add([Event("view", product_id=word, visitor="v")])
        with closing(Inbox(home)) as inbox:
            document = ProductDocument(word, updated=1.0, title=word)
            inbox.accept(DocumentChange("shopify", word, 1.0, lambda known: document), word, word)

    write("before")
    backup(home, tmp_path / "copy")
    write("after")
    restore(tmp_path / "copy", tmp_path / "restored")
    assert [one.item for one in DecisionStore(tmp_path / "restored").examples("f")] == ["before"]
    rules = RuleStore(tmp_path / "restored")
    assert [rule.question for rule in rules.all()] == ["before"] == [change.by for change in rules.log()]
    photos = [path.read_text() for path in ShopHome(tmp_path / "restored").review_photos.rglob("*.jpg")]
    assert photos == ["before"]
    names = [path.name for path in ShopHome(home).side_databases]
    assert set(names) == {path.name for path in home.glob("*.sqlite")} - {"catalog.sqlite"}
    for name in names:
        with closing(sqlite3.connect(tmp_path / "restored" / name)) as kept:
            told = " ".join(kept.iterdump())
        assert "before" in told and "after" not in told, name


@pytest.mark.promise("R8")
def test_a_database_that_cannot_be_copied_is_named(tmp_path):
    draw_pictures(tmp_path / "feed", 1, 8)
    home = tmp_path / "home"
    build_index(home, draw_feed(tmp_path / "feed", "a.csv", 1, 6, 8), FakeEncoder())
    ShopHome(home).query_log.write_bytes(b"no database at all, but of some length" * 99)
    with pytest.raises(DamagedGeneration, match=r"questions\.sqlite cannot be copied"):
        backup(home, tmp_path / "copy")
