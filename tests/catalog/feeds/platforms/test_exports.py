"""The same twenty products, exported by platforms, programs and spreadsheets, load to the same twenty products."""

import pytest

from tests.catalog.feed_writer import names, read, write
from tests.catalog.feeds.platforms import export_writers as writers
from tests.catalog.feeds.platforms.twenty_products import draw_pictures, expected, products

EXPORTS = {  # writer: ending of the file, currency, language
    writers.google_xml: ("xml", "EUR", None),
    writers.google_atom: ("xml", "EUR", None),
    writers.google_tsv: ("tsv", "EUR", None),
    writers.json_lines: ("jsonl", "EUR", None),
    writers.shopify: ("csv", "", None),
    writers.shopify_newer: ("csv", "", None),
    writers.shopify_sorted_by_price: ("csv", "", None),
    writers.shopify_saved_by_excel: ("csv", "", "fr"),
    writers.woocommerce: ("csv", "", None),
    writers.woocommerce_german: ("csv", "", None),
    writers.woocommerce_saved_by_excel: ("csv", "", "de"),
    writers.woocommerce_french: ("csv", "", None),
    writers.magento: ("csv", "", None),
    writers.magento_first: ("csv", "", None),
    writers.prestashop: ("csv", "", None),
    writers.prestashop_french: ("csv", "", None),
    writers.excel_german: ("csv", "EUR", "de"),
    writers.excel_french: ("csv", "EUR", "fr"),
    writers.excel_french_older: ("csv", "EUR", "fr"),
    writers.excel_american: ("csv", "USD", "en"),
    writers.excel_chinese: ("csv", "CNY", "zh"),
    writers.excel_russian: ("csv", "RUB", "ru"),
    writers.excel_unicode_text: ("txt", "EUR", None),
    writers.plain_table: ("csv", "EUR", None),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("shop")
    draw_pictures(made)
    return made


def loaded(product):
    """What is compared of a product that was read."""
    attributes = product.attributes
    return {
        "id": product.id,
        "title": product.title,
        "category": product.category_path,
        "price": product.price,
        "list_price": product.list_price,
        "in_stock": product.in_stock,
        "brand": product.brand,
        "description": product.description,
        "pictures": names(product),
        "colour": attributes.get("colour") or attributes.get("color"),
        "material": attributes.get("material"),
        "sizes": set(filter(None, attributes.get("size", "").split(", "))),
    }


@pytest.mark.parametrize("writer", EXPORTS, ids=lambda writer: writer.__name__)
def test_an_export_loads_to_the_twenty_products(folder, writer):
    ending, currency, language = EXPORTS[writer]
    entries, rejected = read(write(folder, writer(), f"{writer.__name__}.{ending}"))
    assert rejected == []
    found = {product.id: product for product in entries}
    assert len(entries) == len(found) == 20
    for product in products(language):
        assert loaded(found[product.id]) == expected(product)
        assert found[product.id].currency == currency
