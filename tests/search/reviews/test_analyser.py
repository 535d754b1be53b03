"""The shipped analysis: what plain reviews say is found, with the place that says it; heads fit their examples."""

import pytest

from catalog.errors import BadFeed
from catalog.reviews.review import ReviewAnalysis
from search.reviews.analysis.analyser import ReviewAnalyser
from search.reviews.analysis.examples import examples_digest, read_examples
from search.reviews.analysis.polarity import SentenceHeads
from search.reviews.analysis.word_pairs import word_pairs
from search.reviews.evaluation.measures import (
    LabelledClause,
    aspects_of,
    measure_aspects,
    measure_sentiment,
    read_labelled_clauses,
    read_labelled_reviews,
)

GOOD = "I love this kettle. It is sturdy and worth every penny."
MIXED = "The colour is lovely. Unfortunately it runs small and the seams ripped after one wash, so it went back."
CHINESE = "质量很好，穿着很舒服。就是物流太慢了"


@pytest.fixture(scope="module")
def analyser():
    return ReviewAnalyser.open()


def test_a_review_is_read_as_a_whole_and_by_aspect(analyser):
    good, mixed, chinese, empty = analyser.analyse([GOOD, MIXED, CHINESE, "???"])
    assert good.sentiment > 0.9 > 0.5 > mixed.sentiment
    assert aspects_of(good) == {"quality": "positive", "price": "positive"}
    assert aspects_of(mixed) == {"colour": "positive", "size": "negative", "quality": "negative"}
    assert aspects_of(chinese) == {"quality": "positive", "comfort": "positive", "delivery": "negative"}
    assert empty == ReviewAnalysis(0.5)


def test_an_opinion_shows_the_clause_that_says_it(analyser):
    shown = {opinion.aspect: MIXED[opinion.start : opinion.end] for opinion in analyser.analyse([MIXED])[0].opinions}
    assert shown["colour"] == "The colour is lovely"
    assert "runs small" in shown["size"] and "seams ripped" in shown["quality"]


def test_a_quick_analysis_reads_the_least_sure_sentences_with_the_model(analyser, monkeypatch):
    read = []
    of_sentences = analyser._vectors.multilingual
    monkeypatch.setattr(analyser._vectors, "multilingual", lambda texts: read.extend(texts) or of_sentences(texts))
    sure = "It is wonderful and beautiful, I love it so much, the best and most perfect thing, great and amazing"
    unsure = "The seat is hard as stone"
    quick = ReviewAnalyser(analyser._vectors, analyser._heads, quick=True)
    first, second, empty = quick.analyse([sure, unsure, "???"])
    assert read == [unsure]
    assert first.sentiment > 0.8 and second.sentiment < 0.5 and empty == ReviewAnalysis(0.5)
    assert aspects_of(second) == {"comfort": "negative"}


def test_reviews_do_not_change_each_other(analyser):
    alone = [analyser.analyse([text])[0] for text in (GOOD, MIXED, CHINESE)]
    for one, other in zip(alone, analyser.analyse([CHINESE, MIXED, GOOD, GOOD])[2::-1], strict=True):
        assert other.sentiment == pytest.approx(one.sentiment, abs=0.01)
        assert [(o.aspect, o.polarity, o.start) for o in other.opinions] == [
            (o.aspect, o.polarity, o.start) for o in one.opinions
        ]


def test_the_shipped_heads_were_fitted_on_the_shipped_examples():
    heads = SentenceHeads.load()
    assert {head.about["examples"] for head in (heads.sentiment, heads.polarity)} == {examples_digest()}
    assert len({example.text for example in read_examples()}) == len(read_examples())


def test_measures_read_what_they_are_given(analyser, tmp_path):
    reviews, clauses = tmp_path / "reviews.csv", tmp_path / "clauses.csv"
    reviews.write_text("text,positive,lang\nI love it,1,en\nRubbish,0,en\n非常满意,1,zh\n", encoding="utf-8")
    clauses.write_text("lang,text,aspects\nen,It runs small,size:negative\nen,I love it,\n", encoding="utf-8")
    figures = measure_sentiment(analyser, read_labelled_reviews(reviews))
    assert figures["auroc"] == figures["by_language"]["en"]["auroc"] == 1 and figures["n"] == 3
    assert figures["by_language"]["zh"]["auroc"] is None
    found = measure_aspects(analyser, read_labelled_clauses(clauses))
    assert found["precision"] == found["recall"] == found["by_language"]["en"]["polarity_accuracy"] == 1
    assert measure_aspects(analyser, [LabelledClause("I love it", {"price": "positive"}, "en")])["precision"] is None


def test_words_after_a_negation_are_others():
    assert set(word_pairs("not good")) & set(word_pairs("good")) == set(word_pairs(""))
    assert set(word_pairs("not. good")) & set(word_pairs("good")) > set(word_pairs(""))


@pytest.mark.parametrize(
    ("read", "text", "reason"),
    [
        (read_labelled_reviews, "text,positive\nfine,perhaps\n", "line 2: positive is 'perhaps'"),
        (read_labelled_clauses, "text,aspects\nfine,taste:positive\n", "line 2: aspects is 'taste:positive'"),
        (read_labelled_clauses, "text,aspects\nfine,size\n", "line 2: aspects is 'size'"),
    ],
)
def test_labels_that_are_none_are_refused(tmp_path, read, text, reason):
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadFeed, match=reason):
        read(path)
