"""python -m search: search a shop from the command line, and measure how well it answers."""

from __future__ import annotations

import click

from indexer.cli.common import Commands
from search.cli.assistant.assistant_command import assistant_command
from search.cli.events_command import events_command
from search.cli.merchant_commands import categorise_command, doctor_command, learn_command
from search.cli.prices.prices_command import prices_command
from search.cli.recommend_command import recommend_command
from search.cli.reconcile_command import reconcile_command
from search.cli.reviews.reviews_command import reviews_command
from search.cli.rules_command import rules_command
from search.cli.search_commands import calibrate_command, evaluate_command, query_command
from search.cli.speech_command import speech_command

COMMANDS = [
    *(calibrate_command, categorise_command, doctor_command, evaluate_command, learn_command, query_command),
    assistant_command,
    events_command,
    prices_command,
    reviews_command,
    rules_command,
    recommend_command,
    reconcile_command,
    speech_command,
]


@click.group(cls=Commands, commands=COMMANDS)
def main() -> None:
    """Search a shop for products, and measure how well it answers."""


if __name__ == "__main__":
    main(prog_name="python -m search")
