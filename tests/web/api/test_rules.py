"""The owner's rules over HTTP: saved, listed, removed, imported, exported, logged."""

import csv
import io

import pytest

from search.merchandising.rule_store import RuleStore
from tests.fake_encoder import FakeEncoder
from tests.web.shop_fixtures import ADMIN_KEY, make_shop
from web.engine import holder_of
from web.settings import Settings

OWNER = {"Authorization": f"Bearer {ADMIN_KEY}"}
PIN = {"action": "pin", "question": "red jumper", "target": "green", "number": 1}
RULES = "/api/v1/rules"


@pytest.fixture(scope="module")
def app(tmp_path_factory, make_app):
    home = tmp_path_factory.mktemp("rules")
    make_shop(home, FakeEncoder())
    app = make_app(Settings(home=home, timeout_ms=20_000))
    holder_of(app).wait(300)
    return app


@pytest.fixture
def ask(app):
    home = holder_of(app).engine().home
    store = RuleStore(home)
    store.remove([rule.id for rule in store.all()], "test")

    def asked(method, path="", status=200, **options):
        headers = OWNER | options.pop("headers", {})
        answer = getattr(app.test_client(), method)(RULES + path, headers=headers, **options)
        assert answer.status_code == status, answer.text
        return answer.json if answer.is_json else answer

    return asked


def test_a_rule_is_added_changed_listed_and_removed(ask):
    added = ask("post", status=201, json=PIN)["rule"]
    assert added == PIN | {"id": added["id"], "match": "exact", "starts": "", "ends": ""}
    changed = ask("post", json=PIN | {"number": 2, "ends": "2099-12-31"})["rule"]
    assert (changed["id"], changed["number"], changed["ends"]) == (added["id"], 2, "2099-12-31")
    assert ask("post", json=PIN | {"number": 2, "ends": "2099-12-31"})["rule"] == changed
    other = ask("post", status=201, json={"action": "hide", "match": "every", "target": "brand=Acme"})["rule"]
    listed = ask("get")
    assert listed["rules"] == [changed, other] and listed["total"] == 2
    assert ask("get", "?contains=JUMPER")["rules"] == [changed] and ask("get", "?contains=acme")["total"] == 1
    assert ask("get", "?limit=1")["rules"] == [changed]
    assert ask("get", f"?limit=1&after={changed['id']}") | {"request_id": ""} == {
        "rules": [other],
        "total": 2,
        "request_id": "",
    }
    ask("delete", f"/{changed['id']}", 204)
    ask("delete", f"/{changed['id']}", 404)
    ask("delete", "/x", 404)
    assert ask("get")["rules"] == [other]
    kinds = [(entry["kind"], entry["by"], entry["rule"]) for entry in ask("get", "/changes?limit=4")["changes"]]
    assert kinds == [
        ("removed", "admin", changed["id"]),
        ("added", "admin", other["id"]),
        ("changed", "admin", changed["id"]),
        ("added", "admin", changed["id"]),
    ]
    newest = ask("get", "/changes?limit=1")["changes"][0]
    assert newest["before"] == changed and newest["after"] is None
    assert ask("get", f"/changes?before={newest['number']}&limit=1")["changes"][0]["number"] == newest["number"] - 1


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"action": "pin"},
        PIN | {"action": "push"},
        PIN | {"number": 0},
        PIN | {"number": "1"},
        PIN | {"question": ""},
        PIN | {"more": 1},
        {"action": "redirect", "question": "returns", "target": "javascript:alert(1)"},
        {"action": "redirect", "question": "returns", "target": "//evil.example"},
        {"action": "hide", "question": "mug", "target": "brand"},
        PIN | {"starts": "soon"},
    ],
)
def test_what_is_no_rule_is_refused(ask, rule):
    assert ask("post", status=422, json=rule)["error"]["message"]
    assert ask("get")["total"] == 0


def test_a_table_is_exported_imported_and_refused_as_a_whole(ask):
    ask("post", status=201, json=PIN)
    ask(
        "post", status=201, json={"action": "hide", "match": "words", "question": "=1+1", "target": '{"brand":["a;b"]}'}
    )
    answer = ask("get", ".csv")
    assert answer.mimetype == "text/csv" and "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["question"] for row in rows] == ["red jumper", "'=1+1"]
    before = ask("get")["rules"]
    again = ask("post", ".csv?only=true", data=answer.data)
    assert {name: again[name] for name in ("added", "changed", "removed", "unchanged", "dry_run")} == {
        "added": 0,
        "changed": 0,
        "removed": 0,
        "unchanged": 2,
        "dry_run": False,
    }
    table = "action,question,target,number\npin,red jumper,green,3\nsynonym,pullover,jumper,\n"
    dry = ask("post", ".csv?dry_run=true&only=true", data=table)
    assert (dry["added"], dry["changed"], dry["removed"], dry["dry_run"]) == (1, 1, 1, True)
    assert ask("get")["rules"] == before
    done = ask("post", ".csv", data=table, headers={"Content-Type": "text/csv"})
    assert (done["added"], done["changed"], done["removed"]) == (1, 1, 0)
    assert ask("get")["total"] == 3
    refused = ask("post", ".csv", 422, data=table + "pin,,x,\nredirect,x,javascript:1,\n")
    assert [line["line"] for line in refused["lines"]] == [4, 5] and "nothing was changed" in refused["error"][
        "message"
    ]
    assert ask("get")["total"] == 3
    ask("post", ".csv?only=perhaps", 422, data=table)


def test_a_table_that_is_too_large(ask):
    assert "bytes" in ask("post", ".csv", 422, data=b"x" * (4 * 2**20 + 1))["error"]["message"]


def test_a_store_that_cannot_be_used_is_told_without_its_path(make_app, tmp_path):
    make_shop(tmp_path / "home", FakeEncoder())
    (tmp_path / "home" / "rules.sqlite").write_bytes(b"no database" * 1_000)
    client = make_app(Settings(home=tmp_path / "home")).test_client()
    calls = [("get", RULES), ("post", RULES), ("delete", f"{RULES}/1"), ("get", f"{RULES}.csv")]
    calls += [("post", f"{RULES}.csv"), ("get", f"{RULES}/changes")]
    for method, address in calls:
        given = {"data": "action,target\n"} if address.endswith("csv") else {"json": PIN} if method == "post" else {}
        answer = getattr(client, method)(address, headers=OWNER, **given)
        assert answer.status_code == 503 and "sqlite" not in answer.text


def test_a_preview_is_what_then_happens_and_saves_nothing(ask, app):
    client = app.test_client()

    def found(text):
        answer = client.post("/api/v1/search", json={"text": text, "facets": True}).json
        return [hit["id"] for hit in answer["hits"]], answer["total"], answer["redirect"]

    def shown(page):
        return [hit["id"] for hit in page["hits"]], page["total"], page["redirect"]

    for rule in (
        PIN,
        {"action": "hide", "match": "every", "target": "id=red"},
        {"action": "redirect", "question": "red jumper", "target": "/help", "starts": "2099-01-01"},
    ):
        before = found("red jumper")
        tried = ask("post", "/preview", json={"rule": rule, "text": "red jumper"})
        assert shown(tried["now"]) == before == found("red jumper")
        ask("post", status=201, json=rule | {"starts": ""})
        assert found("red jumper") == shown(tried["then"]) != before
    assert ask("post", "/preview", json={"rule": PIN | {"number": 2}})["text"] == "red jumper"
    assert ask("get")["total"] == 3
    every = {"action": "hide", "match": "every", "target": "id=red"}
    assert "text" in ask("post", "/preview", 422, json={"rule": every})["error"]["message"]
    ask("post", "/preview", 422, json={"rule": PIN | {"action": "push"}})
