"""R5: imports are idempotent and order-free: whatever is done to a shop, and wherever it breaks, it equals a dict."""

import csv
import os
import random
import shutil
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from catalog.errors import BadFeed
from catalog.files import version_folders
from catalog.files.failpoints import VARIABLE, Failed
from catalog.images.decoder import content_hash
from catalog.product import Picture, Product
from catalog.storage.catalogue import Catalogue
from indexer.build.build import UpdateOptions, build_index, dry_run, update_index
from indexer.generations.publishing import build_lock, recover, rollback
from indexer.generations.store import current_number, numbers, open_current
from indexer.maintenance.consistency import check_consistency
from tests.fake_encoder import FakeEncoder
from tests.indexer.shop_fixtures import write_picture

IDS = [f"p{i}" for i in range(8)]
TITLES = ("red thing", "green thing", "blue", "chair")
PICTURES = [f"{i}.png" for i in range(6)]
BREAKS = (
    "pictures.encoded",
    "cache.appended",
    "titles.encoded",
    "update.compared",
    "rows.written",
    "index.saved",
    "gates.passed",
    "seal.manifest-written",
    "catalogue.before-commit",
    "catalogue.committed",
    "generation.adopted",
    "file.replaced",
    "pointer.moved",
    "update.reported",
    "update.before-commit",
    "update.committed",
)
products = st.dictionaries(
    st.sampled_from(IDS),
    st.tuples(st.sampled_from(TITLES), st.lists(st.sampled_from(PICTURES), min_size=1, max_size=2), st.integers(1, 3)),
    min_size=1,
)


def _redo(products, before, after):
    """Make a change again, to other products: of one that is there, the parts that the change altered."""
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if new is None:
            products.pop(key, None)
        elif old is None:
            products[key] = new
        elif key in products:
            parts = zip(old, new, products[key], strict=True)
            products[key] = tuple(mine if first == second else second for first, second, mine in parts)


class Imports(RuleBasedStateMachine):
    """A shop, and the dict that it must equal: id -> (title, pictures without doubles, price)."""

    pictures: Path  # drawn once for all examples
    hashes: dict[str, str]

    @initialize(first=products)
    def open_shop(self, first):
        self.folder = Path(tempfile.mkdtemp(dir=self.pictures.parent))
        self.home = self.folder / "home"
        self.encoder = FakeEncoder()
        self.model = {}
        self.turn = 0
        self.events, self.built = [], {}  # what was done to the products, and how much of it before each generation
        build_index(self.home, self._feed(first), self.encoder)
        self._become(first)

    @rule(feed=products, shuffled=st.randoms(use_true_random=False))
    def import_a_feed(self, feed, shuffled):
        update_index(self.home, self.encoder, UpdateOptions(self._feed(feed, shuffled), allow_shrink=True, force=True))
        self._become(feed)

    @rule(feed=products)
    def build_a_feed(self, feed):
        build_index(self.home, self._feed(feed), self.encoder)
        self._become(feed)

    @rule(feed=products)
    def import_without_removing(self, feed):
        update_index(self.home, self.encoder, UpdateOptions(self._feed(feed), keep_missing=True, force=True))
        self._become(self.model | feed)

    @precondition(lambda self: self.model)
    @rule(shuffled=st.randoms(use_true_random=False))
    def import_the_same_again(self, shuffled):
        feed = self._feed(self.model, shuffled)
        planned = dry_run(self.home, self.encoder, UpdateOptions(feed))
        number = current_number(self.home)
        report = update_index(self.home, self.encoder, UpdateOptions(feed))  # it may encode what was only put before
        self._note_generation()
        assert report.changes.total == planned.changes.total == 0
        done = self._encoded()
        again = update_index(self.home, self.encoder, UpdateOptions(feed))
        assert again.changes.total == 0
        assert (self._encoded(), current_number(self.home)) == (done, number)

    @rule(product_id=st.sampled_from(IDS), title=st.sampled_from(TITLES), picture=st.sampled_from(PICTURES))
    def upsert(self, product_id, title, picture):
        shown = Picture(str(self.pictures / picture), self.hashes[picture], 4, 4)
        with self._catalogue() as catalogue:
            catalogue.put([Product(product_id, title, (shown,))])
        self._become({**self.model, product_id: (title, [picture], None)}, edit=True)

    @rule(product_id=st.sampled_from(IDS))
    def delete(self, product_id):
        if len(self.model) > 1:
            with self._catalogue() as catalogue:
                assert catalogue.remove([product_id]) == (product_id in self.model)
            self._become({key: value for key, value in self.model.items() if key != product_id}, edit=True)

    @rule(feed=products, place=st.sampled_from(BREAKS), times=st.integers(1, 2))
    def break_off(self, feed, place, times):
        os.environ[VARIABLE] = f"{place}*{times}:raise"
        try:
            update_index(self.home, self.encoder, UpdateOptions(self._feed(feed), allow_shrink=True, force=True))
        except Failed:
            pass
        finally:
            del os.environ[VARIABLE]
        recover(self.home)
        if self._found() == self._modelled(feed):
            self._become(feed)

    @rule()
    def index_the_catalogue(self):
        update_index(self.home, self.encoder, UpdateOptions(from_catalogue=True, force=True))
        self._note_generation()
        assert open_current(self.home).manifest.seq == self._seq()

    @precondition(lambda self: len(numbers(self.home)) > 1)
    @rule(choice=st.integers(0, 5))
    def go_to_another_generation(self, choice):
        """Its products are those that it was built from, with what was done to it later, and all later edits."""
        others = [number for number in numbers(self.home) if number != current_number(self.home)]
        number = others[choice % len(others)]
        with build_lock(self.home):
            rollback(self.home, number)
        done = self.built[number]
        expected = dict(self.events[done - 1][2] if done else {})
        for owner, before, after in self.events[done:]:
            if owner in ("edit", number):
                _redo(expected, before, after)
        self.events.append(("move", self.model, expected))
        self.model = expected

    @rule()
    def truncated_feeds_are_refused(self):
        if len(self.model) > 2:
            with pytest.raises(BadFeed, match="more than half"):
                update_index(self.home, self.encoder, UpdateOptions(self._feed(dict([next(iter(self.model.items()))]))))

    @invariant()
    def the_shop_is_the_model(self):
        if not hasattr(self, "home"):
            return
        assert self._found() == self.model
        assert check_consistency(self.home, open_current(self.home)).all() == []

    def teardown(self):
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    def _become(self, feed, edit=False):
        """Note what was done: an import belongs to the generation that it made, or to the current one."""
        after, current = self._modelled(feed), current_number(self.home)
        self.events.append(("edit" if edit else current, self.model, after))
        self.model = after
        self._note_generation()

    def _note_generation(self):
        self.built.setdefault(current_number(self.home), len(self.events))

    @staticmethod
    def _modelled(feed):
        return {key: (title, list(dict.fromkeys(shown)), price) for key, (title, shown, price) in feed.items()}

    def _feed(self, feed, shuffled=None):
        rows = [
            (key, title, "|".join(shown), "" if price is None else f"{price} EUR")
            for key, (title, shown, price) in feed.items()
        ]
        if shuffled is not None:
            shuffled.shuffle(rows)
        self.turn += 1
        path = self.pictures / f"feed-{self.folder.name}.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "title", "images", "price"])
            writer.writerows(rows)
        return path

    def _catalogue(self):
        return closing(Catalogue.open(self.home / "catalog.sqlite"))

    def _seq(self):
        with self._catalogue() as catalogue:
            return catalogue.seq

    def _encoded(self):
        return self.encoder.pictures_encoded, self.encoder.texts_encoded

    def _found(self):
        with self._catalogue() as catalogue:
            return {
                product.id: (
                    product.title,
                    [Path(picture.path).name for picture in product.pictures],
                    None if product.price is None else int(product.price),
                )
                for _, product in catalogue.iterate()
            }


def drawn(folder):
    """A machine whose pictures lie in the folder; none of them is younger than the seconds that are not trusted."""
    hashes = {}
    for i, name in enumerate(PICTURES):
        path = write_picture(folder / name, (40 * i, 255 - 40 * i, 17 * i), (4, 4))
        os.utime(path, (1_700_000_000, 1_700_000_000))
        hashes[name] = content_hash(path.read_bytes())
    return type("DrawnImports", (Imports,), {"pictures": folder, "hashes": hashes})


def holds(monkeypatch, folder, seed, examples, steps):
    """Nothing in here ends the process, so nothing needs to be brought to the disk; that is what takes the time."""
    monkeypatch.setattr(version_folders, "sync", lambda path: None)
    monkeypatch.setattr(os, "fsync", lambda file: None)
    random.seed(seed)
    run_state_machine_as_test(
        drawn(folder),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=seed == 20261125,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.promise("R5", "12 lives of 50 steps")
@pytest.mark.timeout(2400)
def test_a_shop_equals_a_dict_whatever_is_done_to_it(monkeypatch, tmp_path, seed):
    holds(monkeypatch, tmp_path / "pictures", seed, 12, 50)


@pytest.mark.promise("R5", "200 lives of 50 steps")
@pytest.mark.torture
@pytest.mark.timeout(6000)
def test_a_shop_equals_a_dict_in_two_hundred_long_lives(monkeypatch, tmp_path, seed):
    holds(monkeypatch, tmp_path / "pictures", seed, 200, 50)
