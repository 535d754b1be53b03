"""Columns for programs are told from what shoppers read, by name and by value."""

import pytest

from catalog.technical_attributes import is_technical

TECHNICAL = (
    *("gtin", "GTIN", "mpn", "sku", "EAN13", "custom_label_0", "custom label 4", "shipping", "shipping(country:price)"),
    *("google_product_category", "identifier_exists", "item_group_id", "condition", "mobile_link", "adwords_labels"),
)
READABLE = (
    "colour",
    "size",
    "material",
    "gender",
    "age_group",
    "season",
    "weight",
    "year",
    "made of",
    "pattern",
    "tags",
)


@pytest.mark.parametrize("name", TECHNICAL)
def test_columns_for_programs(name):
    assert is_technical(name)


@pytest.mark.parametrize("name", READABLE)
def test_what_shoppers_read(name):
    assert not is_technical(name, "red")


def test_a_value_decides_where_the_name_does_not():
    assert is_technical("manual", "https://shop.example/manual.pdf")
    assert is_technical("condition", "New") and not is_technical("condition", "refurbished")
