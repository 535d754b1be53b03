"""Products come back as they were, key and all fields; edits of single products outlive that."""

import gc
import sqlite3
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

import pytest

from catalog.product import Picture, Product
from catalog.storage.catalogue import Catalogue
from catalog.storage.restoration import Restoration

MUG = Product(
    "mug",
    "Red mug",
    (Picture("/f/mug.jpg", "a" * 64, 40, 30), Picture("/f/mug-2.jpg", "b" * 64, 4, 3)),
    "Tableware > Mugs",
    Decimal("12.90"),
    "EUR",
    False,
    "Kirsi",
    MappingProxyType({"colour": "rot", "size": "L"}),
    "Fired twice.",
    "feed.csv:2",
)
CUP, JUG = (replace(MUG, id=name, title=name, attributes=MappingProxyType({})) for name in ("cup", "jug"))


@pytest.fixture
def catalogue(store):
    """Generation 1 is of mug and cup, and was built at change 2."""
    with closing(store.open()) as opened:
        assert opened.replace([MUG, CUP]).added == 2
        yield opened


def imported(catalogue, puts=(), gone=(), generation=0):
    with catalogue.applying(puts, gone, generation):
        pass


def restored(catalogue, seq, generation):
    """Go to a generation; what was said before is what is done."""
    planned = catalogue.history.preview(seq, generation)
    with catalogue.history.restoring(seq, generation) as done:
        pass
    assert planned == done
    return done


def everything(catalogue):
    return {key: (product, product.origin) for key, product in catalogue.iterate()}


def words(catalogue):
    with catalogue.words() as index:
        return index.vocabulary()


def test_products_come_back_with_every_field_and_go_again(catalogue):
    first, vocabulary = everything(catalogue), words(catalogue)
    imported(catalogue, [JUG, replace(CUP, title="Cup", price=None, in_stock=True)], ["mug"])
    second, seq = everything(catalogue), catalogue.seq
    assert restored(catalogue, 2, 1) == Restoration(come_back=1, go_away=1, changed=1)
    assert everything(catalogue) == first and words(catalogue) == vocabulary
    assert restored(catalogue, seq, 2) == Restoration(come_back=1, go_away=1, changed=1)
    assert everything(catalogue) == second
    assert restored(catalogue, 2, 1).come_back == 1 and everything(catalogue) == first


def test_edits_since_are_kept_field_by_field(catalogue):
    imported(catalogue, [JUG, replace(MUG, title="Worse", price=Decimal(1))], ["cup"])
    seq = catalogue.seq
    edited = replace(MUG, title="Worse", price=Decimal(1), in_stock=True)
    catalogue.put([edited, replace(JUG, brand="Mine"), replace(JUG, id="new")])
    second = everything(catalogue)
    assert restored(catalogue, 2, 1) == Restoration(
        come_back=1, go_away=1, changed=1, edits_remaining=2, edits_waiting=1
    )
    assert catalogue.get("mug") == replace(MUG, in_stock=True)
    assert [product_id for _, product_id in catalogue.ids()] == ["mug", "cup", "new"]
    catalogue.put([replace(CUP, brand="Edited here")])
    catalogue.remove(["new"])
    assert restored(catalogue, seq, 2) == Restoration(
        come_back=1, go_away=1, changed=1, edits_remaining=2, edits_waiting=1
    )
    second.pop(catalogue.key_of("jug") + 1)
    assert everything(catalogue) == second  # the jug with its brand; the new one was removed by hand
    assert restored(catalogue, 2, 1).come_back == 1 and catalogue.get("cup").brand == "Edited here"


def test_an_edit_of_a_price_keeps_its_currency(catalogue):
    imported(catalogue, [replace(MUG, price=Decimal(1700), currency="JPY")])
    catalogue.put([replace(MUG, price=Decimal(1500), currency="JPY")])
    restored(catalogue, 2, 1)
    assert catalogue.get("mug") == replace(MUG, price=Decimal(1500), currency="JPY", list_price=MUG.list_price)


def test_prices_that_came_while_a_generation_was_current_are_part_of_its_products(catalogue):
    imported(catalogue, [replace(MUG, price=Decimal(9))], generation=1)
    imported(catalogue, [JUG], ["mug"])
    seq = catalogue.seq
    imported(catalogue, [replace(JUG, price=Decimal(5))], generation=2)
    restored(catalogue, 2, 1)
    assert catalogue.get("mug").price == 9
    imported(catalogue, [replace(CUP, price=Decimal(3))], generation=1)
    restored(catalogue, seq, 2)
    assert catalogue.get("jug").price == 5 and catalogue.get("cup").price == CUP.price


def test_a_product_that_was_put_again_keeps_its_present_key(catalogue):
    catalogue.remove(["mug"])
    catalogue.put([replace(MUG, title="Again")])
    key = catalogue.key_of("mug")
    imported(catalogue, [], ["cup"])
    assert restored(catalogue, 2, 1) == Restoration(come_back=1, edits_remaining=1)
    assert catalogue.get("mug").title == "Again" and catalogue.key_of("mug") == key > 2


def test_an_import_that_repeats_what_was_undone_is_known_until_another_import(catalogue):
    imported(catalogue, [replace(CUP, title="Worse")], ["mug"])
    assert list(catalogue.history.undone()) == []
    restored(catalogue, 2, 1)
    undone = catalogue.history.undone()
    assert iter(undone) is undone and list(undone) == [("cup", {"title": "Worse"}), ("mug", None)]
    imported(catalogue, [JUG])
    assert list(catalogue.history.undone()) == []


def test_few_products_are_in_memory_while_many_are_restored(catalogue, monkeypatch):
    product_rows = catalogue.history._rows
    monkeypatch.setattr(product_rows, "CHUNK_PRODUCTS", 2)
    imported(catalogue, [replace(JUG, id=f"jug-{n}") for n in range(9)])
    first, seq = everything(catalogue), catalogue.seq
    imported(catalogue, [replace(JUG, id=f"jug-{n}", title="Other") for n in range(3, 12)], ["mug", "jug-0", "jug-1"])
    at_once = []

    def put(*arguments):
        at_once.append(sum(type(each).__name__ == "_Target" for each in gc.get_objects(0)))
        return written(*arguments)

    written = product_rows.put
    monkeypatch.setattr(product_rows, "put", put)
    gc.disable()  # what is made from here on is then in the youngest generation; to count all of them takes seconds
    try:
        assert restored(catalogue, seq, 1) == Restoration(come_back=3, go_away=3, changed=6)
    finally:
        gc.enable()
    assert everything(catalogue) == first
    assert len(at_once) > 3 and max(at_once) <= 4  # those of the chunk, and the last one of the chunk before


def test_nothing_happens_when_the_history_does_not_reach_back(catalogue, tmp_path):
    imported(catalogue, [JUG], ["mug"])
    seq = catalogue.seq
    catalogue.history.forget(seq)
    before = everything(catalogue)
    assert restored(catalogue, 2, 1) == Restoration(complete=False) and everything(catalogue) == before
    assert restored(catalogue, seq, 2) == Restoration()


def test_a_catalogue_of_an_older_version_begins_its_history_when_it_is_opened(in_file, tmp_path):
    in_file.replace([MUG, CUP])
    in_file.close()
    with closing(sqlite3.connect(tmp_path / "catalog.sqlite")) as db:
        db.execute("DROP TABLE history")
        db.execute("UPDATE meta SET value = '2' WHERE name = 'schema_version'")
        db.commit()
    with closing(Catalogue.open(tmp_path / "catalog.sqlite")) as opened:
        imported(opened, [JUG], ["mug"])
        assert restored(opened, 1, 1) == Restoration(complete=False)
        assert restored(opened, 2, 1) == Restoration(come_back=1, go_away=1)


def test_an_error_in_the_block_restores_nothing(catalogue):
    imported(catalogue, [JUG], ["mug"])
    before = everything(catalogue)
    with pytest.raises(RuntimeError), catalogue.history.restoring(2, 1):
        assert everything(catalogue) != before
        raise RuntimeError
    assert everything(catalogue) == before and list(catalogue.history.undone()) == []


def test_pictures_that_may_come_back_are_known(catalogue):
    assert catalogue.history.pictures() == set()
    imported(catalogue, [], ["mug"])
    assert catalogue.history.pictures() == {"a" * 64, "b" * 64}
