"""Corrections are learnt where they help, and refused where they do not."""

import pytest

from catalog.home import ShopHome
from search.assistant.intents import heads, relearn
from search.assistant.intents.classifier import IntentClassifier
from search.assistant.intents.examples import IntentExample, shipped_examples
from search.text_heads.text_vectors import CachedTextVectors

pytestmark = pytest.mark.weights
OWN = ["is my {} in", "any {} for me", "did the {} come", "{} here yet", "{} please", "the {}?", "got my {}"]


@pytest.fixture(autouse=True)
def few_examples(monkeypatch):
    """Fit on a quarter of the English examples, in a moment; the shipped heads, which know all, are harder to beat."""
    few = [example for example in shipped_examples() if example.language == "en"][::4]
    monkeypatch.setattr(relearn, "shipped_examples", lambda: few)
    monkeypatch.setattr(heads, "FOLDS", 3)


@pytest.fixture(scope="module")
def text_vectors(text_vectors):
    """Encode the examples once for all tests."""
    return CachedTextVectors(text_vectors)


def corrections(intent, words=("clickbox", "klikbox")):
    return [IntentExample(pattern.format(word), intent) for pattern in OWN for word in words]


def test_few_corrections_are_not_learnt(text_vectors, tmp_path):
    found = relearn.relearn_intents(tmp_path, corrections("order_status")[:9], text_vectors)
    assert found == {"corrections": 9, "outcome": "too_few", "needed": 10}
    assert not ShopHome(tmp_path).intents.exists()


def test_a_word_of_the_shop_is_learnt_and_served(text_vectors, tmp_path):
    classifier = IntentClassifier.open(tmp_path, text_vectors)
    assert not classifier.classify("has my clickbox come", "en").certain
    found = relearn.relearn_intents(tmp_path, corrections("order_status"), text_vectors)
    assert found["outcome"] == "learnt" and found["after"]["accuracy"] > found["before"]["accuracy"]
    after = classifier.classify("has my clickbox come", "en")
    assert after.intent == "order_status" and after.certain


def test_corrections_that_contradict_each_other_are_refused(text_vectors, tmp_path):
    texts = [example.text + " ok" for example in relearn.shipped_examples()][:40]
    names = ["payment", "order_status", "find_product", "size_advice"]
    mixed = [IntentExample(text, names[place % 4]) for place, text in enumerate(texts)]
    found = relearn.relearn_intents(tmp_path, mixed, text_vectors)
    assert found["outcome"] in ("not_better", "worse_on_other_messages")
    assert not ShopHome(tmp_path).intents.exists()


def test_the_last_correction_of_a_message_counts(text_vectors, tmp_path):
    twice = [*corrections("payment"), *corrections("order_status")]
    assert {example.intent for example in relearn._latest(twice)} == {"order_status"}
    assert relearn._latest([IntentExample("hm", "no such intent")]) == []
