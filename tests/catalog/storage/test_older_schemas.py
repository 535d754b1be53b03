"""A catalogue of an older version opens as it is, and its products are those that the next import of their feed has."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from decimal import Decimal

import pytest

from catalog.product import Picture, Product
from catalog.storage.catalogue import Catalogue
from catalog.storage.connections import SCHEMA_VERSION

MUG = Product("m", "Mug", (Picture("/m.png", "aa", 1, 1),), price=Decimal("9.73"), currency="EUR")
OLD_ATTRIBUTES = {
    "colour": "red",
    "link": "https://shop.example/m",
    "list_price": "13.90 EUR",
    "item_group_id": "mugs-7",
}


def make_old(path, *products):
    """A catalogue as the second schema had it: without the columns that the third added."""
    with closing(Catalogue.open(path)) as catalogue:
        catalogue.put(products)
    with closing(sqlite3.connect(path)) as db:
        for column in ("link", "list_price", "item_group_id"):
            db.execute(f"ALTER TABLE products DROP COLUMN {column}")
        db.execute("UPDATE meta SET value = '2' WHERE name = 'schema_version'")
        db.commit()


@pytest.mark.promise("R10")
def test_what_were_attributes_are_fields_afterwards(tmp_path):
    path = tmp_path / "catalog.sqlite"
    plain = replace(MUG, id="p", attributes={"note": 'its "link": none'})
    make_old(path, replace(MUG, attributes=OLD_ATTRIBUTES), plain)
    fields = {"link": "https://shop.example/m", "list_price": Decimal("13.90"), "item_group_id": "mugs-7"}
    mug = replace(MUG, **fields, attributes={"colour": "red"})
    for _ in range(2):
        with closing(Catalogue.open(path)) as catalogue:
            assert [product for _, product in catalogue.iterate()] == [mug, plain]
            assert catalogue.seq == 2
            with catalogue.words() as words:
                assert words.postings(("mugs7",), "code") == "1"
                assert not words.known(("13.9",))
    with closing(Catalogue.open(path)) as catalogue:
        catalogue.put([mug])  # as the next import of its feed has it
        assert catalogue.seq == 2
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT value FROM meta WHERE name = 'schema_version'").fetchone() == (str(SCHEMA_VERSION),)


@pytest.mark.parametrize(
    ("attributes", "fields"),
    [
        ({"link": "javascript:alert(1)"}, {"link": ""}),
        ({"list_price": "9.73 EUR"}, {"list_price": None}),
        ({"list_price": "13.90 USD"}, {"list_price": None}),
        ({"list_price": "by hand"}, {"list_price": None}),
    ],
)
def test_what_is_no_link_and_no_sale_is_left_out(tmp_path, attributes, fields):
    make_old(tmp_path / "catalog.sqlite", replace(MUG, attributes=attributes))
    with closing(Catalogue.open(tmp_path / "catalog.sqlite")) as catalogue:
        product = catalogue.get("m")
    assert {name: getattr(product, name) for name in fields} == fields
    assert dict(product.attributes) == {}
