"""Figures by hand, and the table of compared classifiers."""

import csv
import json

import numpy as np
import pytest
from click.testing import CliRunner

from search.__main__ import main
from search.assistant.evaluation.intent_figures import IntentShares, figures
from search.assistant.intents.examples import IntentExample


def test_figures_by_hand():
    questions = [IntentExample("a", "x"), IntentExample("b", "y"), IntentExample("c", "oos", "zh")]
    shares = np.array([[0.1, 0.8, 0.1], [0.2, 0.5, 0.3], [0.6, 0.3, 0.1]], np.float32)
    found = figures(IntentShares(("oos", "x", "y"), shares, np.full(3, 0.6, np.float32)), questions)
    assert found["accuracy"] == pytest.approx(2 / 3, abs=1e-5)
    assert found["accuracy_in_scope"] == 0.5
    assert found["macro_f1"] == pytest.approx((2 / 3 + 0 + 1) / 3, abs=1e-5)
    assert found["out_of_scope_auroc"] == 1.0
    assert found["answered"] == pytest.approx(2 / 3, abs=1e-5) and found["accuracy_when_answered"] == 1.0
    assert set(found["by_language"]) == {"en", "zh"} and "out_of_scope_auroc" not in found["by_language"]["en"]


def test_a_greeting_counts_as_out_of_scope_where_questions_have_none():
    shares = np.array([[0.1, 0.1, 0.8]], np.float32)
    predictions = IntentShares(("oos", "returns", "small_talk"), shares, np.zeros(1, np.float32))
    assert figures(predictions, [IntentExample("tell me a joke", "oos")])["accuracy"] == 1.0
    assert figures(predictions, [IntentExample("hi", "small_talk")])["accuracy"] == 1.0


@pytest.mark.weights
def test_the_command_compares_all_models_on_files_of_examples(tmp_path):
    words = {"fruit": ("apple", "pear", "plum", "cherry"), "tool": ("hammer", "saw", "drill", "pliers")}
    for name, pattern in (("seeds", "the {}"), ("questions", "one {} please")):
        with (tmp_path / f"{name}.csv").open("w", newline="") as file:
            rows = [(pattern.format(word), label, "en") for label, some in words.items() for word in some]
            csv.writer(file).writerows([("text", "intent", "language"), *rows])
    command = ["assistant", "evaluate", "--questions", f"{tmp_path}/questions.csv", "--seeds", f"{tmp_path}/seeds.csv"]
    done = CliRunner().invoke(main, [*command, "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert {"macro_f1", "by_language", "ece", "models"} <= set(found) and found["accuracy"] == 1.0
    assert {"both towers", "TF-IDF + k-NN", "MiniLM + regression", "E5 + regression"} <= set(found["models"])
