"""python -m search prices: what products cost before, what they will cost, and what a price does to demand."""

from __future__ import annotations

import click

from indexer.cli.common import Commands, LazyCommand

FIT, PAST = "search.cli.prices.price_fit_commands", "search.cli.prices.past_price_commands"
COMMANDS = {
    "advise": LazyCommand("search.cli.prices.advise_command", "advise_command", "Say what other prices would bring."),
    "alerts": LazyCommand(
        "search.cli.prices.alerts_command", "alerts_command", "Print how many price alerts there are."
    ),
    "check": LazyCommand("search.cli.prices.check_command", "check_command", "Check all prices for what is odd."),
    "evaluate": LazyCommand(
        "search.cli.prices.evaluate_command", "evaluate_prices_command", "Measure forecasts on a log of purchases."
    ),
    "export": LazyCommand(PAST, "export_prices_command", "Write all prices, present and past, as CSV."),
    "fit": LazyCommand(FIT, "fit_prices_command", "Choose the best forecaster, and store its forecasts."),
    "import": LazyCommand(PAST, "import_prices_command", "Add past prices of a CSV file."),
    "rollback": LazyCommand(FIT, "rollback_prices_command", "Serve another version of the forecasts."),
    "show": LazyCommand(PAST, "show_prices_command", "Print what a product cost."),
    "status": LazyCommand(FIT, "price_status_command", "Show the versions of the forecasts, and the last fit."),
}


@click.group("prices", cls=Commands, lazy=COMMANDS)
def prices_command() -> None:
    """Import past prices, forecast prices, and measure forecasts on a log of purchases."""
