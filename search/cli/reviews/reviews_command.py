"""python -m search reviews: customers' reviews, and how well they are analysed."""

from __future__ import annotations

import click

from indexer.cli.common import Commands
from search.cli.reviews.evaluate_command import evaluate_reviews_command


@click.group("reviews", cls=Commands, commands=[evaluate_reviews_command])
def reviews_command() -> None:
    """Manage customers' reviews, and measure how well they are analysed."""
