"""Find the product that a review of a file is about: by id, SKU, handle, address or the id of its variants."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from catalog.product import Product

_NUMBERS = ("sku", "handle", "mpn", "gtin", "barcode", "variant_sku")  # attributes that name one product


class ProductMatcher:
    """Finds products by what files of reviews call them. Upper and lower case are the same.

    An id counts before anything else, then other numbers, handles and addresses, then item groups (the first variant
    has the reviews of the group), then titles that one product alone has.
    """

    def __init__(self, products: Iterable[Product]) -> None:
        self._ids: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._groups: dict[str, str] = {}
        self._titles: dict[str, str] = {}
        for product in products:
            self._ids.setdefault(product.id.casefold(), product.id)
            for name in _names(product):
                self._names.setdefault(name.casefold(), product.id)
            if product.item_group_id:
                self._groups.setdefault(product.item_group_id.casefold(), product.id)
            title = product.title.casefold()
            self._titles[title] = "" if title in self._titles else product.id

    def find(self, called: Iterable[str]) -> str:
        """Return the id of the product that has one of these names, "" where none has."""
        names = [folded for name in called for folded in (name.casefold(), _slug(name).casefold()) if folded]
        for table in (self._ids, self._names, self._groups, self._titles):
            for name in names:
                if product_id := table.get(name, ""):
                    return product_id
        return ""


def _names(product: Product) -> Iterable[str]:
    for attribute in _NUMBERS:
        if value := product.attributes.get(attribute, ""):
            yield value
    if slug := _slug(product.link):
        yield slug


def _slug(address: str) -> str:
    """Return the last part of an address's path, such as "tea-pot" of https://shop.example/products/tea-pot?x=1."""
    if "/" not in address:
        return ""
    return unquote(urlsplit(address).path.rstrip("/").rpartition("/")[2])
