"""python -m search prices advise: what demand says of prices, within the owner's limits. It changes no price."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click

from catalog.errors import BadQuery
from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from catalog.storage.opening import open_catalogue
from indexer.cli.common import home_option
from indexer.cli.next_step import say_next
from search.cli.common import OUTPUT_TYPE, json_option, print_json, print_table
from search.pricing.demand.advice_table import write_advice
from search.pricing.demand.price_advice import (
    NEVER_CHARGED,
    OLD_SALES,
    OUTSIDE_LIMITS,
    PROMOTIONS_UNKNOWN,
    REVENUE_ONLY,
    TEMPORARY_CHANGES,
    AmountRange,
    PriceAdvice,
    PriceCandidate,
)
from search.pricing.demand.price_adviser import PriceAdviser
from search.pricing.demand.price_limits import parse_amount

_HEADER = ("price", "units a week", "revenue", "margin", "note")
_CAUTIONS = {
    PROMOTIONS_UNKNOWN: "Promotions are not known (promotions.csv): up to half of the effect may be theirs.",
    TEMPORARY_CHANGES: "No other price lasted eight weeks: nothing is known of what a lasting change does.",
    REVENUE_ONLY: "The cost is not known (costs.csv), so the verdict is about revenue.",
    NEVER_CHARGED: "The suggested price was never charged so far.",
    OUTSIDE_LIMITS: "Today's price breaks the limits in price-limits.csv.",
    OLD_SALES: "The last sales that were read are older than 13 weeks.",
}
_NUMBERS = ("price", "units a week", "revenue", "margin")


@click.command("advise")
@json_option
@home_option
@click.option("--product", "product_id", help="The product to advise on; without, the whole shop is counted.")
@click.option("--price", help="A price to compare with that of the product.")
@click.option("--cost", help="The cost of one unit, in place of that in costs.csv.")
@click.option("--csv", "table", type=OUTPUT_TYPE, help="Write the advice on every product to a CSV file.")
def advise_command(
    home: Path, as_json: bool, product_id: str | None, price: str | None, cost: str | None, table: Path | None
) -> None:
    """Say what units, revenue and margin other prices would bring, and whether a change would pay.

    Limits are read from price-limits.csv and costs from costs.csv in the shop's folder. No price is changed.
    """
    if product_id is None and (price is not None or cost is not None):
        raise BadQuery("--price and --cost need a product.", "Name it: --product ID.")
    if product_id is not None and table is not None:
        raise BadQuery("--csv is about the whole shop, --product about one product.", "Give one of them.")
    adviser = PriceAdviser(home)
    with closing(open_catalogue(home)) as catalogue:
        if product_id is not None:
            advice = adviser.advise(catalogue.get(product_id), parse_amount(price, "price"), parse_amount(cost, "cost"))
            print_json(advice.to_dict()) if as_json else _print_advice(advice)
        elif table is not None:
            count = write_advice(table, adviser, _products(catalogue))
            print_json({"products": count, "file": str(table)}) if as_json else click.echo(
                f"{count:,} products: {table}"
            )
        else:
            _print_counts(adviser, _products(catalogue), as_json)
    if adviser.model is None and not as_json:
        say_next("fit the model of demand first", "prices", "fit", "--home", home)


def _products(catalogue: Catalogue) -> Iterator[Product]:
    return (product for _, product in catalogue.iterate())


def _print_counts(adviser: PriceAdviser, products: Iterator[Product], as_json: bool) -> None:
    counts = Counter((advice.verdict, advice.reason) for advice in map(adviser.advise, products))
    if as_json:
        rows = [{"verdict": verdict, "reason": reason, "products": n} for (verdict, reason), n in counts.most_common()]
        print_json({"verdicts": rows, "fitted": adviser.model is not None})
        return
    cells = [(verdict, reason.replace("_", " "), f"{n:,}") for (verdict, reason), n in counts.most_common()]
    print_table(("verdict", "reason", "products"), cells, ("products",))


def _print_advice(advice: PriceAdvice) -> None:
    elasticity = advice.elasticity
    if elasticity is not None:
        bounds = f"{elasticity.value:.2f} ({elasticity.low:.2f} to {elasticity.high:.2f}, 80 %)"
        click.echo(f"Elasticity {bounds}, mostly from: {elasticity.source}; {elasticity.weeks} weeks.")
    candidates = [*advice.candidates, *([advice.requested] if advice.requested else [])]
    rows = [_row(candidate, advice) for candidate in sorted(candidates, key=lambda found: found.price)]
    if rows:
        print_table(_HEADER, rows, _NUMBERS)
    suggested = "" if advice.suggested is None else f" to {advice.suggested} {advice.currency}"
    click.echo(f"Verdict: {advice.verdict.replace('_', ' ')}{suggested} ({advice.reason.replace('_', ' ')}).")
    for caution in advice.cautions:
        click.echo(_CAUTIONS[caution])


def _row(candidate: PriceCandidate, advice: PriceAdvice) -> tuple[str, ...]:
    notes = ["now"] if candidate.price == advice.price else []
    notes += ["suggested"] if candidate.price == advice.suggested else []
    notes += ["never charged so far"] if candidate.extrapolated else []
    notes += [f"breaks {name}" for name in candidate.broken_limits]
    amounts = map(_amount, (candidate.units, candidate.revenue, candidate.margin))
    return str(candidate.price), *amounts, ", ".join(notes)


def _amount(amount: AmountRange | None) -> str:
    return "-" if amount is None else f"{amount.middle:.2f} ({amount.low:.2f} to {amount.high:.2f})"
