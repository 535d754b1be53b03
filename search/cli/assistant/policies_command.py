"""python -m search assistant policies: show a shop's policies, ask them, measure the answers, fit the model."""

from __future__ import annotations

from pathlib import Path

import click

from indexer.cli.common import Commands, home_option
from search.assistant.evaluation.policy_figures import (
    evaluate_policies,
    judged_figures,
    read_policy_passages,
    read_policy_questions,
)
from search.assistant.policies.answer_model import SHIPPED_MODEL, AnswerModel
from search.assistant.policies.examples import shipped_policy_examples
from search.assistant.policies.fitting import fit_answer_model
from search.assistant.policies.folder import PolicyFolder
from search.assistant.policies.policy_search import PolicySearch
from search.cli.common import FILE_TYPE, json_option, print_figures, print_json, print_table
from search.text_heads.text_vectors import TextVectors

COLUMNS = ("passage", "language", "text")
REASONS = {
    "too_large": "is larger than 256 KiB: split it",
    "not_text": "is no text in UTF-8: save it as UTF-8",
    "unreadable": "cannot be read: check its permissions",
    "outside": "is a link that leads out of the folder: copy the file",
    "too_many": "is beyond the limit of 200 files or 3,000 passages: it is read in part or not at all",
}


@click.group("policies", cls=Commands)
def policies_command() -> None:
    """Answer from a shop's policies, the Markdown files in its folder `policies`, and measure the answers."""


@policies_command.command("show")
@home_option
@json_option
def show_policies_command(home: Path, as_json: bool) -> None:
    """Print the passages of a shop's policies, and the files that are not read."""
    texts = PolicyFolder.of_shop(home).current()
    if as_json:
        passages = [{"id": p.id, "heading": p.heading, "text": p.text, "language": p.language} for p in texts.passages]
        print_json({"passages": passages, "problems": [{"file": p.file, "reason": p.reason} for p in texts.problems]})
        return
    print_table(COLUMNS, [(p.id, p.language, p.text) for p in texts.passages], ())
    for problem in texts.problems:
        click.echo(f"{problem.file} {REASONS[problem.reason]}.", err=True)


@policies_command.command("ask")
@home_option
@json_option
@click.option("--language", default="", help="Language of the question, such as de; by default its words show it.")
@click.argument("question")
def ask_policies_command(home: Path, as_json: bool, language: str, question: str) -> None:
    """Answer QUESTION from a shop's policies, with the passages and their source."""
    answer = PolicySearch.open(home, TextVectors.open()).answer(question, language)
    hits = [
        {"source": hit.passage.id, "probability": round(hit.probability, 3), "text": hit.passage.text}
        for hit in answer.hits
    ]
    if as_json:
        print_json({"status": answer.status, "hits": hits})
        return
    click.echo(answer.status)
    for hit in hits:
        click.echo(f"{hit['probability']:.2f}  {hit['source']}  {hit['text']}")


@policies_command.command("evaluate")
@click.option("--passages", type=FILE_TYPE, required=True, help="CSV: passage,text (and heading, lang).")
@click.option("--questions", type=FILE_TYPE, required=True, help="CSV: question,lang,passage; passage may be empty.")
@json_option
def evaluate_policies_command(passages: Path, questions: Path, as_json: bool) -> None:
    """Measure answers from a table of passages: the right one in three, answered or not, and wrong answers."""
    known = read_policy_passages(passages)
    found = evaluate_policies(known, read_policy_questions(questions, known), TextVectors.open(), AnswerModel.load())
    if as_json:
        print_json(found)
        return
    for language, figures in found.items():
        click.echo(language)
        print_figures(figures)


@policies_command.command("fit")
@json_option
def fit_policies_command(as_json: bool) -> None:
    """Fit the model that is shipped on its examples again, and measure it on shops left out; for developers."""
    model, judged = fit_answer_model(shipped_policy_examples(), TextVectors.open())
    model.save(SHIPPED_MODEL)
    found = judged_figures(judged, model.answered, model.unsure)
    if as_json:
        print_json(found)
        return
    for language, figures in found.items():
        click.echo(language)
        print_figures(figures)
