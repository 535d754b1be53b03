"""Write a filter as a line that people type: `brand=Puma|Nike; price=10..50 EUR; in_stock=yes; gender=Men`.

Fields are divided by ";", the values of one field by "|"; all fields must hold. A field that is no product field is an
attribute. A line that begins with "{" is the JSON of `search.query.filters`, which has `not` and `any` too.
"""

from __future__ import annotations

import json
import re
from typing import Any

from catalog.errors import BadQuery
from search.query.filters import (
    ATTRIBUTES,
    BASE_COLOUR,
    COLOUR,
    ID,
    IN_STOCK,
    ON_SALE,
    PRICE,
    Filter,
    parse_filter,
    read_filter,
)

MAX_FILTER_TEXT = 4_000  # characters
_FIELDS = ("category", "brand", COLOUR, "color", BASE_COLOUR, ID)
_YES_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_RANGE = re.compile(r"(?P<min>\d+(?:\.\d+)?)?\s*\.\.\s*(?P<max>\d+(?:\.\d+)?)?(?:\s+(?P<currency>[A-Za-z]{3}))?")
_EXAMPLE = "For example brand=Puma|Nike; price=10..50; in_stock=yes; or a filter in JSON."


def parse_filter_text(text: str) -> Filter:
    """Return the filter of a line, which must hold a condition. Raises BadQuery."""
    text = text.strip()
    if len(text) > MAX_FILTER_TEXT:
        raise BadQuery(f"The filter has {len(text):,} characters; the limit is {MAX_FILTER_TEXT:,}.", "Shorten it.")
    found = read_filter(text) if text.startswith("{") else parse_filter(_fields(text))
    if not found.conditions:
        raise BadQuery("The filter is empty, so it would concern every product.", _EXAMPLE)
    return found


def filter_text(filter: Filter) -> str:
    """Return the line of a filter; its JSON where the line would not be read as the same filter."""
    values = filter.to_json()
    line = "; ".join(f"{name}={_value_text(value)}" for name, value in _flat(values))
    try:
        if parse_filter_text(line) == filter:
            return line
    except BadQuery:
        pass  # a name or a value has one of the characters that divide the line
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def _fields(text: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    for part in filter(None, map(str.strip, text.split(";"))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not name or not value:
            raise BadQuery(f"The part {part[:60]!r} of the filter is not FIELD=VALUE.", _EXAMPLE)
        into = fields if name in (*_FIELDS, IN_STOCK, ON_SALE, PRICE) else attributes
        if name in into:
            raise BadQuery(f"The filter has {name[:40]!r} twice.", "Put | between the values of one field.")
        into[name] = _value(name, value)
    return fields | ({ATTRIBUTES: attributes} if attributes else {})


def _value(name: str, text: str) -> Any:
    if name in (IN_STOCK, ON_SALE):
        if text.lower() not in _YES_NO:
            raise BadQuery(f"{name} is {text[:40]!r}.", f"Write {name}=yes or {name}=no.")
        return _YES_NO[text.lower()]
    found = None if name in _FIELDS else _RANGE.fullmatch(text)
    if found is not None:
        bounds = {bound: float(found[bound]) for bound in ("min", "max") if found[bound]}
        return bounds | ({"currency": found["currency"]} if found["currency"] else {})
    if name == PRICE:
        raise BadQuery(f"price is {text[:40]!r}.", "Write a range: price=10..50, price=..20 or price=10..50 EUR.")
    return [value.strip() for value in text.split("|") if value.strip()]


def _flat(values: dict[str, Any]) -> list[tuple[str, Any]]:
    pairs = [(name, value) for name, value in values.items() if name != ATTRIBUTES]
    return pairs + list(values.get(ATTRIBUTES, {}).items())


def _value_text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        low, high = ("" if value.get(bound) is None else f"{value[bound]:g}" for bound in ("min", "max"))
        return f"{low}..{high} {value.get('currency', '')}".strip()
    return "|".join(map(str, value))
