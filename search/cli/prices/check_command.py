"""python -m search prices check: find what is odd about the prices of a shop."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from indexer.cli.common import home_option
from indexer.cli.next_step import say_next
from search.cli.common import json_option, print_json, print_table
from search.pricing.owners.cost_limits import CostLimits
from search.pricing.owners.overview_process import check_shop
from search.pricing.owners.rules.price_finding import CODES


@click.command("check")
@json_option
@home_option
def check_command(home: Path, as_json: bool) -> None:
    """Check all prices: jumps, stale prices, margins, discounts that are none; /ops and /merchant/prices show them.

    Nothing is changed. A server checks by itself when somebody looks.
    """
    summary, problems = check_shop(home), CostLimits(home).problems()
    if as_json:
        print_json(asdict(summary) | {"problems": problems})
        return
    for problem in problems:
        click.echo(problem, err=True)
    click.echo(
        f"{summary.counts['all']:,} products checked in {summary.seconds:g} s; {summary.counts['findings']:,} are odd."
    )
    rows = [(code, f"{summary.counts[code]:,}") for code in CODES if summary.counts[code]]
    print_table(("finding", "products"), rows, ("products",))
    say_next("see each product with its reason", "doctor", "--home", home)
