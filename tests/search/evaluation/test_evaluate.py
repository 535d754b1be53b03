"""Recall and MRR, worked out by hand; and that no row of the file is lost on the way."""

import pytest

from catalog.errors import BadFeed, UnsupportedQuery
from search.evaluation.evaluate import evaluate_photos, evaluate_texts, first_rank, mean_reciprocal_rank, recall_at
from tests.fake_encoder import FakeEncoder
from tests.search.shop_fixtures import BLUE, GREEN, RED, make_shop, picture


@pytest.mark.parametrize(
    ("ranked", "relevant", "rank"),
    [("abc", "a", 1), ("abc", "c", 3), ("abc", "cb", 2), ("abc", "x", None), ("", "a", None), ("abc", "", None)],
)
def test_first_rank(ranked, relevant, rank):
    assert first_rank(list(ranked), set(relevant)) == rank


def test_recall_and_reciprocal_rank_by_hand():
    ranks = [1, 2, 5, 6, None]
    assert [recall_at(ranks, k) for k in (1, 2, 5, 10)] == [0.2, 0.4, 0.6, 0.8]
    assert mean_reciprocal_rank(ranks) == pytest.approx((1 + 1 / 2 + 1 / 5 + 1 / 6) / 5)
    assert recall_at([], 1) == mean_reciprocal_rank([]) == 0.0


def write(path, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_photos_are_found_beside_their_file(engine, tmp_path):
    folder = tmp_path / "asked"
    (folder / "photos").mkdir(parents=True)
    for name, colour in (("red", RED), ("green", GREEN), ("blue", BLUE)):
        picture(colour, 40).save(folder / "photos" / f"{name}.jpg")
    path = write(
        folder / "photos.csv",
        "photo,product_id",
        "photos/red.jpg,r",  # rank 1
        "photos/green.jpg,y",  # rank 2, its green picture but not its words
        "photos/blue.jpg,r",  # rank 3 of the four: b, then g and r tie, then y
    )
    figures = evaluate_photos(engine, path).to_dict()
    assert figures["queries"] == 3
    assert figures["recall_at_1"] == pytest.approx(1 / 3, abs=1e-6)
    assert figures["recall_at_5"] == figures["recall_at_10"] == 1.0
    assert figures["mrr"] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3, abs=1e-6)
    assert figures["generation"] == 1 and figures["encoder"] == "fake"
    assert figures["took_ms_p50"] <= figures["took_ms_p95"]
    assert figures["rejected"] == figures["unknown_products"] == []


def test_rows_with_the_same_question_are_answered_by_any_of_their_products(engine, tmp_path):
    path = write(tmp_path / "q.csv", "query,product_id", "green,y", "green,g", "red,nobody")
    evaluation = evaluate_texts(engine, path)
    assert evaluation.ranks == (1, 1, None)
    assert evaluation.unknown_products == ("nobody",)
    assert evaluation.to_dict()["recall_at_1"] == pytest.approx(2 / 3, abs=1e-6)
    assert len(evaluation.took_ms) == 2  # asked once


@pytest.mark.promise("R21")
def test_what_cannot_be_asked_is_a_miss_with_a_reason(engine, tmp_path):
    (tmp_path / "text.jpg").write_text("not a picture at all")
    picture(RED).save(tmp_path / "red.png")
    path = write(
        tmp_path / "photos.csv",
        "\ufeffPhoto , product_id,camera",
        "text.jpg,r",
        "gone.jpg,r",
        "",
        ",r",
        "red.png",
        "red.png,r,phone",
    )
    evaluation = evaluate_photos(engine, path)
    assert evaluation.ranks == (None, None, None, None, 1)
    assert [row["line"] for row in evaluation.rejected] == [2, 3, 5, 6]
    assert "gone.jpg" in evaluation.rejected[1]["reason"]
    assert evaluation.rejected[2]["reason"] == "The field is blank."
    assert "product_id" in evaluation.rejected[3]["reason"]


def test_more_questions_than_a_batch(engine, tmp_path):
    rows = [f"{'very ' * i}blue,b" for i in range(70)]
    evaluation = evaluate_texts(engine, write(tmp_path / "q.csv", "query,product_id", *rows))
    assert evaluation.ranks == (1,) * 70
    long = write(tmp_path / "long.csv", "query,product_id", "x" * 1001 + ",b")
    assert "1,001 characters" in evaluate_texts(engine, long).rejected[0]["reason"]


def test_files_that_are_not_what_they_should_be(engine, tmp_path):
    with pytest.raises(BadFeed, match="'product_id'; its columns are: photo, id"):
        evaluate_photos(engine, write(tmp_path / "a.csv", "photo,id", "x,y"))
    (tmp_path / "b.csv").write_bytes(b"query,product_id\n\xff\xfe,x\n")
    with pytest.raises(BadFeed, match=r"b\.csv cannot be read"):
        evaluate_texts(engine, tmp_path / "b.csv")
    with pytest.raises(BadFeed, match=r"none\.csv cannot be read: No such file"):
        evaluate_texts(engine, tmp_path / "none.csv")
    assert evaluate_texts(engine, write(tmp_path / "c.csv", "query,product_id")).to_dict()["queries"] == 0


def test_words_need_an_encoder_that_reads(home, tmp_path):
    with make_shop(home, encoder=FakeEncoder(texts=False)) as engine, pytest.raises(UnsupportedQuery):
        evaluate_texts(engine, write(tmp_path / "q.csv", "query,product_id", "red,r"))
