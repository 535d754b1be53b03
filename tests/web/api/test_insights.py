"""The owner's week over HTTP, from searches and clicks that shoppers make."""

import csv
import hashlib
import io
import re
import shutil

import pytest

from tests.fake_encoder import FakeEncoder
from tests.web.shop_fixtures import ADMIN_KEY, WRITER, make_shop, picture_bytes
from web.engine import holder_of
from web.middleware.query_logging import search_counts
from web.settings import Settings

OWNER = {"Authorization": f"Bearer {ADMIN_KEY}"}
SEARCH = "/api/v1/search"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    home = tmp_path_factory.mktemp("insights")
    make_shop(home, FakeEncoder())  # opened by nobody: a copy of an open database would break its locks
    return home


@pytest.fixture
def serve(made, tmp_path, make_app):
    def served(least_visitors=1, **settings):
        copied = shutil.copytree(made, tmp_path / "home")
        app = make_app(Settings(home=copied, timeout_ms=20_000, least_visitors=least_visitors, **settings))
        holder_of(app).wait(300)
        return app.test_client()

    return served


def week(client):
    answer = client.get("/api/v1/ops/insights", headers=OWNER)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_searches_and_clicks_of_shoppers_become_figures(serve):
    client = serve()
    page = client.get("/?q=Red jumper").text
    (query_id,) = re.findall(r'data-query="(\w+)"', page)
    client.get("/?q=red jumper&sort=price")
    client.get('/?q=red jumper&filter={"brand":["Acme"]}')
    api = client.post(SEARCH, json={"text": "red  jumper"}).json
    assert api["query_id"] == query_id != hashlib.blake2b(b"red jumper", digest_size=8).hexdigest()
    client.post("/", data={"photo": (io.BytesIO(picture_bytes()), "a.jpg")}, content_type="multipart/form-data")
    client.post(SEARCH, json={"text": "red jumper"}, headers=WRITER)  # a program asks for many shoppers
    click = {"type": "click", "product_id": "red", "rank": 1, "query_id": query_id}
    client.post("/api/v1/events", json={"visitor": "v", "events": [click, click]})
    found = week(client)
    figures = {each["name"]: each["now"] for each in found["figures"]}
    assert (figures["word_searches"], figures["photo_searches"], figures["visitors"]) == (2, 1, 1)
    (row,) = found["tables"]["questions"]["rows"]
    assert (row["words"], row["times"], row["before"], row["clicked"]) == ("red jumper", 2, None, 1)
    assert found["tables"]["products"]["rows"][0]["id"] == "red"
    assert found["tables"]["never_shown"]["total"] < 18


def test_a_photo_counts_once_however_its_objects_and_parts_are_looked_for(serve):
    client = serve()

    def sent(**more):
        fields = {"image": (io.BytesIO(picture_bytes()), "a.jpg"), **more}
        assert client.post(SEARCH, data=fields, content_type="multipart/form-data").status_code == 200

    sent()
    shown = search_counts(client.application).shown()
    sent(regions="true", k="1")
    assert search_counts(client.application).shown() == shown
    sent(crop="[0.1, 0.1, 0.9, 0.9]")
    assert {each["name"]: each["now"] for each in week(client)["figures"]}["photo_searches"] == 1


def test_limits_in_the_words_are_no_filters_that_were_clicked(serve):
    client = serve()
    client.get("/?q=red jumper under 20")
    client.post(SEARCH, json={"text": "green jumper in stock"})
    client.post(SEARCH, json={"text": "blue jumper under 20", "filter": {"brand": "Acme"}})
    client.post(SEARCH, json={"text": "blue jumper under 20", "filter": {"price": {"max": 15}}})
    rows = week(client)["tables"]["questions"]["rows"]
    assert [(row["words"], row["times"]) for row in rows] == [("green jumper", 1), ("red jumper", 1)]


def test_tables_come_as_files_that_run_nothing(serve):
    client = serve()
    client.post(SEARCH, json={"text": "=cmd|' /C calc'!A0"})
    answer = client.get("/api/v1/ops/insights/questions.csv", headers=OWNER)
    assert answer.mimetype == "text/csv" and 'filename="questions.csv"' in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert rows[0]["words"].startswith("'=")
    assert client.get("/api/v1/ops/insights/secrets.csv", headers=OWNER).status_code == 404


@pytest.mark.promise("P4")
def test_what_fewer_than_five_visitors_searched_for_is_not_shown(serve):
    client = serve(least_visitors=5)
    for number in range(5):
        found = week(client)
        tables = [client.get(f"/api/v1/ops/insights/{name}.csv", headers=OWNER).text for name in found["tables"]]
        assert "jumper" not in str(found["tables"]["questions"]) and not any("red jumper" in text for text in tables)
        assert {each["now"] for each in found["figures"] if "search" in each["name"]} <= {0, None}
        for _ in range(7):  # one visitor who searches again and again
            where = {"REMOTE_ADDR": f"198.51.100.{number}"}
            client.post(SEARCH, json={"text": "red jumper"}, environ_overrides=where)
    (row,) = week(client)["tables"]["questions"]["rows"]
    assert (row["words"], row["times"], row["clicked"]) == ("red jumper", 5, 0)


def test_a_shop_that_keeps_no_questions_counts_none(serve):
    client = serve(kept_questions=0)
    client.get("/?q=red jumper")
    found = week(client)
    assert found["counted"] is False and found["since"] is None and found["tables"]["questions"]["rows"] == []


def test_an_unexpected_exception_leaks_nothing(serve, monkeypatch):
    client = serve()

    def raises(*_):
        raise RuntimeError("SELECT secret FROM /srv/shop")

    monkeypatch.setattr("search.ops.search_counts.SearchCounts.since", raises)
    for path in ("", "/questions.csv"):
        answer = client.get(f"/api/v1/ops/insights{path}", headers=OWNER)
        assert answer.status_code == 500 and "SELECT" not in answer.text
