"""python -m search assistant: measure the assistant, and fit the classifier that is shipped."""

from __future__ import annotations

from pathlib import Path

import click

from indexer.cli.common import Commands
from search.assistant.evaluation.intent_figures import table_row
from search.assistant.evaluation.intent_models import NOT_MEASURED, evaluate_intents, only_language
from search.assistant.intents.classifier import SHIPPED_HEADS
from search.assistant.intents.examples import read_examples, shipped_examples
from search.assistant.intents.heads import IntentHeads, fit_intents
from search.cli.assistant.policies_command import policies_command
from search.cli.common import FILE_TYPE, json_option, print_figures, print_json, print_table
from search.text_heads.text_vectors import TextVectors

COLUMNS = ("model", "accuracy", "in scope", "macro F1", "out of scope AUROC", "ECE")


@click.group("assistant", cls=Commands)
def assistant_command() -> None:
    """Measure how well the assistant understands customers' messages."""


@assistant_command.command("evaluate")
@click.option("--questions", "path", type=FILE_TYPE, required=True, help="CSV: text,intent,language.")
@click.option("--seeds", type=FILE_TYPE, help="CSV of the same form to fit on, in place of the shipped examples.")
@click.option("--train-language", help="Fit on the examples of this language alone, such as en.")
@click.option("--only-ours", is_flag=True, help="Leave out the simpler models, which need [recs].")
@json_option
def evaluate_assistant_command(
    path: Path, seeds: Path | None, train_language: str | None, only_ours: bool, as_json: bool
) -> None:
    """Measure the classifier of intents on labelled messages, beside simpler ones fitted on the same examples."""
    questions = read_examples(path)
    examples = read_examples(seeds) if seeds else shipped_examples()
    if train_language:
        examples = only_language(examples, train_language)
    heads = None if seeds or train_language else IntentHeads.load(SHIPPED_HEADS)
    found = evaluate_intents(questions, examples, TextVectors.open(), heads, compared=not only_ours)
    if as_json:
        print_json(found)
        return
    print_table(COLUMNS, [table_row(name, of_model) for name, of_model in found["models"].items()], COLUMNS[1:])
    for name, of_model in found["models"].items():
        if NOT_MEASURED in of_model:
            click.echo(f"{name} was not measured: {of_model[NOT_MEASURED]}")
    for language, of_language in found["by_language"].items():
        click.echo(f"\n{language}")
        print_figures(of_language)


@assistant_command.command("fit")
def fit_assistant_command() -> None:
    """Fit the classifier that is shipped with Windowshop on its examples again; for developers."""
    examples = shipped_examples()
    heads = fit_intents(examples, TextVectors.open())
    heads.save(SHIPPED_HEADS)
    certain = ", ".join(f"{name or 'others'} {found.threshold:.2f}" for name, found in heads.calibrations.items())
    click.echo(f"Fitted on {len(examples):,} examples; certain from {certain}: {SHIPPED_HEADS}")


assistant_command.add_command(policies_command)
