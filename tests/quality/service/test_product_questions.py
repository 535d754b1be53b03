"""The questions about products of the sample shop, which every clone has: the rest is measured by `make eval`."""

import csv
from collections import Counter

from tests.quality.service.product_questions import PRECISION, QUESTIONS, RECALL, figures_of, read_questions


def test_half_of_the_questions_have_no_answer_in_each_half():
    with QUESTIONS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    counts = Counter((row["split"], bool(row["answer"] or row["verdict"])) for row in rows)
    assert counts == {("dev", True): 30, ("dev", False): 30, ("test", True): 30, ("test", False): 30}
    assert len({(row["product_id"], row["question"]) for row in rows}) == 120


def test_questions_about_the_sample_shop_are_answered_and_nothing_is_invented():
    figures, wrong = figures_of(read_questions())
    assert figures["questions"] == 49
    assert figures["precision"] >= PRECISION and figures["recall"] >= RECALL and figures["invented"] == 0, wrong
