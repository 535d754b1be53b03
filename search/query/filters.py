"""Filters: a small immutable tree of conditions, and the JSON that it is read from and written to.

    {"category": "Apparel > Topwear", "brand": ["Puma", "Nike"], "price": {"min": 10, "max": 50, "currency": "EUR"},
     "in_stock": true, "on_sale": true, "colour": "Red", "base_colour": ["navy"], "id": ["a", "b"],
     "attributes": {"gender": ["Men"], "year": {"min": 2012}},
     "not": {"brand": "Acme"}, "any": [{"colour": "Red"}, {"price": {"max": 5}}]}

All fields of one object must hold; the values of one field are alternatives, and so are the objects of `any`. Texts
are compared without case, width and spaces, ids exactly; a category includes all below it. Where a feed gives a product
several values ("S, M, L"), each of them counts. A base colour is one of those that a colour lists, or what it is a
shade of: "navy" passes "ivory and navy", "blue" passes "sky blue". A value that no product has is no error: no product
passes.
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catalog.errors import BadQuery
from catalog.product import CATEGORY_SEPARATOR
from indexer.columns.fields import ATTRIBUTE as ATTRIBUTE
from indexer.columns.fields import BRAND as BRAND
from indexer.columns.fields import CATEGORY as CATEGORY
from indexer.columns.fields import COLOUR as COLOUR
from indexer.columns.fields import COLOUR_NAMES
from indexer.columns.fields import MAX_VALUE as MAX_VALUE
from indexer.columns.fields import attribute_field as attribute_field
from indexer.columns.fields import folded as folded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from indexer.types import Mask

MAX_DEPTH = 8
MAX_PARTS = 1_000  # conditions and values together
MAX_JSON = 256_000  # characters

PRICE, IN_STOCK, ID = "price", "in_stock", "id"
BASE_COLOUR, ON_SALE = "base_colour", "on_sale"
ATTRIBUTES, NOT, ANY = "attributes", "not", "any"
FILTER_FIELDS = (CATEGORY, BRAND, PRICE, IN_STOCK, ON_SALE, COLOUR, BASE_COLOUR, ATTRIBUTES, ID, NOT, ANY)
_BOUNDS = ("min", "max")


@dataclass(frozen=True, slots=True)
class OneOf:
    """The field has one of these values."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """The field is a number from `minimum` to `maximum`, both included; a price is in `currency`, if that is given."""

    field: str
    minimum: float | None = None
    maximum: float | None = None
    currency: str = ""

    def includes(self, numbers: NDArray[np.float64]) -> Mask:
        """Return the mask (n,) of the numbers within the bounds, whatever the currency; nan never is."""
        low = -math.inf if self.minimum is None else self.minimum
        high = math.inf if self.maximum is None else self.maximum
        return (numbers >= low) & (numbers <= high)

    def to_json(self) -> dict[str, Any]:
        """Return the bounds as JSON values."""
        values = {"min": self.minimum, "max": self.maximum, "currency": self.currency or None}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class InStock:
    """The product is in stock, or is not."""

    in_stock: bool
    field: str = IN_STOCK


@dataclass(frozen=True, slots=True)
class OnSale:
    """The product costs less than its list price, or does not."""

    on_sale: bool
    field: str = ON_SALE


@dataclass(frozen=True, slots=True)
class Not:
    """The filter does not hold."""

    filter: Filter
    field: str = NOT


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of the filters holds."""

    filters: tuple[Filter, ...]
    field: str = ANY


Condition = OneOf | Between | InStock | OnSale | Not | AnyOf


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions that must all hold, at most one per field; without any, everything passes. See `parse_filter`."""

    conditions: tuple[Condition, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the filter as JSON values, from which `parse_filter` makes an equal one."""
        values: dict[str, Any] = {}
        for condition in self.conditions:
            into, name = values, condition.field
            is_range = name == COLOUR and isinstance(condition, Between)  # only attributes may have a range
            if name.startswith(ATTRIBUTE) or is_range:
                into, name = values.setdefault(ATTRIBUTES, {}), name.removeprefix(ATTRIBUTE)
            into[name] = _condition_json(condition)
        return values

    def without(self, field: str) -> Filter:
        """Return this filter without its own condition on a field; conditions within `not` and `any` stay."""
        return Filter(tuple(condition for condition in self.conditions if condition.field != field))

    def on(self, field: str) -> Condition | None:
        """Return the condition on a field ("brand", "attributes.gender"), or None."""
        return next((condition for condition in self.conditions if condition.field == field), None)


def parse_filter(value: object) -> Filter:
    """Parse a filter from JSON values. Raises BadQuery, which names the field and what it may be."""
    return _Parser().filter(value, "filter", 1)


def read_filter(text: str) -> Filter:
    """Parse a filter from a JSON text. Raises BadQuery."""
    if len(text) > MAX_JSON:
        raise BadQuery(f"The filter has {len(text):,} characters; the limit is {MAX_JSON:,}.", "Use fewer values.")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise BadQuery("The filter is not valid JSON.", 'For example {"brand": ["Puma"]}.') from None
    return parse_filter(value)


def tidy_path(category: str) -> str:
    """Normalise a category path: "Apparel>Topwear " -> "Apparel > Topwear"; "" when it has no names."""
    return CATEGORY_SEPARATOR.join(part for part in (" ".join(part.split()) for part in category.split(">")) if part)


def _condition_json(condition: Condition) -> Any:
    match condition:
        case OneOf(values=values):
            return list(values)
        case InStock(in_stock=in_stock):
            return in_stock
        case OnSale(on_sale=on_sale):
            return on_sale
        case Not(filter=inner):
            return inner.to_json()
        case AnyOf(filters=filters):
            return [inner.to_json() for inner in filters]
    return condition.to_json()


class _Parser:
    """Parses one filter and counts its parts, so that the work is bounded however large the input."""

    def __init__(self) -> None:
        self._parts = 0

    def filter(self, value: object, where: str, depth: int) -> Filter:
        if depth > MAX_DEPTH:
            raise BadQuery(f"The filter is nested more than {MAX_DEPTH} deep.", "Use fewer `not` and `any`.")
        conditions: list[Condition] = []
        for name, content in self._object(value, where, f"with fields among {', '.join(FILTER_FIELDS)}").items():
            conditions += self._conditions(name, content, f"{where}.{name}", depth)
        field, count = Counter(condition.field for condition in conditions).most_common(1)[0] if conditions else ("", 0)
        if count > 1:
            raise BadQuery(f"{where} has {field[:40]!r} more than once.", "Give all its values in one list.")
        return Filter(tuple(conditions))

    def _conditions(self, name: str, content: object, where: str, depth: int) -> list[Condition]:
        if name == ATTRIBUTES:
            attributes = self._object(content, where, "of attributes and their values")
            return [self._attribute(key, value, f"{where}.{key[:40]}") for key, value in attributes.items()]
        if name == NOT:
            return [Not(self.filter(content, where, depth + 1))]
        if name == ANY:
            alternatives = self._list(content, where, "a list of filters")
            return [AnyOf(tuple(self.filter(item, f"{where}[{i}]", depth + 1) for i, item in enumerate(alternatives)))]
        if name == PRICE:
            return [self._between(PRICE, content, where, (*_BOUNDS, "currency"))]
        if name in (IN_STOCK, ON_SALE):
            if not isinstance(content, bool):
                raise _wrong(where, "true or false", content)
            return [InStock(content) if name == IN_STOCK else OnSale(content)]
        if name in (CATEGORY, BRAND, BASE_COLOUR, ID):
            return [self._one_of(name, content, where)]
        if name in COLOUR_NAMES:
            return [self._one_of(COLOUR, content, where)]
        raise BadQuery(
            f"There is no field {name[:40]!r} to filter by.",
            f"Use {', '.join(FILTER_FIELDS)}; other columns of the feed go in attributes.",
        )

    def _attribute(self, name: str, content: object, where: str) -> Condition:
        if not folded(name) or len(name) > MAX_VALUE:
            raise BadQuery(f"{where[:80]} is not the name of an attribute.", 'For example {"gender": ["Men"]}.')
        make = self._between if isinstance(content, dict) else self._one_of
        return make(attribute_field(name), content, where)

    def _one_of(self, field: str, content: object, where: str) -> OneOf:
        items = [content] if isinstance(content, str) else self._list(content, where, "a text or a list of texts")
        values: dict[str, str] = {}
        for item in items:
            if not isinstance(item, str):
                raise _wrong(where, "a text or a list of texts", item)
            if len(item) > MAX_VALUE:
                raise BadQuery(f"{where} has a value of {len(item):,} characters.", f"The limit is {MAX_VALUE}.")
            tidy = item if field == ID else tidy_path(item) if field == CATEGORY else " ".join(item.split())
            key = item if field == ID else folded(tidy)
            if not key.strip():
                raise BadQuery(f"{where} has a blank value.", "Leave it out.")
            values.setdefault(key, tidy)
        return OneOf(field, tuple(values.values()))

    def _between(self, field: str, content: object, where: str, names: tuple[str, ...] = _BOUNDS) -> Between:
        bounds = self._object(content, where, f"with {' or '.join(_BOUNDS)}, like {{'min': 10, 'max': 50}}")
        if unknown := [name for name in bounds if name not in names]:
            raise BadQuery(f"{where} has no {unknown[0][:40]!r}.", f"It may have {', '.join(names)}.")
        minimum, maximum = (_number(bounds.get(name), f"{where}.{name}") for name in _BOUNDS)
        currency = bounds.get("currency", "")
        if not isinstance(currency, str) or len(currency) > 10:
            raise _wrong(f"{where}.currency", 'a code like "EUR"', currency)
        if minimum is None and maximum is None and not currency:
            raise BadQuery(f"{where} is empty.", f"Give it {' or '.join(names)}.")
        if minimum is not None and maximum is not None and minimum > maximum:
            raise BadQuery(f"{where} goes from {minimum:g} to {maximum:g}.", "Exchange min and max.")
        return Between(field, minimum, maximum, currency.strip().upper())

    def _object(self, value: object, where: str, expected: str) -> dict[str, object]:
        if not isinstance(value, dict):
            raise _wrong(where, f"an object {expected}", value)
        self._count(len(value))
        if not all(isinstance(name, str) for name in value):
            raise BadQuery(f"{where} has a name that is no text.", "Use texts as names.")
        return value

    def _list(self, value: object, where: str, expected: str) -> list[object]:
        if not isinstance(value, list | tuple) or not value:
            raise _wrong(where, expected, value)
        self._count(len(value))
        return list(value)

    def _count(self, parts: int) -> None:
        self._parts += parts
        if self._parts > MAX_PARTS:
            raise BadQuery(f"The filter has more than {MAX_PARTS:,} conditions and values.", "Use fewer values.")


def _number(value: object, where: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(where, "a number", value)
    if not abs(value) <= sys.float_info.max:  # nan, infinity, or an integer beyond them
        raise BadQuery(f"{where} is not a finite number.", "Leave a bound out to have none.")
    return float(value)


def _wrong(where: str, expected: str, value: object) -> BadQuery:
    kind = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    got = "an empty list" if value == [] else kind.get(type(value), "a number")
    return BadQuery(f"{where[:80]} is {got}; it must be {expected}.")
