"""The HTTP API, the page and the command line make one and the same query of one question."""

import io
import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from search.__main__ import main
from search.engine import SearchEngine
from search.query.filters import parse_filter
from search.query.intent import AVOID
from search.query.terms import ProductTerm, Query, TextTerm
from tests.web.shop_fixtures import BLUE, picture_bytes

K = 5  # the page shows five hits in these tests
PHOTO = picture_bytes(BLUE, (300, 200), "PNG")
CROP = [0.1, 0.2, 0.6, 0.9]
BRAND = {"brand": ["Acme"]}
QUESTIONS = {
    "text": {"text": "jumper"},
    "text with a not": {"text": "jumper not red"},
    "text with a not alone": {"text": "not red"},
    "text with a not alone, and a filter": {"text": "not red", "filter": BRAND},
    "text with a price": {"text": "jumper under 20"},
    "text with a price, and a filter": {"text": "jumper under 20", "filter": {"price": {"min": 5, "max": 50}}},
    "filter": {"filter": BRAND},
    "filter that passes everything": {"filter": {}},
    "photo": {"photo": True},
    "photo and text": {"photo": True, "text": "this, but in red, not blue"},
    "photo cropped": {"photo": True, "crop": CROP},
    "product": {"product": "red"},
    "product and cheaper": {"product": "green", "text": "cheaper"},
    "product and a not": {"product": "green", "text": "not red"},
    "sort": {"text": "jumper", "sort": "price"},
    "offset": {"text": "jumper", "offset": 5},
}


@pytest.fixture
def queries(monkeypatch):
    """The queries that the engine is given, without what doors add: facets, grouped variants, the time limit."""
    queries = []
    search = SearchEngine.search

    def spy(engine, query):
        queries.append(replace(query, facets=False, timeout_ms=None, group_variants=False))
        return search(engine, query)

    monkeypatch.setattr(SearchEngine, "search", spy)
    return queries


def ask_http(client, question):
    fields = {"text": "text", "product": "product_id", "filter": "filter", "sort": "sort", "offset": "offset"}
    body = {fields[name]: value for name, value in question.items() if name in fields} | {"k": K}
    body |= {name: json.dumps(question[name]) for name in ("filter", "crop") if name in question}
    if "photo" in question:
        body["image"] = (io.BytesIO(PHOTO), "photo.png")
    weights = {"image": "photo", "text": "text"}
    if "weights" in question:
        body["weights"] = json.dumps({name: question["weights"][part] for name, part in weights.items()})
    answer = client.post("/api/v1/search", data={name: str(v) if name != "image" else v for name, v in body.items()})
    assert answer.status_code == 200, answer.text


def ask_page(client, question):
    fields = {"text": "q", "product": "like", "sort": "sort", "offset": "offset"}
    values = {fields[name]: value for name, value in question.items() if name in fields}
    if "filter" in question:
        values["filter"] = json.dumps(question["filter"])
    if "photo" not in question:
        answer = client.get("/", query_string=values)
    else:
        crop = {"crop": json.dumps(question["crop"])} if "crop" in question else {}
        answer = client.post("/", data=values | crop | {"photo": (io.BytesIO(PHOTO), "photo.png")})
    assert answer.status_code == 200, answer.text


def ask_command_line(home, photo, question):
    options = ["query", "--home", home, "-k", K]
    for name in ("text", "product", "sort", "offset"):
        options += [f"--{name}", question[name]] if name in question else []
    if "filter" in question:
        options += ["--filter", json.dumps(question["filter"])]
    if "photo" in question:
        options += ["--image", photo]
    if "crop" in question:
        options += ["--crop", ",".join(map(str, question["crop"]))]
    for part, weight in question.get("weights", {}).items():
        options += [f"--weight-{'image' if part == 'photo' else part}", weight]
    result = CliRunner().invoke(main, [str(option) for option in options])
    assert result.exit_code == 0, result.output


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(PHOTO)
    return path


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=list(QUESTIONS))
def test_three_doors_make_one_query(client, home, photo, queries, question):
    ask_http(client, question)
    ask_page(client, question)
    ask_command_line(home, photo, question)
    by_http, by_page, by_command_line = queries
    assert by_http == by_page == by_command_line
    assert by_http.k == K


def test_weights_make_one_query(client, home, photo, queries):
    question = {"photo": True, "text": "red", "weights": {"photo": 0.5, "text": -0.5}}
    ask_http(client, question)
    ask_command_line(home, photo, question)
    by_http, by_command_line = queries
    assert by_http == by_command_line and [term.weight for term in by_http.terms] == [-0.5, 0.5]


def test_a_text_of_nothing_but_a_not_subtracts(client, home, photo, queries):
    # Without a filter it was a text like any other, so that "not red" found red things first.
    for ask in (
        lambda q: ask_http(client, q),
        lambda q: ask_page(client, q),
        lambda q: ask_command_line(home, photo, q),
    ):
        ask({"text": "not red", "filter": BRAND})
        ask({"text": "not red"})
    assert queries[::2] == 3 * [Query((TextTerm("red", AVOID),), k=K, filter=parse_filter(BRAND), typed="not red")]
    assert queries[1::2] == 3 * [Query((TextTerm("red", AVOID),), k=K, typed="not red")]


def test_cheaper_is_compared_with_the_price_of_the_product(app, client, queries):
    ask_http(client, {"product": "green", "text": "cheaper"})
    assert queries == [Query((ProductTerm("green"),), k=K, cheaper=True, typed="cheaper")]
    page = client.get("/", query_string={"like": "green", "q": "cheaper"}).text
    assert "13.89" in page
