"""An order as a customer may see it, and how its parts are read from what a shop's system gives."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from catalog.text.labelled_csv import read_labelled_csv
from catalog.web_links import is_link

MAX_NUMBER, MAX_FIELD, MAX_ITEMS = 60, 200, 50  # characters of a number and of a field, items of an order
FIELDS = ("status", "carrier", "tracking", "tracking_url", "shipped_at", "expected_at", "items")
_BETWEEN_ITEMS = re.compile(r"\s*[;|\n]\s*")
_STATUSES = Path(__file__).with_name("statuses.csv")


@dataclass(frozen=True, slots=True)
class OrderStatus:
    """Where an order is. `code` is a known state, "" where the shop's own word `status` is none of the table's.

    Dates are YYYY-MM-DD where they could be read, else as the shop writes them; "" is what the shop did not say.
    """

    number: str
    code: str
    status: str
    carrier: str = ""
    tracking: str = ""
    tracking_url: str = ""
    shipped_at: str = ""
    expected_at: str = ""
    items: tuple[str, ...] = ()

    @classmethod
    def read(cls, number: str, fields: Mapping[str, str]) -> OrderStatus:
        """Return the order of a shop's fields, each as plain text; what is no web address is no link."""
        text = {name: _plain(fields.get(name, "")) for name in FIELDS if name != "items"}
        link = fields.get("tracking_url", "").strip()
        items = [_plain(item) for item in _BETWEEN_ITEMS.split(fields.get("items", "")[: MAX_FIELD * MAX_ITEMS])]
        return cls(
            number,
            status_code(text["status"]),
            text["status"],
            text["carrier"],
            text["tracking"],
            link if is_link(link) else "",
            _day(text["shipped_at"]),
            _day(text["expected_at"]),
            tuple(item for item in items if item)[:MAX_ITEMS],
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the order as JSON values, without what the shop did not say."""
        return {name: [*value] if name == "items" else value for name, value in asdict(self).items() if value}


def order_number(text: str) -> str:
    """Return a number as numbers are compared: wide characters as usual ones, in capitals, without blanks and "#"."""
    folded = unicodedata.normalize("NFKC", text[: MAX_NUMBER * 4]).upper()
    return "".join(folded.split()).lstrip("#").strip(".,;:!?。，！？")[:MAX_NUMBER]


def status_code(status: str) -> str:
    """Return the code of a shop's word for a state, "" for an unknown one."""
    words = " ".join(status.casefold().replace("_", " ").split())
    return _codes().get(words, "")


def joined(orders: Sequence[OrderStatus]) -> OrderStatus:
    """Return one order of several rows, which have an item each: the last row's state, the items of all."""
    last = orders[-1]
    items = tuple(dict.fromkeys(item for order in orders for item in order.items))
    return OrderStatus(**{**{name: getattr(last, name) for name in OrderStatus.__slots__}, "items": items[:MAX_ITEMS]})


@cache
def _codes() -> Mapping[str, str]:
    rows = read_labelled_csv(_STATUSES, ("code", "word"), exact=True)
    words = {row.values["word"].casefold(): row.values["code"] for row in rows}
    return words | {row.values["code"].replace("_", " "): row.values["code"] for row in rows}


def _plain(text: str) -> str:
    """Return a text on one line, without characters that steer a terminal or reverse the text, cut to MAX_FIELD."""
    line = " ".join(text[: MAX_FIELD * 2].split())
    return "".join(letter for letter in line if letter.isprintable())[:MAX_FIELD]


def _day(text: str) -> str:
    try:
        return datetime.fromisoformat(text).date().isoformat()
    except ValueError:
        return text
