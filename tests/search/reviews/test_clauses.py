"""Sentences and clauses: nothing of a text is lost or moved, and opposites part."""

import pytest

from search.reviews.analysis.clauses import clauses_of, sentences_of

REVIEWS = [
    "Soft, warm and cosy! I love it... The zip broke, but they sent a new one.",
    "质量很好，就是有点贵。颜色不错！物流也快",
    "no punctuation at all",
    "Size 5'3\" (125 lbs); ordered the XS - fits.\nNew line\n\nlast",
    "x" * 2_000,
    "...but .5 oz, e.g. 8.5. Made in the U.S. It fits...well.It is e.l.f. Really?!",
]


def texts(spans):
    return [span.text for span in spans]


@pytest.mark.parametrize("number", range(len(REVIEWS)))
def test_spans_are_where_they_say(number):
    text = REVIEWS[number]
    for sentence in sentences_of(text):
        for span in (sentence, *clauses_of(sentence)):
            assert text[span.start : span.end] == span.text and span.text.strip() == span.text
    letters = "".join(filter(str.isalnum, text))
    found = "".join("".join(filter(str.isalnum, span.text)) for s in sentences_of(text) for span in clauses_of(s))
    assert found == letters


def test_opposites_part():
    assert texts(clauses_of(sentences_of("The colour is lovely but it runs small.")[0])) == [
        "The colour is lovely",
        "but it runs small",
    ]
    assert texts(clauses_of(sentences_of("质量不错，就是有点贵")[0])) == ["质量不错", "就是有点贵"]


def test_a_long_run_of_spaces_is_between_clauses():
    text = "It is soft" + " " * 100_000 + "but it runs small"
    found = [clause for sentence in sentences_of(text) for clause in clauses_of(sentence)]
    assert texts(found) == ["It is soft", "but it runs small"]
    assert found[1].start == len(text) - len(found[1].text)


def test_lists_stay_together():
    assert texts(clauses_of(sentences_of("Soft, warm and cosy!")[0])) == ["Soft, warm and cosy!"]


@pytest.mark.parametrize("text", ["", "   ", "!!! ...", "\n\n"])
def test_a_text_without_letters_has_no_sentence(text):
    assert sentences_of(text) == []


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("$19.99 is great value. It fits.", ["$19.99 is great value", "It fits"]),
        ("5.5 inch too small", ["5.5 inch too small"]),
        ("I wear 8.5. It holds 1.5 l!", ["I wear 8.5", "It holds 1.5 l!"]),
        ("U.S. sizes run large. Good.", ["U.S. sizes run large", "Good"]),
        ("It is warm.It is wide", ["It is warm", "It is wide"]),
        ("Soft...but small", ["Soft", "but small"]),
        ('"Too big." he said', ["Too big", "he said"]),
        ("质量好。物流快！好", ["质量好", "物流快！", "好"]),
    ],
)
def test_a_full_stop_ends_a_sentence_before_a_space(text, sentences):
    assert texts(sentences_of(text)) == sentences
