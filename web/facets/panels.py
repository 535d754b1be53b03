"""The panels beside the results: each facet's values, and the filter that a click on a value leads to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catalog.product import CATEGORY_SEPARATOR
from search.query.filters import (
    ATTRIBUTE,
    ATTRIBUTES,
    BASE_COLOUR,
    BRAND,
    CATEGORY,
    COLOUR,
    IN_STOCK,
    ON_SALE,
    PRICE,
    folded,
)
from web.facets.colours import colour_label, swatch
from web.i18n.language import field_label, t, value_label
from web.i18n.money import amount_to_type, currency_symbol, range_label
from web.requests.page_request import compact_json

if TYPE_CHECKING:
    from search.hits import Facet, FacetValue

OPEN_FACETS = (CATEGORY, PRICE, BRAND, BASE_COLOUR, COLOUR, IN_STOCK, ON_SALE)  # shown unfolded
SINGLE_CHOICE = (PRICE, IN_STOCK, ON_SALE)  # facets of which one value is selected at a time
VISIBLE_VALUES = 8  # values of a facet that are shown unfolded; the rest is under "more"
LONG_LIST = 12  # values from which a list can be searched


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of a facet: its label, its count, whether it is selected, and the filter (JSON) after a click on it.

    `swatch` has the colours (hex) of a colour's swatch, none where they are not known.
    """

    label: str
    count: int
    selected: bool
    filter: str
    depth: int = 0
    swatch: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PriceBoxes:
    """The boxes for a price range: what was chosen, the lowest and highest price as hints, and the currency.

    `filter_currency` is sent with the range; it is empty in a shop of one currency.
    """

    least: str = ""
    most: str = ""
    lowest: str = ""
    highest: str = ""
    currency: str = ""
    filter_currency: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A facet with its values."""

    name: str
    label: str
    choices: tuple[Choice, ...]
    others: int
    open: bool
    prices: PriceBoxes | None = None

    @property
    def single(self) -> bool:
        """Whether one value is selected at a time."""
        return self.name in SINGLE_CHOICE

    @property
    def long(self) -> bool:
        """Whether the list is long enough to be searched."""
        return len(self.choices) >= LONG_LIST

    @property
    def colours(self) -> bool:
        """Whether the values are colours with swatches."""
        return any(choice.swatch for choice in self.choices)

    @property
    def first(self) -> tuple[Choice, ...]:
        """Return the choices that are visible at once: the first ones, and those that are selected."""
        if self.name != CATEGORY:
            return self.choices[:VISIBLE_VALUES] + tuple(c for c in self.choices[VISIBLE_VALUES:] if c.selected)
        last = max((place for place, choice in enumerate(self.choices, 1) if choice.selected), default=0)
        return self.choices[: max(VISIBLE_VALUES, last)]

    @property
    def rest(self) -> tuple[Choice, ...]:
        """Return the choices folded under "more"."""
        shown = set(self.first)
        return tuple(choice for choice in self.choices if choice not in shown)


def facet_panel(facet: Facet, own: Mapping[str, Any], active: Mapping[str, Any]) -> Panel:
    """Return the panel of a facet.

    `own` is the filter (JSON values) that was chosen, which a click changes; `active` has the limits of the words too.
    """
    offered = [value for value in facet.values if facet.name != ON_SALE or value.value or value.selected]
    choices = tuple(_choice(facet, value, own) for value in offered)
    selected = any(choice.selected for choice in choices)
    prices = _price_boxes(facet, active.get(PRICE, {})) if facet.name == PRICE else None
    opened = facet.name in OPEN_FACETS or selected
    return Panel(facet.name, field_label(facet.name), choices, facet.others, opened, prices)


def toggled(field: str, value: FacetValue, own: Mapping[str, Any]) -> str:
    """Return a filter as JSON with this value selected, or deselected if it is selected.

    A category replaces those above and below it, because it is part of the former and has the latter.
    """
    changed = json.loads(json.dumps(own))
    conditions, name = changed, field
    if field.startswith(ATTRIBUTE):
        conditions, name = changed.setdefault(ATTRIBUTES, {}), field.removeprefix(ATTRIBUTE)
    before = conditions.pop(name, None)
    after: list[Any] = []
    if isinstance(value.value, str) and isinstance(before, list):
        after = [other for other in before if not _replaces(field, value.value, other)]
    if not value.selected:
        after.append(value.value)
    if after:
        conditions[name] = after if isinstance(value.value, str) else value.value
    if not changed.get(ATTRIBUTES, True):
        del changed[ATTRIBUTES]
    return compact_json(changed)


def _replaces(field: str, value: str, other: str) -> bool:
    clicked, before = folded(value), folded(other)
    if clicked == before or field != CATEGORY:
        return clicked == before
    return clicked.startswith(before + CATEGORY_SEPARATOR) or before.startswith(clicked + CATEGORY_SEPARATOR)


def _choice(facet: Facet, value: FacetValue, own: Mapping[str, Any]) -> Choice:
    field = facet.name
    depth = str(value.value).count(CATEGORY_SEPARATOR) if field == CATEGORY else 0
    colours = swatch(value.label) if field in (BASE_COLOUR, COLOUR) else ()
    return Choice(_label(facet, value), value.count, value.selected, toggled(field, value, own), depth, colours)


def _label(facet: Facet, value: FacetValue) -> str:
    if facet.name == IN_STOCK:
        return t("in_stock" if value.value else "out_of_stock")
    if facet.name == ON_SALE:
        return t("on_sale" if value.value else "not_reduced")
    if isinstance(value.value, str):
        return colour_label(value.label) if facet.name == BASE_COLOUR else value_label(facet.name, value.label)
    return range_label(value.value if isinstance(value.value, Mapping) else {}, facet.currency)


def _price_boxes(facet: Facet, chosen: Mapping[str, Any]) -> PriceBoxes:
    lowest, highest = facet.span or (None, None)
    least, most, lowest_text, highest_text = (
        "" if value is None else amount_to_type(value)
        for value in (chosen.get("min"), chosen.get("max"), lowest, highest)
    )
    currencies: Sequence[str] = [v.value.get("currency", "") for v in facet.values if isinstance(v.value, Mapping)]
    return PriceBoxes(
        least, most, lowest_text, highest_text, currency_symbol(facet.currency), next(iter(currencies), "")
    )
