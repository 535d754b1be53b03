"""What `windowshop learn` learns from conversations: the intents that staff set right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from catalog.home import ShopHome
from search.assistant.intents.examples import IntentExample
from search.assistant.intents.relearn import LEARNT, NOT_BETTER, TOO_FEW, WORSE, relearn_intents
from search.assistant.threads.thread_store import ThreadStore
from search.text_heads.text_vectors import TextVectors

OUTCOMES = {
    LEARNT: "Running servers use the new classifier with the next message.",
    NOT_BETTER: "It is not better on them, so the classifier stays as it was.",
    WORSE: "It reads other messages worse, so the classifier stays as it was.",
}


def relearn_assistant(home: Path, as_json: bool) -> dict[str, Any] | None:
    """Learn from corrected messages and report it; None where the shop has none. Raises EncoderUnavailable."""
    if not ShopHome(home).threads.is_file():
        return None
    corrected = ThreadStore(home).corrections()
    corrections = [IntentExample(row.text, row.intent, row.language) for row in corrected if row.intent]
    if not corrections:
        return None
    figures = relearn_intents(home, corrections, TextVectors.open())
    if not as_json:
        click.echo(_sentences(figures))
    return figures


def _sentences(figures: dict[str, Any]) -> str:
    count = figures["corrections"]
    if figures["outcome"] == TOO_FEW:
        return f"The assistant: {count} corrected messages; {figures['needed']} are needed to learn from them."
    before, after = figures["before"], figures["after"]
    return (
        f"The assistant: of {count} corrected messages, {after['accuracy']:.0%} are understood with what was learnt"
        f" from the others, {before['accuracy']:.0%} without. {OUTCOMES[figures['outcome']]}"
    )
