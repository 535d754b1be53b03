"""python -m search prices check: find what is odd about the prices of a shop."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import click

from catalog.storage.opening import open_catalogue
from indexer.cli.common import SOME_REJECTED, home_option
from indexer.cli.next_step import say_next
from search.cli.common import json_option, print_json, print_table, printable
from search.doctor.price_history_checks import KINDS, price_sentence
from search.pricing.owners.cost_limits import CostLimits
from search.pricing.owners.overview_process import check_shop
from search.pricing.owners.price_overview import OverviewSummary, PriceOverview
from search.pricing.owners.rules.price_finding import CODES, PriceFinding


@click.command("check")
@json_option
@home_option
@click.option("--limit", type=click.IntRange(0), default=5, help="How many products of each finding.  [default: 5]")
def check_command(home: Path, as_json: bool, limit: int) -> None:
    """Check all prices: jumps, stale prices, margins, discounts that are none; /ops and /merchant/prices show them.

    The findings of which the check is most sure are printed. Nothing is changed. A server checks by itself when
    somebody looks. The exit code is 3 when costs.csv or price-limits.csv has an error: it counts as absent then.
    """
    summary, problems = check_shop(home), tuple(map(str, CostLimits(home).problems()))
    overview = PriceOverview(home)
    found = [row for code in CODES for row in overview.worst(code, limit)]
    if as_json:
        rows = [{"product_id": product_id} | asdict(finding) for product_id, finding in found]
        print_json(asdict(summary) | {"problems": problems, "findings": rows})
    else:
        _print_check(home, summary, found)
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        raise click.exceptions.Exit(SOME_REJECTED)


def _print_check(home: Path, summary: OverviewSummary, found: Sequence[tuple[str, PriceFinding]]) -> None:
    click.echo(
        f"{summary.counts['all']:,} products checked in {summary.seconds:g} s; {summary.counts['findings']:,} are odd."
    )
    rows = [(code, f"{summary.counts[code]:,}") for code in CODES if summary.counts[code]]
    print_table(("finding", "products"), rows, ("products",))
    with closing(open_catalogue(home)) as catalogue:
        products = catalogue.find({product_id for product_id, _ in found})
    for product_id, finding in found:
        if product_id in products:
            currency = products[product_id][1].currency
            click.echo(printable(f"{product_id}: {KINDS[finding.code]}. {price_sentence(currency, finding)}"))
    say_next("see every product with its reason", "doctor", "--home", home)
