"""The variants of a product: the values that tell them apart, such as colours and sizes, and which has each value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog.product import Product
from catalog.translated_attributes import translates
from search.query.filters import ATTRIBUTE, COLOUR, attribute_field, folded
from web.facets.colours import swatch
from web.i18n.language import attribute_text, field_label, is_shown, t, title_of

_FIRST = (COLOUR, "size", "material", "pattern")  # the order in which shoppers choose
MAX_CHOICES = 3
MAX_VALUE = 60  # characters; longer attributes describe
TITLE = "title"  # the choice where no attribute tells the variants apart


@dataclass(frozen=True, slots=True)
class VariantValue:
    """One value of a choice, and the product that has it, as alike as possible in the other choices.

    `exact` tells whether that product has the same values in all of them.
    """

    label: str
    product_id: str
    selected: bool
    in_stock: bool
    exact: bool = True
    swatch: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VariantChoice:
    """An attribute in which variants differ, with its values in the order of the shop."""

    name: str
    label: str
    values: tuple[VariantValue, ...]

    @property
    def colours(self) -> bool:
        """Whether the values have swatches."""
        return any(value.swatch for value in self.values)

    @property
    def selected(self) -> str:
        """The label of the value of the product that is shown."""
        return next((value.label for value in self.values if value.selected), "")


def choices_of_hit(
    product: Product, variant_ids: Sequence[str], products: Mapping[str, Product] | None
) -> tuple[VariantChoice, ...]:
    """Return the choices that a hit offers: `products` has its variants, by id."""
    known = products or {}
    return variant_choices(product, [known[sku] for sku in variant_ids if sku in known])


def variant_choices(product: Product, variants: Sequence[Product]) -> tuple[VariantChoice, ...]:
    """Return the fewest attributes that tell the variants of a product apart, colour and size first."""
    others = [variant for variant in variants if variant.id != product.id]
    if not others:
        return ()
    listed = list(variants) if len(others) < len(variants) else [product, *others]
    names = _differing(listed)
    if not names:
        return (VariantChoice(TITLE, t("variants"), tuple(_by_title(product, variant) for variant in listed)),)
    return tuple(_choice(name, names, product, listed) for name in names)


def _by_title(product: Product, variant: Product) -> VariantValue:
    return VariantValue(title_of(variant), variant.id, variant.id == product.id, variant.in_stock)


def _differing(variants: Sequence[Product]) -> list[str]:
    """Return names of attributes, each of which tells variants apart that those before it do not."""
    seen = dict.fromkeys(name for variant in variants for name in variant.attributes)
    own = (name for name in seen if not translates(name, seen))
    ranked = sorted((name for name in own if _is_choice(name, variants)), key=_rank)
    chosen: list[str] = []
    groups = 1
    for name in ranked:
        apart = len({_values(variant, (*chosen, name)) for variant in variants})
        if apart > groups and len(chosen) < MAX_CHOICES:
            chosen.append(name)
            groups = apart
    return chosen


def _is_choice(name: str, variants: Sequence[Product]) -> bool:
    values = [variant.attributes.get(name, "") for variant in variants]
    return all(len(value) <= MAX_VALUE and is_shown(name, value) for value in values)


def _rank(name: str) -> int:
    plain = attribute_field(name).removeprefix(ATTRIBUTE)
    return _FIRST.index(plain) if plain in _FIRST else len(_FIRST)


def _values(variant: Product, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(folded(variant.attributes.get(name, "")) for name in names)


def _choice(name: str, names: Sequence[str], product: Product, variants: Sequence[Product]) -> VariantChoice:
    own, rest = _values(product, (name,)), [other for other in names if other != name]
    by_value: dict[tuple[str, ...], list[Product]] = {}
    for variant in variants:
        if variant.attributes.get(name):
            by_value.setdefault(_values(variant, (name,)), []).append(variant)
    values = []
    for value, having in by_value.items():
        nearest = product if value == own else max(having, key=lambda other: _likeness(other, product, rest))
        label = attribute_text(nearest, name)
        exact = _values(nearest, rest) == _values(product, rest)
        colours = swatch(nearest.attributes[name]) if _rank(name) == _FIRST.index(COLOUR) else ()
        values.append(VariantValue(label, nearest.id, value == own, nearest.in_stock, exact, colours))
    return VariantChoice(name, field_label(name), tuple(values))


def _likeness(variant: Product, product: Product, names: Sequence[str]) -> tuple[int, bool]:
    same = sum(_values(variant, (name,)) == _values(product, (name,)) for name in names)
    return same, variant.in_stock
