"""The questions by which search is judged: they are what they are said to be, and the two parts share none."""

import pytest

from catalog.feeds.reader import read_feed
from catalog.product import Product
from catalog.sample import SAMPLE_FOLDER
from search.evaluation.catalogue_grader import CatalogueGrader
from tests.quality.question_sets.colour_kind import (
    CHINESE,
    ENGLISH,
    LANGUAGES,
    QUESTIONS,
    REPORT,
    TUNE,
    colour_words,
    fashion_questions,
    frequent_fashion_questions,
    sample_questions,
    singular,
)
from tests.quality.question_sets.own_words import content_words, own_words, shop_words
from tests.quality.question_sets.sold import sold_questions, unsold_questions

PARTS = (TUNE, REPORT)
COLOURS = colour_words("sample").values()


@pytest.fixture(scope="module")
def products():
    return [product for product in read_feed(SAMPLE_FOLDER / "products.csv") if isinstance(product, Product)]


def test_one_thing_of_a_kind():
    names = ("side tables", "shelves", "glasses", "boxes", "scarves", "ties", "casual shoes", "accessories", "dress")
    assert [singular(name) for name in names] == [
        *("side table", "shelf", "glass", "box", "scarf", "tie", "casual shoes", "accessories", "dress")
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_short_questions_of_the_sample_shop(products, language):
    tune, report = (sample_questions(products, language, part) for part in PARTS)
    assert len(tune) == len(report) == QUESTIONS
    assert {q.text for q in tune if q.text in {other.text for other in report}} <= {f"{c}烛台" for c in COLOURS}
    grader = CatalogueGrader(products)
    held = [bool(grader.of_kinds(q.kinds) & grader.having("colour", q.attributes["colour"])) for q in report]
    assert 0.25 < sum(held) / len(held) < 0.5  # also pairs that the shop does not have
    assert all(grader.of_kinds(question.kinds) for question in report)
    assert len({question.kinds for question in report}) > 25


def test_a_chinese_word_for_two_kinds_asks_for_both(products):
    question = next(q for q in sample_questions(products, CHINESE, TUNE) if q.text.endswith("烛台"))
    assert question.kinds == ("Candle holders", "Candlesticks")


def test_short_questions_of_fashion():
    genders = [{"gender": gender} for gender in ("Men", "Women")]
    products = [
        Product(f"{kind} {number}", kind, (), f"Apparel > {kind}", attributes=genders[number % 2])
        for kind in ("Tshirts", "Casual Shoes", "Kurtas")
        for number in range(8)
    ]
    questions = fashion_questions(products, ENGLISH, TUNE)
    assert len(questions) == 3 * 16 / 2 and len({q.text for q in questions}) == len(questions)
    gendered = [question for question in questions if "gender" in question.attributes]
    assert 0.1 < len(gendered) / len(questions) < 0.5
    for question in gendered:
        assert question.attributes["gender"].lower() in question.text and question.attributes["colour"] in question.text
    assert {q.kinds for q in fashion_questions(products, CHINESE, TUNE)} == {("Tshirts",), ("Casual Shoes",)}


def test_frequent_pairs_are_those_of_products():
    products = [
        Product(f"{colour} {number}", "", (), "Apparel > Tshirts", attributes={"colour": colour})
        for colour in ("Black", "Navy Blue", "Mauve")
        for number in range(5)
    ]
    questions = [question for part in PARTS for question in frequent_fashion_questions(products, part)]
    assert {question.attributes["colour"] for question in questions} == {"black", "navy blue"}  # no list has mauve
    assert all(question.text.split()[-1] in ("tshirt", "tshirts") for question in questions)


@pytest.mark.parametrize("language", LANGUAGES)
def test_own_words_stand_nowhere_in_the_shop(products, language):
    words = shop_words(products)
    tune, report = (own_words("sample", language, part) for part in PARTS)
    assert len(tune) == len(report) == (60 if language == ENGLISH else 20)
    assert not {question.text for question in tune} & {question.text for question in report}
    assert [q.text for q in (*tune, *report) if words.intersection(content_words(q.text))] == []
    assert all(content_words(question.text) for question in (*tune, *report))
    grader = CatalogueGrader(products)
    assert all(grader.of_kinds((kind,)) for question in (*tune, *report) for kind in question.kinds)


def test_the_check_of_own_words_finds_what_it_should(products):
    words = shop_words(products)
    assert words.intersection(content_words("a shelf for my books")) == {"shelf"}
    assert words.intersection(content_words("红色的花瓶")) == {"红色", "花瓶"}
    assert len(own_words("fashion", ENGLISH, TUNE)) == len(own_words("fashion", ENGLISH, REPORT)) == 40


@pytest.mark.parametrize("language", LANGUAGES)
def test_questions_for_the_verdict_are_balanced_and_apart(products, language):
    for sold, unsold in (
        (sold_questions(products, "sample", language, part), unsold_questions("sample", language, part))
        for part in PARTS
    ):
        assert 0.7 < len(sold) / len(unsold) < 1.4 and all(q.sold for q in sold) and not any(q.sold for q in unsold)
        assert {question.type for question in unsold} >= {"kind", "nonsense", "sentence", "adjective and kind"}
    bare = [{q.text for q in unsold_questions("sample", language, part) if q.type == "kind"} for part in PARTS]
    assert not bare[0] & bare[1] and len(bare[0] | bare[1]) >= 50
    kinds = [{q.text for q in sold_questions(products, "sample", language, part) if q.type == "kind"} for part in PARTS]
    assert kinds[0] & kinds[1] <= {"烛台"} and kinds[0] and kinds[1]
    words = shop_words(products)
    sold_words = [text for text in bare[0] | bare[1] if words.issuperset(content_words(text))]
    assert sold_words == []
