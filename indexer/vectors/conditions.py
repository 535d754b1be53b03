"""Conditions on rows that an engine can filter by: what a shop's filters say, without their JSON and their spelling.

A condition narrows a search; masks decide. So a condition may hold for more rows than are allowed, never for fewer.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HasLabel:
    """The product has one of these folded labels in a field: "category", "brand", "colour", "attributes.gender"."""

    field: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PriceWithin:
    """The product has a price from `low` to `high`, both included; None is no bound."""

    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class IsInStock:
    """The product is in stock, or is not."""

    in_stock: bool


@dataclass(frozen=True, slots=True)
class IsOnSale:
    """The product costs less than its list price, or does not."""

    on_sale: bool


@dataclass(frozen=True, slots=True)
class OfProducts:
    """The row belongs to one of the products with these keys."""

    keys: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AllHold:
    """All conditions hold."""

    conditions: tuple[RowCondition, ...]


@dataclass(frozen=True, slots=True)
class AnyHolds:
    """At least one condition holds."""

    conditions: tuple[RowCondition, ...]


@dataclass(frozen=True, slots=True)
class HoldsNot:
    """The condition does not hold."""

    condition: RowCondition


RowCondition = HasLabel | PriceWithin | IsInStock | IsOnSale | OfProducts | AllHold | AnyHolds | HoldsNot
