"""Logs of purchases as files."""

import gzip

import numpy as np
import pytest

from catalog.errors import BadFeed
from search.recommend.events.purchase_log import read_events, read_products

PRODUCTS = "id,title,category,brand,price\n7,Milk,Food > Dairy,Maker 1,0.99\n8,Ice,Food,,\n"
EVENTS = (
    "visitor,time,type,product_id,quantity,price\n"
    "b,2017-01-02T00:00:00,purchase,8,2,1.50\n"
    "a,2017-01-01T00:00:00Z,view,7,,\n"
    "a,2017-01-01T00:00:00,purchase,99,1,1\n"
)


@pytest.fixture
def products(tmp_path):
    (tmp_path / "products.csv").write_text(PRODUCTS, encoding="utf-8")
    return read_products(tmp_path / "products.csv")


def test_a_log_is_read(products, tmp_path):
    path = tmp_path / "events.csv.gz"
    path.write_bytes(gzip.compress(EVENTS.encode()))
    events = read_events(path, products)
    assert events.visitor_ids == [b"b", b"a"]
    assert events.products.tolist() == [1, 0]  # of product 99 nothing is known
    assert events.columns.quantities.tolist() == [2, 1]
    assert events.columns.prices[0] == 1.5
    assert np.isnan(events.columns.prices[1])
    assert (events.times % 86_400).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [("01T", "01 noon", 3), ("purchase,8", "steal,8", 2), (",1.50", ",dear", 2), (",1.50", "", 2), ("type", "sort", 1)],
)
def test_a_row_that_is_not_understood_is_named(products, tmp_path, old, new, line):
    path = tmp_path / "events.csv"
    path.write_text(EVENTS.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadFeed, match=f"line {line}"):
        read_events(path, products)


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("p.csv", PRODUCTS.replace("0.99", "12 EUR").encode(), "line 2: the price '12 EUR' is no number"),
        ("p.csv", b"", "line 1: there is no column id"),
        ("p.csv", PRODUCTS.replace("Milk", "K\u00e4se").encode("latin-1"), "cannot be read"),
        ("p.csv.gz", PRODUCTS.encode(), "cannot be read"),
        ("p.csv.gz", gzip.compress(PRODUCTS.encode(), mtime=0)[:-12], "cannot be read"),
    ],
)
def test_products_that_are_not_understood_are_named(tmp_path, name, data, reason):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BadFeed, match=reason):
        read_products(tmp_path / name)
