"""python -m search prices alerts: how many visitors wait for lower prices, and whether the webhook gets what fires."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from catalog.storage.opening import require_catalogue
from indexer.cli.common import home_option
from search.cli.common import json_option, print_figures, print_json, print_table
from search.ops.anonymity import DEFAULT_LEAST, withheld
from search.pricing.alerts.alert_store import AlertStore
from search.pricing.alerts.price_alert import FAILED, NOT_SENT, AlertCounts


@click.command("alerts")
@json_option
@home_option
@click.option("--send-again", is_flag=True, help="Try again to send what failed for good; a server does it.")
@click.option("--limit", type=click.IntRange(1), default=20, help="How many products to list.  [default: 20]")
def alerts_command(home: Path, as_json: bool, send_again: bool, limit: int) -> None:
    """Print how many price alerts wait and fired, and the products that most visitors wait for.

    Numbers that stem from fewer than five visitors are withheld. Nothing is printed of a visitor.
    """
    require_catalogue(home)
    store = AlertStore(home)
    failed = store.counts().fired_visitors.get(FAILED, 0)
    sent_again = {"sent_again": withheld(store.send_again(), failed, DEFAULT_LEAST)} if send_again else {}
    figures = {**_shown(store.counts()), **sent_again}
    watched = store.watched(DEFAULT_LEAST, limit)
    if as_json:
        products = [{"product_id": product_id, "visitors": visitors} for product_id, visitors in watched]
        print_json({**figures, "products": products})
        return
    print_figures({name: "withheld" if value is None else value for name, value in figures.items()})
    if None in figures.values():
        click.echo("Withheld are numbers that stem from fewer than five visitors, and totals that would reveal them.")
    if watched:
        print_table(("product", "visitors"), [(name, str(visitors)) for name, visitors in watched], ("visitors",))


def _shown(counts: AlertCounts) -> dict[str, Any]:
    """Return the counts, with None for those that stem from few visitors."""
    figures = counts.to_dict()
    for name in ("waiting", "visitors"):
        figures[name] = withheld(figures[name], counts.visitors, DEFAULT_LEAST)
    states = {
        state: withheld(count, counts.fired_visitors[state], DEFAULT_LEAST)
        for state, count in counts.deliveries.items()
    }
    if None in states.values():  # less the states that are shown, the total would reveal the one that is not
        figures["fired"] = None
    return figures | {f"webhook_{state}": count for state, count in states.items() if state != NOT_SENT}
