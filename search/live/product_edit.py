"""A change to one product: what is given is set, what is left out stays as it was, pictures too."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from catalog.errors import BadQuery, BadRow
from catalog.feeds.field_mapping import CONTROLS, MAX_TITLE, checked_id
from catalog.feeds.prices import parse_price
from catalog.product import CATEGORY_SEPARATOR, Picture, Product

FIELDS = ("title", "category", "price", "currency", "in_stock", "brand", "attributes", "description")
MAX_TEXT = {"category": 1_000, "brand": 500, "description": 50_000}
MAX_ATTRIBUTES = 200
MAX_ATTRIBUTE = 2_000
_YES, _NO = ("true", "yes", "1", "in_stock"), ("false", "no", "0", "out_of_stock")
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class ProductEdit:
    """What to do to the product with that id, which need not be there yet; `pictures` are files, None keeps them.

    `fields` holds checked values by name; make it with `edit_of`.
    """

    product_id: str
    fields: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    pictures: Sequence[bytes] | None = None

    def applied(self, existing: Product | None, pictures: tuple[Picture, ...] | None) -> Product:
        """The product after the edit. Raises BadQuery when a new one would lack its title or a picture."""
        before: dict[str, Any] = {}
        if existing is not None:
            before = {name: getattr(existing, name) for name in (*FIELDS, "pictures", "origin")}
        after = before | dict(self.fields) | ({} if pictures is None else {"pictures": pictures})
        lacking = [name for name in ("title", "pictures") if not after.get(name)]
        if lacking:
            raise BadQuery(
                f"The product {self.product_id[:100]!r} would have no {' and no '.join(lacking)}.",
                "A product that is new needs a title and at least one picture.",
            )
        return Product(self.product_id, **after)


def edit_of(product_id: str, given: Mapping[str, object], pictures: Sequence[bytes] | None = None) -> ProductEdit:
    """Check the given values, as JSON or a form have them. Raises BadQuery naming the field, or BadRow."""
    unknown = [name for name in given if name not in FIELDS]
    if unknown:
        shown = ", ".join(repr(name[:60]) for name in unknown[:5])
        raise BadQuery(f"A product has no field {shown}.", f"The fields are {', '.join((*FIELDS, 'pictures'))}.")
    fields: dict[str, Any] = {}
    if "title" in given:
        fields["title"] = _title(_text(given, "title"))
    if "category" in given:
        parts = (part.strip() for part in _text(given, "category").split(CATEGORY_SEPARATOR.strip()))
        fields["category"] = CATEGORY_SEPARATOR.join(part for part in parts if part)
    for name in ("brand", "description"):
        if name in given:
            fields[name] = _text(given, name)
    if "in_stock" in given:
        fields["in_stock"] = _in_stock(given["in_stock"])
    if "attributes" in given:
        fields["attributes"] = _attributes(given["attributes"])
    fields.update(_price(given))
    return ProductEdit(checked_id(product_id), MappingProxyType(fields), pictures)


def _title(text: str) -> str:
    title = " ".join(CONTROLS.sub(" ", text).split())
    if not title:
        raise BadQuery("title is blank.", "Give the product a name.")
    if len(title) > MAX_TITLE:
        raise BadRow(f"the title is longer than {MAX_TITLE:,} characters")
    return title


def _text(given: Mapping[str, object], name: str) -> str:
    value = given[name]
    if not isinstance(value, str):
        raise BadQuery(f"{name} is {_shown(value)}, which is not a string.", f'For example {{"{name}": "..."}}.')
    if len(value) > MAX_TEXT.get(name, len(value)):
        raise BadQuery(f"{name} has {len(value):,} characters; the limit is {MAX_TEXT[name]:,}.", "Shorten it.")
    return _SURROGATES.sub("", value.replace("\x00", "")).strip()


def _price(given: Mapping[str, object]) -> dict[str, Any]:
    currency = _text(given, "currency") if "currency" in given else ""
    if "price" not in given:
        return {"currency": parse_price("", currency)[1]} if currency else {}
    value = given["price"]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadQuery(f"price is {_shown(value)}, which is not an amount.", 'For example "12.90".')
    amount: Decimal | None
    amount, own = parse_price(str(value).strip(), currency)
    return {"price": amount} | ({"currency": own} if own else {})


def _in_stock(value: object) -> bool:
    word = value.strip().lower() if isinstance(value, str) else value
    if word is True or word in _YES:
        return True
    if word is False or word in _NO:
        return False
    raise BadQuery(f"in_stock is {_shown(value)}, which is neither true nor false.", "Send true or false.")


def _attributes(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict) or len(value) > MAX_ATTRIBUTES:
        raise BadQuery(
            f"attributes is {_shown(value)}, which is not an object of at most {MAX_ATTRIBUTES} names.",
            'For example {"colour": "navy"}.',
        )
    made = {}
    for name, each in value.items():
        if isinstance(each, bool) or not isinstance(each, str | int | float) or len(str(each)) > MAX_ATTRIBUTE:
            raise BadQuery(
                f"The attribute {name[:60]!r} is {_shown(each)}, which is not a word or a number.",
                f"Send at most {MAX_ATTRIBUTE:,} characters.",
            )
        made[_SURROGATES.sub("", name)[:MAX_ATTRIBUTE]] = _SURROGATES.sub("", str(each))
    return MappingProxyType(made)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
