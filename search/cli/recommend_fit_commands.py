"""python -m search recommend fit | status | rollback: fit models of recommendations, and choose the served version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from catalog.errors import MissingExtra, TrainingError
from indexer.cli.common import home_option
from indexer.cli.next_step import say_next
from search.cli.common import json_option, print_json, print_table
from search.fitting.priority import low_priority
from search.fitting.version_store import StoredVersion
from search.recommend.learning.background.fit_progress import interrupted_fit, running_fit
from search.recommend.learning.fit import fit
from search.recommend.learning.fit_report import last_fit, with_figures
from search.recommend.learning.manifest import ModelManifest
from search.recommend.learning.model_store import rollback, stored_versions

SHOWN_PARTS = ("everything", "repeat", "new")


@click.command("fit")
@json_option
@home_option
def fit_command(home: Path, as_json: bool) -> None:
    """Fit all models and measure them on the last weeks; serve the new ones only where they are better.

    Running servers follow within two seconds. The exit code is 0 also where the served version stays.
    """
    click.echo("Fitting models on the shop's events; this may take minutes.", err=True)
    with low_priority():
        report = fit(home).to_dict()
    if as_json:
        print_json(report)
        return
    _print_report(report)
    if report["version"] and report["served"]:
        say_next("if you do not like what is recommended now, go back", "recommend", "rollback", "--home", home)


@click.command("status")
@json_option
@home_option
def status_command(home: Path, as_json: bool) -> None:
    """Show the versions on the disk, and what the last fit measured and decided."""
    versions, running, interrupted = stored_versions(home), running_fit(home), interrupted_fit(home)
    last = with_figures(last_fit(home), versions)
    if as_json:
        listed = [stored.to_dict("fitted_at", "events") for stored in versions]
        print_json({"versions": listed, "running": running, "interrupted": interrupted, "last": last})
        return
    if running is not None:
        click.echo(f"A fit is running: step {running['done']} of {running['total']}.\n")
    if interrupted is not None:
        step = f"step {interrupted['done']} of {interrupted['total']}"
        click.echo(
            f"A fit was interrupted after {step}, {_time(interrupted['at'])}. Fit again: windowshop recommend fit.\n"
        )
    if not versions:
        click.echo("No models are fitted yet: windowshop recommend fit.")
    else:
        rows = [_version_row(stored) for stored in versions]
        print_table(("version", "fitted", "events", "from"), rows, ("events",))
    if last is not None:
        click.echo(f"\nThe last fit that ended, {_time(last['at'])}:")
        _print_report(last)


@click.command("rollback")
@json_option
@home_option
@click.option("--to", type=click.IntRange(1), help="The version to serve; without: the one before.")
def rollback_command(home: Path, as_json: bool, to: int | None) -> None:
    """Serve another version of the models on the disk; running servers follow within two seconds."""
    left, current = rollback(home, to)
    if as_json:
        print_json({"left": left, "current": current})
        return
    click.echo(f"Version {current} of the models is served, in place of {left}.")


def refit_recommender(home: Path, as_json: bool) -> dict[str, Any] | None:
    """Fit the models along with other learning; None with too few events, during another fit, or without the extra."""
    try:
        with low_priority():
            report = fit(home).to_dict()
    except (TrainingError, MissingExtra) as error:
        click.echo(f"The models of recommendations were not fitted. {error}", err=True)
        return None
    if not as_json:
        _print_report(report)
    return report


def _version_row(stored: StoredVersion[ModelManifest]) -> tuple[str, ...]:
    if (manifest := stored.manifest) is None:
        return stored.label, stored.damaged, "", ""
    span = f"{_time(manifest.since)} to {_time(manifest.until)}"
    return stored.label, _time(manifest.fitted_at), f"{manifest.events:,}", span


def _print_report(report: Mapping[str, Any]) -> None:
    rows = [
        (name, *(_interval(figures.get(part)) for part in SHOWN_PARTS))
        for name, figures in sorted(report["figures"].items(), key=lambda row: -row[1]["everything"]["recall_at_20"])
    ]
    if rows:
        header = ("recall@20", *SHOWN_PARTS)
        print_table(header, rows, SHOWN_PARTS)
        click.echo(f"Measured on the last {report['holdout_weeks']} weeks, with 95 % intervals.")
    click.echo(report["message"])


def _interval(figures: Mapping[str, Any] | None) -> str:
    if not figures or not figures["visitors"]:
        return "-"
    return f"{figures['recall_at_20']:.3f} ({figures['recall_at_20_low']:.3f} to {figures['recall_at_20_high']:.3f})"


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")
