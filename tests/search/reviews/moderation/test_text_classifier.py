"""The classifier of what is sent as a review: angry reviews are reviews, questions and advertising are none."""

import pytest

from catalog.errors import EncoderUnavailable
from search.reviews.moderation.text_classifier import (
    LABELS,
    ReviewTextClassifier,
    classifier_examples_digest,
    open_text_classifier,
    shipped_head,
)
from search.text_heads.text_vectors import TextVectors
from tests.fake_encoder import FakeEncoder


@pytest.fixture(scope="module")
def classifier():
    return ReviewTextClassifier(TextVectors.open(), shipped_head())


# None of these texts is an example.
@pytest.mark.parametrize(
    "text",
    [
        "",
        "This kettle is total crap and I am furious, it leaked all over my kitchen.",
        "Damn good boots, I wear them every day.",
        "The seller took two weeks to answer, but the refund came.",
        "这破东西用了两天就坏了，真让人火大",
        "买了两次了，很满意",
        "Der Stoff ist dünn, aber die Farbe ist schön.",
    ],
)
def test_reviews_are_left_alone(classifier, text):
    assert classifier.reasons("", text) == ()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Could you tell me if this is available in red?", "not_a_review"),
        ("请问什么时候能发货？", "not_a_review"),
        ("Make money from home, join our group and earn every day.", "spam"),
        ("加群领红包，兼职日赚五百", "spam"),
        ("You are all idiots and liars, go to hell.", "insult"),
    ],
)
def test_what_is_no_review_is_named(classifier, text, code):
    assert classifier.reasons("", text) == (code,)


def test_the_shipped_head_was_fitted_on_the_shipped_examples():
    assert shipped_head().about["examples"] == classifier_examples_digest()
    assert set(shipped_head().labels) == set(LABELS)


def test_without_models_rules_remain(monkeypatch):
    def unavailable(encoder):
        raise EncoderUnavailable("The model cannot be opened.", "Install it.")

    monkeypatch.setattr(TextVectors, "of", unavailable)
    assert open_text_classifier(FakeEncoder()) is None
