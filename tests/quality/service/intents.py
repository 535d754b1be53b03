"""What customers' messages want: the classifier beside TF-IDF with k-NN and others, on messages of no fit."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from catalog.errors import WindowshopError
from search.assistant.evaluation.intent_figures import table_row
from search.assistant.evaluation.intent_models import evaluate_intents, only_language
from search.assistant.intents.classifier import SHIPPED_HEADS
from search.assistant.intents.examples import read_examples, shipped_examples
from search.assistant.intents.heads import IntentHeads
from search.text_heads.text_vectors import TextVectors
from tests.quality.report.records import Headline, Outcome, Part, Section, Share, Table

QUESTIONS = "intents.csv"
HEADER = ("model", "accuracy", "in scope", "macro F1", "out of scope AUROC", "calibration error")
FLOORS = {"en": {"accuracy": 0.88, "out_of_scope_auroc": 0.94}, "zh": {"accuracy": 0.85, "out_of_scope_auroc": 0.87}}
ENGLISH_ALONE_FLOOR = 0.75  # of Chinese messages, by a fit on English examples


def measure_service(folder: Path) -> Part:
    """Measure the assistant on the tables in a folder; skipped when they are not there."""
    key, title = "service", "Customers' messages"
    if not (folder / QUESTIONS).is_file():
        return Part(key, title, skipped=f"{folder} has no {QUESTIONS}.")
    print("classifying customers' messages ...", file=sys.stderr, flush=True)
    try:
        vectors = TextVectors.open()
        questions, examples = read_examples(folder / QUESTIONS), shipped_examples()
        shipped = IntentHeads.load(SHIPPED_HEADS)
        figures = evaluate_intents(questions, examples, vectors, shipped)
        english = evaluate_intents(questions, only_language(examples), vectors, compared=False)
    except WindowshopError as error:
        return Part(key, title, skipped=str(error))
    chinese_from_english = english["by_language"].get("zh", {})
    return Part(key, title, (_outcome(figures, chinese_from_english),), facts={"examples": len(examples)})


def _outcome(figures: Mapping[str, Any], from_english: Mapping[str, Any]) -> Outcome:
    rows = tuple(table_row(name, of_model) for name, of_model in figures["models"].items() if "accuracy" in of_model)
    headlines = [
        Headline(f"Intents, {language}: {name.replace('_', ' ')}", Share(of[name]), of["questions"], floor)
        for language, of in figures["by_language"].items()
        for name, floor in FLOORS.get(language, {}).items()
        if name in of
    ]
    headlines += [
        Headline(f"Intents, all: accuracy of {name}", Share(of_model["accuracy"]), of_model["questions"])
        for name, of_model in figures["models"].items()
        if "accuracy" in of_model
    ]
    if from_english:
        share, count = Share(from_english["accuracy"]), from_english["questions"]
        headlines.append(Headline("Intents, zh by English examples", share, count, ENGLISH_ALONE_FLOOR))
    section = Section(
        "What a message wants",
        "Messages that are in no fit. The models are fitted on the same examples, which the shipped one was fitted on.",
        (Table(HEADER, rows),),
    )
    return Outcome("intents", {**figures, "zh_from_english": from_english}, section, tuple(headlines))
