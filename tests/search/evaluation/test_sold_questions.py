"""The verdict on words: AUROC and calibration by hand, and what a file of questions may hold."""

import pytest

from catalog.errors import BadFeed, BadQuery
from search.evaluation.sold_questions import JudgedQuestion, SoldQuestion, evaluate_sold, sold_figures
from search.hits import Verdict


def judged(sold, *probabilities):
    return [JudgedQuestion(SoldQuestion(f"{sold} {stated}", sold), Verdict(stated)) for stated in probabilities]


def test_figures_by_hand():
    figures = sold_figures(judged(True, 0.9, 0.6) + judged(False, 0.7, 0.1))
    assert (figures["queries"], figures["sold"], figures["unsold"]) == (4, 2, 2)
    assert figures["auroc"] == 3 / 4  # 0.9 above both, 0.6 above 0.1 alone
    assert figures["ece"] == pytest.approx((0.1 + 0.4 + 0.7 + 0.1) / 4)  # a bin for each question
    assert figures["ece_interval"][0] < figures["ece"] < figures["ece_interval"][1]
    assert figures["ece_perfect"] == pytest.approx((2 * 0.9 * 0.1 * 2 + 2 * 0.6 * 0.4 + 2 * 0.7 * 0.3) / 4, abs=0.02)
    assert [sum(kinds.values()) for kinds in figures["verdicts"].values()] == [2, 2]


def test_without_unsold_questions_there_is_no_auroc():
    figures = sold_figures(judged(True, 0.9, 0.8))
    assert figures["auroc"] is None and figures["unsold"] == 0 and figures["ece"] == pytest.approx(0.15)
    assert sold_figures([])["ece"] is None


def test_the_furthest_from_the_truth_is_the_worst():
    errors = {one.question.text: one.error for one in judged(True, 0.9, 0.2) + judged(False, 0.9)}
    assert errors == pytest.approx({"True 0.9": 0.1, "True 0.2": 0.8, "False 0.9": 0.9})


def write(path, *lines):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_cell_that_is_neither_yes_nor_no_is_named(engine, tmp_path):
    with pytest.raises(BadFeed, match="line 3: sold is 'perhaps'"):
        evaluate_sold(engine, write(tmp_path / "q.csv", "query,sold", "red scarf,yes", "hat,perhaps"))


def test_a_shop_without_verdicts_on_words_says_so(engine, tmp_path):
    """The tiny shop's encoder has no sentence vectors, so only names of its kinds have a verdict."""
    with pytest.raises(BadQuery, match="no verdict"):
        evaluate_sold(engine, write(tmp_path / "q.csv", "query,sold", "samovar,1", "dishwasher,0"))
