"""python -m search prices: what products cost before, what they will cost, and what a price does to demand."""

from __future__ import annotations

import click

from indexer.cli.common import Commands
from search.cli.prices.advise_command import advise_command
from search.cli.prices.alerts_command import alerts_command
from search.cli.prices.check_command import check_command
from search.cli.prices.evaluate_command import evaluate_prices_command
from search.cli.prices.past_price_commands import (
    export_prices_command,
    import_prices_command,
    show_prices_command,
)
from search.cli.prices.price_fit_commands import fit_prices_command, price_status_command, rollback_prices_command

COMMANDS = [
    advise_command,
    alerts_command,
    check_command,
    evaluate_prices_command,
    export_prices_command,
    fit_prices_command,
    import_prices_command,
    price_status_command,
    rollback_prices_command,
    show_prices_command,
]


@click.group("prices", cls=Commands, commands=COMMANDS)
def prices_command() -> None:
    """Import past prices, forecast prices, and measure forecasts on a log of purchases."""
