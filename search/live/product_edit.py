"""Validate an edit of one product and apply it: a field that is left out stays as it was, pictures too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from catalog.errors import BadQuery
from catalog.feeds.field_mapping import MAX_ID, checked_id, clean_category, clean_group, clean_title
from catalog.feeds.stock_words import parse_availability
from catalog.money.amounts import number_text
from catalog.money.prices import parse_price
from catalog.product import Picture, Product, reduced_from
from catalog.text.html import description_text, field_text
from catalog.text.strings import SURROGATES
from catalog.web_links import MAX_LINK, read_link

EDITABLE_FIELDS = (
    *("title", "category", "price", "list_price", "currency", "in_stock", "brand", "attributes", "description"),
    *("link", "item_group_id"),
)
MAX_TEXT = {"category": 1_000, "brand": 500, "description": 50_000, "link": MAX_LINK, "item_group_id": MAX_ID}
MAX_ATTRIBUTES = 200
MAX_ATTRIBUTE = 2_000  # characters


@dataclass(frozen=True, slots=True)
class ProductEdit:
    """Validated fields to set by name, and pictures that replace all pictures; None leaves the pictures.

    A picture is the bytes of a file, or a `Picture` whose file is in the shop's home already.
    `price_text` is a price that names no currency: the product's own currency says how to read it, and so the list
    price of `list_price_text`, "" for none; None leaves it. The product need not exist yet. Make it with `edit_of`.
    """

    product_id: str
    fields: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    pictures: Sequence[bytes | Picture] | None = None
    price_text: str = ""
    list_price_text: str | None = None

    def applied(self, existing: Product | None, pictures: tuple[Picture, ...] | None) -> Product:
        """Return the product after the edit.

        Raises BadQuery when a new one would lack its title or a picture, BadRow when its price is in another currency.
        """
        unchanged = () if existing is None else (*EDITABLE_FIELDS, "pictures", "origin")
        after = {name: getattr(existing, name) for name in unchanged} | dict(self.fields)
        if pictures is not None:
            after["pictures"] = pictures
        if self.price_text and after.get("currency"):
            after["price"], _ = parse_price(self.price_text, after["currency"])
        if self.list_price_text is not None:
            after["list_price"], _ = parse_price(self.list_price_text, after.get("currency", ""))
        after["list_price"] = reduced_from(after.get("price"), after.get("list_price"))
        lacking = [name for name in ("title", "pictures") if not after.get(name)]
        if lacking:
            message = f"The product {self.product_id[:100]!r} would have no {' and no '.join(lacking)}."
            raise BadQuery(message, "A product that is new needs a title and at least one picture.")
        return Product(self.product_id, **after)


@dataclass(frozen=True, slots=True)
class Written:
    """Result of `put`: the product as it is now, whether it is new, and whether it was equal already."""

    product: Product
    created: bool
    unchanged: bool = False


def edit_of(
    product_id: str, values: Mapping[str, object], pictures: Sequence[bytes | Picture] | None = None
) -> ProductEdit:
    """Validate values as JSON or a form holds them. Raises BadQuery naming the field, or BadRow."""
    unknown = [name for name in values if name not in EDITABLE_FIELDS]
    if unknown:
        names = ", ".join(repr(name[:60]) for name in unknown[:5])
        raise BadQuery(
            f"A product has no field {names}.", f"The fields are {', '.join((*EDITABLE_FIELDS, 'pictures'))}."
        )
    texts = ("title", "category", "brand", "description", "link", "item_group_id")
    fields: dict[str, Any] = {name: _text(values, name) for name in texts if name in values}
    if "title" in fields:
        fields["title"] = clean_title(fields["title"])
        if not fields["title"]:
            raise BadQuery("title is blank.", "Give the product a name.")
    if "category" in fields:
        fields["category"] = clean_category(fields["category"])
    if "brand" in fields:
        fields["brand"] = field_text(fields["brand"])
    if "description" in fields:
        fields["description"] = description_text(fields["description"])
    if "link" in fields:
        fields["link"] = _link(fields["link"])
    if "item_group_id" in fields:
        fields["item_group_id"] = clean_group(fields["item_group_id"])
    if "in_stock" in values:
        fields["in_stock"] = _in_stock(values["in_stock"])
    if "attributes" in values:
        fields["attributes"] = _attributes(values["attributes"])
    price_text = _price_text(values, "price")
    list_price_text = _price_text(values, "list_price") if "list_price" in values else None
    parse_price(list_price_text or "")
    fields.update(_price(values, price_text))
    read_later = price_text if "currency" not in fields else ""
    return ProductEdit(checked_id(product_id), MappingProxyType(fields), pictures, read_later, list_price_text)


def _text(values: Mapping[str, object], name: str) -> str:
    value = values[name]
    if not isinstance(value, str):
        raise BadQuery(f"{name} is {value!r:.60}, which is not a string.", f'For example {{"{name}": "..."}}.')
    if len(value) > MAX_TEXT.get(name, len(value)):
        raise BadQuery(f"{name} has {len(value):,} characters; the limit is {MAX_TEXT[name]:,}.", "Shorten it.")
    return SURROGATES.sub("", value.replace("\x00", "")).strip()


def _link(text: str) -> str:
    """Return the address, "" for none. Raises BadQuery."""
    link, fault = read_link(text) if text else ("", "")
    if fault:
        raise BadQuery(f"link is {text[:60]!r}: {fault}.", 'For example "https://shop.example/p/mug-1".')
    return link


def _price_text(values: Mapping[str, object], name: str) -> str:
    value = values.get(name, "")
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadQuery(f"{name} is {value!r:.60}, which is not an amount.", 'For example "12.90".')
    return value.strip() if isinstance(value, str) else number_text(value)


def _price(values: Mapping[str, object], price_text: str) -> dict[str, Any]:
    currency = _text(values, "currency") if "currency" in values else ""
    if "price" not in values:
        return {"currency": parse_price("", currency)[1]} if currency else {}
    amount, currency = parse_price(price_text, currency)
    return {"price": amount} | ({"currency": currency} if currency else {})


def _in_stock(value: object) -> bool:
    """Return whether a product is in stock by a boolean, a count, or a word as feeds have it. Raises BadQuery."""
    if isinstance(value, bool | int | float):
        return value > 0
    in_stock = parse_availability(value) if isinstance(value, str) else None
    if in_stock is None:
        problem = f"in_stock is {value!r:.60}, which is neither in stock nor out of stock."
        raise BadQuery(problem, "Send true or false, a count, or a word such as backorder.")
    return in_stock


def _attributes(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict) or len(value) > MAX_ATTRIBUTES:
        message = f"attributes is {value!r:.60}, which is not an object of at most {MAX_ATTRIBUTES} names."
        raise BadQuery(message, 'For example {"colour": "navy"}.')
    attributes = {}
    for name, content in value.items():
        if isinstance(content, bool) or not isinstance(content, str | int | float) or len(str(content)) > MAX_ATTRIBUTE:
            message = f"The attribute {name[:60]!r} is {content!r:.60}, which is not a word or a number."
            raise BadQuery(message, f"Send at most {MAX_ATTRIBUTE:,} characters.")
        attributes[SURROGATES.sub("", name)[:MAX_ATTRIBUTE]] = field_text(SURROGATES.sub("", str(content)))
    return MappingProxyType(attributes)
