"""What is answered when the best label is not sure enough: its parent, or nothing."""

import pytest

from search.listings.label_suggestion import suggest_label

SURE = {"A > B > C": 0.5, "A > B > D": 0.4, "A > E": 0.05, "F": 0.05}


@pytest.mark.parametrize(
    ("cut", "answer", "confidence"),
    [(0.5, "A > B > C", 0.5), (0.8, "A > B", 0.9), (0.93, "A", 0.95), (0.99, "", 0.0)],
)
def test_the_deepest_parent_that_is_sure_is_answered(cut, answer, confidence):
    found = suggest_label("category", SURE, cut, {"F": ("7",)}, tree=True)
    assert (found.answer, found.answer_confidence) == (answer, pytest.approx(confidence))
    assert [one.name for one in found.top] == ["A > B > C", "A > B > D", "A > E"]


def test_only_categories_have_parents():
    assert suggest_label("colour", SURE, 0.8, {}).answer == ""


def test_names_that_begin_alike_are_no_family():
    assert suggest_label("category", {"A > B": 0.5, "AA > C": 0.5}, 0.8, {}, tree=True).answer == ""


def test_nothing_known_is_no_answer():
    found = suggest_label("category", {}, 0.5, {}, tree=True)
    assert (found.top, found.answer) == ((), "")


def test_evidence_is_told():
    found = suggest_label("colour", {"red": 1.0}, 0.5, {"red": ("7", "9")}).to_dict()
    assert found["top"] == [{"name": "red", "confidence": 1.0, "neighbours": ["7", "9"]}]
    assert found["answer"] == "red"
