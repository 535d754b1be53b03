"""windowshop learn reads the corrections of conversations."""

import time

import pytest

from search.assistant.intents import heads, relearn
from search.assistant.intents.examples import shipped_examples
from search.assistant.threads.thread import CUSTOMER, ThreadCorrection, ThreadMessage
from search.assistant.threads.thread_store import ThreadStore
from search.cli.learning.assistant_learning import relearn_assistant

pytestmark = pytest.mark.weights


def correct(store, texts, intent):
    for place, text in enumerate(texts):
        thread = f"t{intent}{place:04d}"
        number = store.append(thread, ThreadMessage(role=CUSTOMER, text=text, at=time.time(), language="en"))
        store.correct(thread, number, ThreadCorrection(intent=intent))


def test_corrections_are_counted_and_learnt(tmp_path, capsys, monkeypatch):
    assert relearn_assistant(tmp_path, as_json=False) is None
    store = ThreadStore(tmp_path)
    correct(store, ["my clickbox please"], "order_status")
    assert relearn_assistant(tmp_path, as_json=False)["outcome"] == "too_few"
    assert "1 corrected messages; 10 are needed" in capsys.readouterr().out
    few = [example for example in shipped_examples() if example.language == "en"][::6]
    monkeypatch.setattr(relearn, "shipped_examples", lambda: few)
    monkeypatch.setattr(heads, "FOLDS", 2)
    correct(store, [f"{word} clickbox {more}" for word in ("is my", "any", "the") for more in "abcd"], "payment")
    assert relearn_assistant(tmp_path, as_json=False)["corrections"] == 13
    assert "The assistant: of 13 corrected messages" in capsys.readouterr().out
