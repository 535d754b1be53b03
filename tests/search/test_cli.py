"""The command lines, as a person or a script meets them: what they print, where, and how they exit."""

import json
import re

import pytest
from click.testing import CliRunner
from PIL import Image

from search.__main__ import main
from tests.search.shop_fixtures import BLUE, RED, make_shop, picture


@pytest.fixture
def shop(home, fake_encoder):
    make_shop(home).close()
    return home


@pytest.fixture
def run(shop):
    def run(*arguments, code=0):
        command, *rest = map(str, arguments)
        result = CliRunner().invoke(main, [command, "--home", str(shop), *rest])
        assert result.exit_code == code, result.output
        return result

    return run


def test_browsing_by_a_filter(run):
    result = run("query", "--filter", '{"category": "Apparel > Hats"}')
    assert "blue hat" in result.stdout and "1 products" in result.stdout


def test_query_by_words(run):
    result = run("query", "--text", "blue", "-k", 3)
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["rank", "score", "id", "title", "category", "price", "strongest"]
    assert lines[2].startswith("   1  1.000  b   blue hat") and lines[2].endswith("lexical 0.50")
    assert "12.90 EUR" in result.stdout
    assert lines[-1].startswith("3 products in ") and lines[-1].endswith("from generation 1")


def test_query_without_prices_has_no_price_column(run):
    assert "price" not in run("query", "--text", "blue", "-k", 1).stdout


def test_query_as_json_is_one_object(run, tmp_path):
    picture(RED).save(tmp_path / "red.png")
    result = run(
        "query", "--image", tmp_path / "red.png", "--text", "green", "--weight-text", "-0.5", "-k", 1, "--json"
    )
    found = json.loads(result.stdout)
    assert result.stderr == "" and result.stdout.count("\n") == 1
    assert found["query"] == {
        "image": str(tmp_path / "red.png"),
        "text": "green",
        "product": None,
        "weight_image": 1.0,
        "weight_text": -0.5,
        "crop": None,
        "k": 1,
    }
    assert found["generation"] == 1 and found["took_ms"] >= 0 and found["degraded"] == []
    (hit,) = found["hits"]
    assert hit["rank"] == 1 and hit["id"] == "r" and hit["price"] == "12.90" and hit["currency"] == "EUR"
    assert len(hit["picture"]) == 64 and hit["in_stock"] is True
    assert sum(hit["parts"].values()) == pytest.approx(hit["score"], abs=1e-5)


def test_a_later_page_with_its_facets(run):
    first = json.loads(run("query", "--text", "scarf", "-k", 2, "--json").stdout)
    second = json.loads(run("query", "--text", "scarf", "-k", 1, "--offset", 1, "--facets", "--json").stdout)
    assert [hit["id"] for hit in second["hits"]] == [first["hits"][1]["id"]]
    assert "category" in {facet["name"] for facet in second["facets"]} and not first["facets"]
    assert "category: Apparel" in run("query", "--text", "scarf", "--facets").stdout


def test_a_crop_asks_for_what_is_in_it(run, tmp_path):
    both = Image.new("RGB", (400, 200), RED)
    both.paste(BLUE, (200, 0, 400, 200))
    both.save(tmp_path / "both.png")
    for crop, colour in (("0,0,0.3,1", "red"), ("0.7,0,1,1", "blue")):
        found = json.loads(run("query", "--image", tmp_path / "both.png", "--crop", crop, "-k", 1, "--json").stdout)
        assert colour in found["hits"][0]["title"] and found["query"]["crop"] == [float(x) for x in crop.split(",")]
    refused = run("query", "--image", tmp_path / "both.png", "--crop", "0,0,2,1", code=2)
    assert "no box inside the picture" in refused.output
    assert "give both" in run("query", "--text", "blue", "--crop", "0,0,1,1", code=2).output


def test_query_by_product(run):
    found = json.loads(run("query", "--product", "y", "--json").stdout)
    assert [hit["id"] for hit in found["hits"]] == ["g", "r", "b"]


def test_errors_of_a_kind_go_to_stderr_with_exit_code_1(run, tmp_path):
    (tmp_path / "fake.jpg").write_text("text")
    for arguments, says in (
        (("query", "--product", "nobody"), "No product has the id 'nobody'"),
        (("query", "--image", tmp_path / "fake.jpg"), "picture"),
        (("query", "--text", " "), "blank"),
        (("query", "--text", "x", "-k", 0), "k is 0"),
        (("query", "--text", "x", "--home", tmp_path / "none"), "make index"),
    ):
        result = run(*arguments, "--json", code=1)
        assert result.stderr.startswith("Error: ") and says in result.stderr
        assert result.stdout == "" and "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("query",),
        ("query", "--image", "nowhere.jpg"),
        ("query", "--text", "x", "-k", "many"),
        ("query", "--text", "x", "--runtime", "abacus"),
        ("evaluate",),
        ("categorise",),
        ("categorise", "--photos", __file__, "--labels", " , "),
        ("evaluate", "--photos", __file__, "--texts", __file__),
        ("evaluate", "--questions", __file__, "--sold", __file__),
        ("nonsense",),
    ],
)
def test_bad_usage_exits_with_2(run, arguments):
    assert run(*arguments, code=2).stdout == ""


def test_evaluate(run, tmp_path):
    (tmp_path / "q.csv").write_text("query,product_id\nred,r\nblue,g\nred,nobody\n,r\n")
    result = run("evaluate", "--texts", tmp_path / "q.csv", "--json")
    figures = json.loads(result.stdout)
    assert figures["queries"] == 4 and figures["recall_at_1"] == 0.5
    assert {"recall_at_1", "recall_at_5", "recall_at_10", "mrr"} <= figures.keys()
    assert figures["unknown_products"] == ["nobody"]
    assert "line 5: '': The field is blank." in result.stderr
    assert "1 of the expected products are not in the catalogue" in result.stderr
    shown = run("evaluate", "--texts", tmp_path / "q.csv").stdout
    assert "recall_at_1             0.5000" in shown


def test_evaluate_photos(run, tmp_path):
    picture(BLUE).save(tmp_path / "blue.png")
    (tmp_path / "p.csv").write_text("photo,product_id\nblue.png,b\n")
    assert json.loads(run("evaluate", "--photos", tmp_path / "p.csv", "--json").stdout)["mrr"] == 1.0


def test_evaluate_questions(run, tmp_path):
    (tmp_path / "q.csv").write_text("query,kind,place,lang\nblue hat,hats,shelf of b,en\nred,gloves,,zh\n,hats,,zh\n")
    result = run("evaluate", "--questions", tmp_path / "q.csv", "--json")
    figures = json.loads(result.stdout)
    assert figures["queries"] == 3 and figures["kind_at_1"] == pytest.approx(1 / 3, abs=1e-6)
    assert "line 4: '': The field is blank." in result.stderr and "count as misses: gloves" in result.stderr
    shown = run("evaluate", "--questions", tmp_path / "q.csv").stdout
    assert re.search(r"kind_at_1 +0\.333 +0\.000 to 1\.000 +3\n", shown)
    assert re.search(r"pair_at_1 +1\.000 +1\.000 to 1\.000 +1  en\n", shown)
    assert "query: red; kind: gloves; hits: " in shown


def test_evaluate_sold_needs_a_verdict_on_words(run, tmp_path):
    (tmp_path / "q.csv").write_text("query,sold\nsamovar,1\ndishwasher,0\n")
    assert "Index the shop again" in run("evaluate", "--sold", tmp_path / "q.csv", code=1).stderr


def test_categorise(run, tmp_path):
    picture(BLUE).save(tmp_path / "blue.png")
    (tmp_path / "p.csv").write_text("photo,category\nblue.png,hats\n")
    found = json.loads(run("categorise", "--photos", tmp_path / "p.csv", "--json").stdout)
    assert found["photos"] == 1 and found["results"][0]["category"] == "Apparel > Hats" and found["accuracy"] == 1.0
    shown = run("categorise", "--photos", tmp_path / "p.csv", "--labels", "red, blue").stdout
    assert "blue.png  blue" in shown and "accuracy                0.0000" in shown


@pytest.mark.parametrize("command", ["query", "evaluate", "categorise"])
def test_every_command_explains_itself(command):
    result = CliRunner().invoke(main, [command, "--help"])
    assert result.exit_code == 0 and "--home" in result.stdout
