"""Advice on every price of a shop, as rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from catalog.product import Product
from catalog.text.csv_export import write_csv
from search.pricing.demand.price_advice import AmountRange, PriceAdvice, PriceCandidate
from search.pricing.demand.price_adviser import PriceAdviser

_AMOUNTS = ("units", "revenue", "margin")
ADVICE_COLUMNS = (
    "product_id", "title", "category", "currency", "price", "cost", "verdict", "reason", "suggested_price",
    "elasticity", "elasticity_low", "elasticity_high", "source", "weeks", "weeks_at_other_prices",
    *(f"{name}{end}" for name in _AMOUNTS for end in ("", "_low", "_high")),
    *(f"suggested_{name}{end}" for name in _AMOUNTS for end in ("", "_low", "_high")),
    "promotions_known", "cautions",
)  # fmt: skip


def advice_rows(adviser: PriceAdviser, products: Iterable[Product]) -> Iterator[tuple[str, ...]]:
    """Yield a row of ADVICE_COLUMNS for each product; amounts are of one week. Raises BadFeed."""
    for product in products:
        yield advice_row(product, adviser.advise(product))


def advice_row(product: Product, advice: PriceAdvice) -> tuple[str, ...]:
    """Return the row of a product; a cell is empty where nothing is known."""
    elasticity = advice.elasticity
    numbers: tuple[str, ...] = ("",) * 6
    if elasticity is not None:
        bounds = (elasticity.value, elasticity.low, elasticity.high)
        numbers = (
            *(f"{value:.3f}" for value in bounds),
            elasticity.source,
            str(elasticity.weeks),
            str(elasticity.moved),
        )
    prices = {candidate.price: candidate for candidate in advice.candidates}
    present = None if advice.price is None else prices.get(advice.price)
    suggested = None if advice.suggested is None else prices.get(advice.suggested)
    return (
        product.id, product.title, product.category, advice.currency, *map(_text, (advice.price, advice.cost)),
        advice.verdict, advice.reason, _text(advice.suggested), *numbers, *_amounts(present), *_amounts(suggested),
        "yes" if advice.promotions_known else "no", " ".join(advice.cautions),
    )  # fmt: skip


def write_advice(path: Path, adviser: PriceAdviser, products: Iterable[Product]) -> int:
    """Write the table as CSV; return the number of products. Raises BadFeed, OSError."""
    count = 0

    def rows() -> Iterator[tuple[str, ...]]:
        nonlocal count
        yield ADVICE_COLUMNS
        for row in advice_rows(adviser, products):
            count += 1
            yield row

    with path.open("w", encoding="utf-8", newline="") as file:
        write_csv(file, rows())
    return count


def _amounts(candidate: PriceCandidate | None) -> tuple[str, ...]:
    ranges = (None,) * 3 if candidate is None else (candidate.units, candidate.revenue, candidate.margin)
    return tuple(cell for amount in ranges for cell in _range(amount))


def _range(amount: AmountRange | None) -> tuple[str, str, str]:
    return ("", "", "") if amount is None else (f"{amount.middle:.2f}", f"{amount.low:.2f}", f"{amount.high:.2f}")


def _text(value: object) -> str:
    return "" if value is None else str(value)
