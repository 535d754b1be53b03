"""What a product costs is recorded with each change of it, once; a catalogue of an older version gets first entries."""

import itertools
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from decimal import Decimal

import pytest

from catalog.extras import has_extra
from catalog.price_history import segments
from catalog.price_history.price_change import PriceChange
from catalog.price_history.segments import pack
from catalog.product import Product
from catalog.storage import price_rows
from catalog.storage.catalogue import Catalogue

MUG = Product("mug", "Red mug", (), price=Decimal("12.90"), currency="EUR")
START = 1_700_000_000


class Clock:
    """The machine's clock, which a test sets."""

    def __init__(self):
        self.now = START

    def time(self):
        return self.now + 0.5


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(price_rows, "time", clock)
    if has_extra("postgres"):
        monkeypatch.setattr("catalog.postgres.price_rows.time", clock)
    return clock


def put(catalogue, clock, seconds, **fields):
    """Put the mug with these fields so many seconds after the start."""
    clock.now = START + seconds
    catalogue.put([replace(MUG, **fields)])


def recorded(catalogue, product_id="mug", **between):
    """The changes in short: seconds since the start, price, list price, currency, and what it was not."""
    changes = catalogue.price_history.changes(product_id, **between)
    return [
        (
            change.at - START,
            None if change.price is None else str(change.price),
            None if change.list_price is None else str(change.list_price),
            change.currency,
            *([] if change.in_stock else ["out of stock"]),
            *([] if change.present else ["absent"]),
        )
        for change in changes
    ]


def test_each_change_of_price_list_price_and_stock_is_recorded_once(catalogue, clock):
    put(catalogue, clock, 0)
    put(catalogue, clock, 10)  # equal: nothing changed
    put(catalogue, clock, 20, title="Scarlet mug")  # not of its price
    put(catalogue, clock, 30, price=Decimal("9.90"), list_price=Decimal("12.90"))
    put(catalogue, clock, 40, price=Decimal("9.90"), list_price=Decimal("12.90"), in_stock=False)
    put(catalogue, clock, 50)
    assert recorded(catalogue) == [
        (0, "12.90", None, "EUR"),
        (30, "9.90", "12.90", "EUR"),
        (40, "9.90", "12.90", "EUR", "out of stock"),
        (50, "12.90", None, "EUR"),
    ]


def test_reading_begins_with_what_was_in_force(catalogue, clock):
    for day in range(5):
        put(catalogue, clock, 100 * day, price=Decimal(day + 1))
    assert [change[1] for change in recorded(catalogue, since=START + 250)] == ["3", "4", "5"]
    assert [change[1] for change in recorded(catalogue, since=START + 200)] == ["3", "4", "5"]
    assert [change[1] for change in recorded(catalogue, since=START + 150, until=START + 300)] == ["2", "3", "4"]
    assert [change[1] for change in recorded(catalogue, since=START - 5, until=START)] == ["1"]
    assert recorded(catalogue, until=START - 1) == [] and recorded(catalogue, "absent") == []


def test_a_clock_that_goes_back_alters_no_order(catalogue, clock):
    put(catalogue, clock, 1_000, price=Decimal(1))
    put(catalogue, clock, -5_000, price=Decimal(2))
    put(catalogue, clock, 990, price=Decimal(3))
    put(catalogue, clock, 1_010, price=Decimal(4))
    assert [change[:2] for change in recorded(catalogue)] == [(1_000, "1"), (1_000, "2"), (1_000, "3"), (1_010, "4")]


def test_a_changed_currency_is_a_change_at_the_same_amount(catalogue, clock):
    put(catalogue, clock, 0)
    put(catalogue, clock, 10, currency="USD")
    assert recorded(catalogue) == [(0, "12.90", None, "EUR"), (10, "12.90", None, "USD")]


def test_missing_and_zero_prices_are_recorded_as_they_are(catalogue, clock):
    put(catalogue, clock, 0, price=None, currency="")
    put(catalogue, clock, 10, price=Decimal("0.00"))
    put(catalogue, clock, 20, price=Decimal("NaN"))
    assert recorded(catalogue) == [(0, None, None, ""), (10, "0.00", None, "EUR"), (20, None, None, "EUR")]


def test_a_product_that_left_and_came_back_has_one_history(catalogue, clock):
    put(catalogue, clock, 0)
    clock.now = START + 10
    assert catalogue.remove(["mug"]) == 1 and catalogue.remove(["mug"]) == 0
    assert recorded(catalogue)[-1] == (10, "12.90", None, "EUR", "absent")
    put(catalogue, clock, 20)
    put(catalogue, clock, 30, price=Decimal("8"))
    assert recorded(catalogue) == [
        (0, "12.90", None, "EUR"),
        (10, "12.90", None, "EUR", "absent"),
        (20, "12.90", None, "EUR"),
        (30, "8", None, "EUR"),
    ]
    assert [product_id for product_id, _ in catalogue.price_history.of_all()] == ["mug"]


def test_an_import_and_a_restoration_are_recorded_too(catalogue, clock):
    cup = replace(MUG, id="cup")
    catalogue.replace([MUG, cup])
    built = catalogue.seq
    clock.now = START + 10
    catalogue.replace([replace(MUG, price=Decimal("7"))])
    assert [change[:2] for change in recorded(catalogue)] == [(0, "12.90"), (10, "7")]
    assert recorded(catalogue, "cup")[-1][0] == 10 and recorded(catalogue, "cup")[-1][-1] == "absent"
    clock.now = START + 20
    with catalogue.history.restoring(built, 1):
        pass
    assert [change[:2] for change in recorded(catalogue)] == [(0, "12.90"), (10, "7"), (20, "12.90")]
    assert recorded(catalogue, "cup")[-1] == (20, "12.90", None, "EUR")


def test_nothing_is_recorded_of_what_is_rolled_back(catalogue, clock):
    put(catalogue, clock, 0)
    with pytest.raises(RuntimeError), catalogue.replacing([replace(MUG, price=Decimal(1))]):
        raise RuntimeError
    assert len(recorded(catalogue)) == 1


def test_a_long_history_is_read_whole_and_of_all_products(catalogue, clock):
    prices = {f"p{number:02}": [] for number in range(3)}
    for week in range(120):
        clock.now = START + week * 604_800
        now = {each: Decimal(100 + (week * (7 + number)) % 83) / 100 for number, each in enumerate(prices)}
        catalogue.put(replace(MUG, id=product_id, price=price) for product_id, price in now.items())
        for product_id, price in now.items():
            prices[product_id].append((week * 604_800, str(price)))
    assert {each: [change[:2] for change in recorded(catalogue, each)] for each in prices} == prices
    since = START + 90 * 604_800
    every = dict(catalogue.price_history.of_all(since))
    assert every == {each: catalogue.price_history.changes(each, since) for each in prices}
    assert all(len(changes) == 30 for changes in every.values())


def test_a_reader_decodes_no_more_of_a_long_history_than_it_wants(catalogue, clock, monkeypatch):
    put(catalogue, clock, 0)
    with catalogue._write() as db:  # every second change alters nothing
        past = [PriceChange(START + each, Decimal(100 + each // 2 % 50), currency="EUR") for each in range(4_000)]
        catalogue.price_history._rewrite(db, "mug", past)
    decoded, unpack = [], segments.unpack

    def counted(segment):
        for change in unpack(segment):
            decoded.append(change)
            yield change

    monkeypatch.setattr(segments, "unpack", counted)
    history = catalogue.price_history
    found = history.read_each(["mug", "cup"], lambda changes: [*itertools.islice(changes, 3)])
    assert found == {"mug": [*reversed(history.changes("mug")[-3:])], "cup": []}
    decoded.clear()
    history.read_each(["mug"], next)
    assert len(decoded) <= 3
    assert history.read_each(["mug"], list)["mug"] == [*reversed(history.changes("mug"))]


def test_all_products_are_read_over_pages(catalogue, monkeypatch):
    monkeypatch.setattr("catalog.price_history.price_history.PAGE_PRODUCTS", 3)
    catalogue.put(replace(MUG, id=f"p{number}") for number in range(8))
    assert [product_id for product_id, _ in catalogue.price_history.of_all()] == [f"p{number}" for number in range(8)]


def test_followers_read_which_prices_changed(catalogue):
    history = catalogue.price_history
    catalogue.put([MUG, replace(MUG, id="cup"), replace(MUG, id="jug")])
    assert history.changed(0).product_ids == ("mug", "cup", "jug")
    seq = history.changed(0).seq
    assert seq == catalogue.seq and history.changed(seq) == type(history.changed(seq))(seq, ())
    catalogue.put([replace(MUG, title="Scarlet mug"), replace(MUG, id="cup", price=None)])
    catalogue.remove(["jug"])
    assert history.changed(seq).product_ids == ("cup", "jug") and history.changed(seq).seq == catalogue.seq
    first = history.changed(seq, limit=1)
    assert first.product_ids == ("cup",) and history.changed(first.seq).product_ids == ("jug",)
    catalogue.history.forget(catalogue.seq)
    assert set(history.changed(seq).product_ids) == {"mug", "cup", "jug"}


def make_old(path, products):
    """A catalogue as version 4 of the schema had it."""
    with closing(Catalogue.open(path)) as catalogue:
        catalogue.put(products)
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP TABLE price_segments")
        db.execute("DELETE FROM meta WHERE name = 'prices.until'")
        db.execute("UPDATE meta SET value = '4' WHERE name = 'schema_version'")
        db.execute("UPDATE changes SET at = '2024-03-01T12:00:00+00:00'")
        db.commit()


def test_an_older_catalogue_gets_a_first_entry_for_each_product(tmp_path, monkeypatch):
    monkeypatch.setattr(price_rows, "FILL_PRODUCTS", 3)
    path = tmp_path / "catalog.sqlite"
    priced = [replace(MUG, id=f"p{number}", price=Decimal(number), list_price=Decimal(9)) for number in range(7)]
    make_old(path, [*priced, replace(MUG, id="unknown", price=None, in_stock=False)])
    for _ in range(2):
        with closing(Catalogue.open(path)) as catalogue:
            assert dict(catalogue.price_history.of_all()) == {
                **{each.id: (PriceChange(1_709_294_400, each.price, Decimal(9), "EUR"),) for each in priced},
                "unknown": (PriceChange(1_709_294_400, None, None, "EUR", False),),
            }


def test_a_change_during_the_upgrade_records_what_was_before(tmp_path):
    """Another process may change products that the upgrade has not come to."""
    path = tmp_path / "catalog.sqlite"
    make_old(path, [MUG])
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(price_rows.SCHEMA)
        price_rows.record(db, MUG, replace(MUG, price=Decimal(5)))
    before = time.time()
    with closing(Catalogue.open(path)) as catalogue:
        changes = catalogue.price_history.changes("mug")
    assert [change.price for change in changes] == [Decimal("12.90"), Decimal(5)]
    assert all(abs(change.at - before) < 600 for change in changes)


@pytest.fixture
def altered(catalogue, store):
    """Write to the database as no program of ours does."""

    def alter(statement, *values):
        with catalogue._write() as db:
            assert db.execute(store.statement(statement), values).rowcount == 1

    return alter


def test_what_does_not_agree_is_found(catalogue, altered):
    history = catalogue.price_history
    catalogue.put([MUG, replace(MUG, id="cup"), replace(MUG, id="jug"), replace(MUG, id="pot")])
    catalogue.remove(["jug"])
    assert list(history.faults()) == list(history.deep_faults()) == []
    altered("UPDATE products SET price = '3' WHERE id = 'mug'")
    altered("DELETE FROM price_segments WHERE product_id = 'cup'")
    altered("DELETE FROM products WHERE id = 'pot'")
    assert list(history.faults()) == [
        "product 'mug' is at 3 EUR and has a history that ends with 12.90 EUR",
        "product 'cup' is at 12.90 EUR and has no history",
        "product 'pot' is not in the catalogue and has a history that ends with 12.90 EUR",
    ]
    catalogue.put([replace(MUG, price=Decimal(4)), replace(MUG, id="cup", price=Decimal(4)), replace(MUG, id="pot")])
    assert list(history.faults()) == []
    assert [change[1] for change in recorded(catalogue)] == ["12.90", "3", "4"]


def test_a_damaged_part_is_reported_and_the_shop_goes_on(catalogue, altered):
    history = catalogue.price_history
    catalogue.put([MUG, replace(MUG, id="cup")])
    altered("UPDATE price_segments SET changes = ? WHERE product_id = 'mug'", b"\x01\x19")
    assert history.changes("mug") == () and dict(history.of_all())["mug"] == ()
    reported = ["product 'mug': A part of the price history cannot be read."]
    assert list(history.faults()) == list(history.deep_faults()) == reported
    catalogue.put([replace(MUG, price=Decimal(4))])
    assert [change[1] for change in recorded(catalogue)] == ["12.90", "4"]
    assert list(history.faults()) == [] and list(history.deep_faults()) == reported


def test_a_change_that_is_recorded_twice_is_found(catalogue, altered):
    catalogue.put([MUG])
    (change,) = catalogue.price_history.changes("mug")
    altered("UPDATE price_segments SET changes = ?", pack([change, change]))
    assert list(catalogue.price_history.deep_faults()) == ["product 'mug' has one change recorded twice"]
