"""Questions for a kind of thing: the truth comes from categories and attributes, and every row counts."""

import math

import pytest

from catalog.errors import BadFeed
from catalog.product import Product
from search.evaluation.catalogue_grader import CatalogueGrader, KindQuestion
from search.evaluation.graded import Grade
from search.evaluation.kind_questions import evaluate_questions
from search.hits import SearchHit

MUGS = (
    Product("a", "Mug", (), "Tableware > Mugs", brand="Kettle & Co", attributes={"colour": "red and white"}),
    Product("b", "Mug", (), "Tableware > Mugs", attributes={"Color": "Navy Blue", "gender": "Women"}),
    Product("c", "Plate", (), "Tableware > Plates", attributes={"colour": "Red", "gender": "Men"}),
    Product("d", "杯子", (), "餐具>马克杯", attributes={"colour_zh": "天蓝色配白色"}),
)


@pytest.fixture(scope="module")
def grader():
    return CatalogueGrader(MUGS)


def test_a_kind_is_a_category_by_its_path_or_its_last_part(grader):
    assert grader.of_kinds(("mugs",)) == grader.of_kinds(("Tableware > Mugs",)) == {"a", "b"}
    assert grader.of_kinds(("MUGS", "plates")) == {"a", "b", "c"}
    assert grader.of_kinds(("马克杯",)) == grader.of_kinds(("餐具 > 马克杯",)) == {"d"}
    assert grader.of_kinds(("tableware",)) == grader.of_kinds(()) == frozenset()  # only the kind itself


def test_an_attribute_holds_every_word_of_the_value(grader):
    assert grader.having("colour", "red") == grader.having("color", "RED") == {"a", "c"}
    assert grader.having("colour", "blue navy") == {"b"} and grader.having("colour", "navy red") == frozenset()
    assert grader.having("gender", "men") == {"c"} and grader.having("brand", "kettle") == {"a"}
    assert grader.having("colour_zh", "蓝色") == {"d"} and grader.having("colour_zh", "红色") == frozenset()
    assert grader.has_attribute("colour") and grader.has_attribute("brand") and not grader.has_attribute("size")


def test_hits_are_graded_against_the_whole_shop(grader):
    hits = [SearchHit(MUGS[place], None, 1.0, {}) for place in (2, 0, 3)]
    ranking = grader.ranking(KindQuestion("red mug", ("mugs",), {"colour": "red"}), hits)
    assert ranking.hits == (Grade(False, 1.0), Grade(True, 1.0), Grade(False, 0.0))
    assert (ranking.kinds, ranking.pairs, ranking.ideal) == (2, 1, (3.0, 2.0, 1.0))
    both = grader.ranking(KindQuestion("", ("mugs",), {"colour": "red", "gender": "women"}), hits)
    assert both.hits[1] == Grade(True, 0.5) and both.pairs == 0 and both.ideal == (2.5, 2.5, 0.5)
    plain = grader.ranking(KindQuestion("mug", ("mugs",)), hits)
    assert plain.hits[1] == Grade(True, 0.0) and plain.pairs == 0 and plain.ideal == (2.0, 2.0)


def write(path, *lines):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_file_of_questions(engine, tmp_path):
    path = write(
        tmp_path / "q.csv",
        "query,kind,place,lang",
        "blue hat,hats,shelf of b,en",  # the only hat is first
        "red scarf,Plain|Striped,shelf of r,en",
        "green,hats,,zh",  # a scarf is first
        "red,gloves,,zh",  # which the shop does not sell
        ",hats,,zh",
    )
    evaluation = evaluate_questions(engine, path)
    figures = evaluation.to_dict()
    assert figures["queries"] == 5 and figures["kind_at_1"] == 2 / 5
    assert figures["kind_at_1_interval"][0] < 2 / 5 < figures["kind_at_1_interval"][1]
    assert figures["pair_at_1"] == 1.0 and figures["pair_at_1_queries"] == 2
    assert figures["kind_recall_at_10_queries"] == 4  # all but gloves
    assert figures["pairs_in_10"] is None and figures["pairs_in_10_queries"] == 0
    assert figures["languages"]["en"]["kind_at_1"] == 1.0 and figures["languages"]["zh"]["queries"] == 3
    assert figures["unknown_kinds"] == ["gloves"]
    assert [failure["query"] for failure in figures["failures"]] == ["", "red", "green"]
    assert figures["failures"][1]["kind"] == "gloves" and "red scarf" in figures["failures"][1]["hits"]
    assert figures["rejected"] == [{"line": 6, "query": "", "reason": "The field is blank."}]
    hat = evaluation.answers[0].ranking
    assert hat.ndcg() == 1.0 and evaluation.answers[2].ranking.ndcg() < 1 / math.log2(3) + 0.01


def test_a_column_that_no_product_has_is_named(engine, tmp_path):
    path = write(tmp_path / "q.csv", "query,kind,size", "hat,hats,XL")
    with pytest.raises(BadFeed, match="'size', and no product"):
        evaluate_questions(engine, path)
    blank = write(tmp_path / "blank.csv", "query,kind,size", "hat,hats,")
    assert evaluate_questions(engine, blank).to_dict()["kind_at_1"] == 1.0
