"""python -m search rules: list, import, export and remove the owner's rules of search."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from pathlib import Path

import click

from catalog.errors import BadInput
from indexer.cli.common import Commands, home_option
from search.cli.common import FILE_TYPE, OUTPUT_TYPE, json_option, print_figures, print_json, print_table
from search.merchandising.rule_csv import BadRules, read_rules_csv, rules_csv
from search.merchandising.rule_store import RuleStore

HEADER = ("id", "match", "question", "action", "target", "number", "starts", "ends")


@click.group("rules", cls=Commands)
def rules_command() -> None:
    """List, import, export and remove rules of search: synonyms, pins, boosts, hidden products, redirects.

    Running servers follow a change at their next search. Every change is logged with the name of the user.
    """


@rules_command.command("list")
@json_option
@home_option
def list_command(home: Path, as_json: bool) -> None:
    """Print all rules, with the ids that `remove` takes."""
    rules = RuleStore(home).all()
    if as_json:
        print_json({"rules": [rule.to_dict() for rule in rules]})
        return
    values = [rule.to_dict() for rule in rules]
    cells = [["" if rule[name] is None else _cell(rule[name]) for name in HEADER] for rule in values]
    print_table(HEADER, cells, ("id", "number"))


@rules_command.command("import")
@json_option
@home_option
@click.argument("table", type=FILE_TYPE)
@click.option("--only", is_flag=True, help="Remove all rules that are not in the table.")
@click.option("--dry-run", is_flag=True, help="Report what would change, and change nothing.")
def import_command(home: Path, as_json: bool, table: Path, only: bool, dry_run: bool) -> None:
    """Add and change the rules of a CSV file: all of them, or none when a line is bad."""
    try:
        rules = read_rules_csv(table.read_bytes())
    except OSError as error:
        raise BadInput(f"{table} cannot be read: {error.strerror}.", "Name another file.") from error
    except BadRules as error:
        for bad in error.lines:
            click.echo(f"line {bad.line}: {bad.reason}", err=True)
        raise
    changes = RuleStore(home).save(rules, _user(), only=only, dry_run=dry_run)
    print_figures(changes.counts(), as_json)


@rules_command.command("export")
@home_option
@click.argument("table", type=OUTPUT_TYPE, required=False)
def export_command(home: Path, table: Path | None) -> None:
    """Write all rules as CSV, to a file or to the terminal; `import` takes it."""
    text = rules_csv(RuleStore(home).all())
    if table is None:
        click.echo(text, nl=False)
    else:
        table.write_text(text, encoding="utf-8", newline="")


@rules_command.command("remove")
@json_option
@home_option
@click.argument("ids", type=int, nargs=-1, required=True)
def remove_command(home: Path, as_json: bool, ids: tuple[int, ...]) -> None:
    """Remove the rules with these ids: all of them, or none when an id is unknown."""
    removed = RuleStore(home).remove(ids, _user())
    print_figures({"removed": len(removed)}, as_json)


@rules_command.command("log")
@json_option
@home_option
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many changes to print.")
def log_command(home: Path, as_json: bool, limit: int) -> None:
    """Print the latest changes as JSON, the newest first: when, who, and the rule before and after."""
    changes = [asdict(entry) for entry in RuleStore(home).log(limit)]
    if as_json:
        print_json({"changes": changes})
        return
    for change in changes:
        print_json(change)


def _cell(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _user() -> str:
    try:
        return f"command line ({getpass.getuser()})"
    except (OSError, KeyError):  # an account without a name, as in a container
        return "command line"
