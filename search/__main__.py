"""python -m search: search a shop from the command line, and measure how well it answers."""

from __future__ import annotations

import click

from indexer.cli.common import Commands, LazyCommand

SEARCH, MERCHANTS = "search.cli.search_commands", "search.cli.merchant_commands"
COMMANDS = {
    "assistant": LazyCommand(
        "search.cli.assistant.assistant_command", "assistant_command", "Measure how well the assistant understands."
    ),
    "calibrate": LazyCommand(SEARCH, "calibrate_command", "Fit the probability that the shop has what a photo shows."),
    "categorise": LazyCommand(MERCHANTS, "categorise_command", "Predict what each photo shows, or suggest listings."),
    "doctor": LazyCommand(MERCHANTS, "doctor_command", "Audit the listings of the whole shop."),
    "evaluate": LazyCommand(SEARCH, "evaluate_command", "Measure how often the right product is found."),
    "events": LazyCommand(
        "search.cli.events_command", "events_command", "Import, export and remove what shoppers did."
    ),
    "learn": LazyCommand(MERCHANTS, "learn_command", "Learn from merchants' decisions."),
    "prices": LazyCommand(
        "search.cli.prices.prices_command", "prices_command", "Import past prices, forecast and check prices."
    ),
    "query": LazyCommand(SEARCH, "query_command", "Find products by a picture, a text or another product."),
    "recommend": LazyCommand(
        "search.cli.recommend_command", "recommend_command", "Fit and measure the models of recommendations."
    ),
    "reconcile": LazyCommand(
        "search.cli.reconcile_command", "reconcile_command", "Make the shop equal to Shopify's or WooCommerce's."
    ),
    "reviews": LazyCommand(
        "search.cli.reviews.reviews_command", "reviews_command", "Import, export, analyse and remove reviews."
    ),
    "rules": LazyCommand(
        "search.cli.rules_command", "rules_command", "List, import, export and remove rules of search."
    ),
    "speech": LazyCommand("search.cli.speech_command", "speech_command", "Recognise a spoken question in a recording."),
}


@click.group(cls=Commands, lazy=COMMANDS)
def main() -> None:
    """Search a shop for products, and measure how well it answers."""


if __name__ == "__main__":
    main(prog_name="python -m search")
