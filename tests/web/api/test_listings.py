"""The merchant's desk over HTTP: real engine, real jobs in their own process, keys, and a page that holds nothing."""

import base64
import io
import json
import re
import time

import pytest

from catalog.images.formats import ENDINGS
from search.bulk.job_store import CANCELLED, DONE, RECEIVING, WAITING, WORKING, JobStore
from search.listings.decision_store import ACCEPTED, CORRECTED, DECLINED
from search.listings.feedback_suggester import SuggesterCache
from search.query.terms import MAX_PICTURES
from tests.search.bulk_jobs import bulk_zip, make_desk_shop
from tests.web.shop_fixtures import READ_KEY, WRITER, picture_bytes, write_keys
from web import create_app
from web.api.jobs import supervisor_of
from web.engine import holder_of
from web.i18n.languages import CHINESE, ENGLISH
from web.i18n.messages import merchant_messages
from web.settings import Settings

# Words whose names scripts put together: states, notes on pictures, kinds of repetitions, what was decided.
TOLD = {RECEIVING, "cut_off", "not_begun", WAITING, WORKING, DONE, CANCELLED}
TOLD |= {"too_small", "blank", "blurred", "busy_background", "text", "not_a_product"}
TOLD |= {"same_file", "same_picture", "same_product", "shared_picture"}
TOLD |= {f"was_{kind}" for kind in (ACCEPTED, CORRECTED, DECLINED)}


@pytest.fixture(scope="module")
def desk_app(tmp_path_factory):
    home = make_desk_shop(tmp_path_factory.mktemp("desk") / "shop")
    write_keys(home)
    app = create_app(Settings(home=home))
    holder_of(app).wait(300)
    yield app
    supervisor_of(app).close()
    holder_of(app).close()


@pytest.fixture
def desk(desk_app):
    client = desk_app.test_client()

    def ask(method, path, status=200, **options):
        answer = getattr(client, method)(f"/api/v1/{path}", headers=WRITER, **options)
        assert answer.status_code == status, answer.text
        return answer.json if answer.is_json else answer

    return ask


def send_zip(desk, path):
    data = path.read_bytes()
    made = desk("post", "jobs", 201, json={"name": path.name, "bytes": len(data)})
    for at in range(0, len(data), 5_000):
        desk("put", f"jobs/{made['id']}/file?offset={at}", data=data[at : at + 5_000])
    desk("post", f"jobs/{made['id']}/state", json={"state": "waiting"})
    return made["id"]


def test_a_suggestion_with_its_evidence_from_a_form_and_from_json(desk):
    picture = picture_bytes((200, 32, 32))
    form = desk("post", "listings/suggest", data={"pictures": (io.BytesIO(picture), "a.jpg"), "title": "scarf"})
    sent = {"pictures": [base64.b64encode(picture).decode()], "title": "scarf"}
    same = desk("post", "listings/suggest", json=sent)
    assert form["category"] == same["category"]
    assert form["category"]["answer"] == "Wear > Scarves"
    assert form["category"]["top"][0]["neighbours"][0].startswith("scarves-")
    assert "Wear > Scarves" in desk("get", "listings/choices")["fields"]["category"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"pictures": []},
        {"pictures": ["!"]},
        {"pictures": "x"},
        {"pictures": [1]},
        {"pictures": ["AA=="] * 8},
        {"pictures": ["AA=="], "title": 1},
        {"pictures": ["AA=="], "more": 1},
        {"pictures": ["AA=="], "title": "x" * 1001},
    ],
)
def test_what_cannot_be_suggested_for_is_refused(desk, body):
    told = desk("post", "listings/suggest", 415 if body == {"pictures": ["AA=="]} else 422, json=body)
    assert told["error"]["message"]


@pytest.mark.timeout(600)
def test_a_job_from_upload_to_download(desk, tmp_path):
    job = send_zip(desk, bulk_zip(tmp_path / "a.zip", 45))
    until = time.monotonic() + 300
    while (status := desk("get", f"jobs/{job}"))["state"] != "done":
        assert time.monotonic() < until, status
        time.sleep(0.1)
    assert (status["total"], status["done"], status["failed"]) == (45, 45, 0)
    first = desk("get", f"jobs/{job}/rows?limit=2")["rows"]
    assert [row["number"] for row in first] == [1, 2] and base64.b64decode(first[0]["thumbnail"])[:2] == b"\xff\xd8"
    changed = desk("post", f"jobs/{job}/decisions", json={"accept_above": 0.3})
    assert changed["changed"] == 45 and changed["job"]["decided"] == 45
    assert desk("post", f"jobs/{job}/decisions", json={"undo": True})["job"]["decided"] == 0
    decision = {"row": 2, "accept": True, "values": {"category": "=New"}}
    changed = desk("post", f"jobs/{job}/decisions", json={"decisions": [{"row": 1}, decision]})
    assert [row["kind"] for row in changed["rows"]] == ["declined", "corrected"]
    table = desk("get", f"jobs/{job}/corrected.csv").text
    assert "'=New" in table and len(table.splitlines()) == 46
    assert job in [each["id"] for each in desk("get", "jobs")["jobs"]]
    desk("post", f"jobs/{job}/decisions", json={"undo": True})  # else the shop would learn from it
    desk("delete", f"jobs/{job}", 204)
    assert desk("get", f"jobs/{job}", 404)["error"]["code"] == "unknown_job"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "jobs", {"name": "a", "bytes": 0}),
        ("post", "jobs", {"name": "a", "bytes": 10**12}),
        ("post", "jobs", {"name": 1, "bytes": 5}),
        ("post", "jobs", {"bytes": "x"}),
        ("post", "jobs", {"more": 1}),
        ("post", "jobs/JOB/state", {"state": "done"}),
        ("post", "jobs/JOB/state", {"state": "waiting"}),
        ("post", "jobs/JOB/decisions", {}),
        ("post", "jobs/JOB/decisions", {"accept_above": True}),
        ("post", "jobs/JOB/decisions", {"accept_above": 2}),
        ("post", "jobs/JOB/decisions", {"accept_above": 10**400}),
        ("post", "jobs/JOB/decisions", {"accept_sure": False}),
        ("post", "jobs/JOB/decisions", {"accept_sure": True, "accept_above": 0.9}),
        ("post", "jobs/JOB/decisions", {"decisions": [{"row": 1}, {"row": 1}]}),
        ("post", "jobs/JOB/decisions", {"decisions": {}}),
        ("post", "jobs/JOB/decisions", {"decisions": [{"row": True}]}),
        ("post", "jobs/JOB/decisions", {"decisions": [{"row": 1, "values": []}]}),
        ("post", "jobs/JOB/decisions", {"decisions": [{"row": 1}] * 501}),
        ("put", "jobs/JOB/file?offset=x", None),
        ("put", "jobs/JOB/file?offset=7", None),
        ("get", "jobs/JOB/rows?show=none", None),
        ("get", "jobs/JOB/rows?limit=201", None),
        ("get", "jobs/JOB/rows?page=2", None),
        ("put", "jobs/JOB/file?ofset=0", None),
    ],
)
def test_what_cannot_be_done_with_a_job_is_refused(desk, method, path, body):
    made = desk("post", "jobs", 201, json={"name": "a", "bytes": 5})["id"]
    told = desk(method, path.replace("JOB", made), 422, **({} if body is None else {"json": body}))
    assert told["error"]["message"]
    desk("delete", f"jobs/{made}", 204)


def test_the_page_holds_nothing_and_runs_nothing_inline(desk_app):
    client = desk_app.test_client()
    page = client.get("/merchant")
    assert page.status_code == 200 and "Set-Cookie" not in page.headers
    assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|style=", page.text)
    words = json.loads(re.search(r'data-words="([^"]*)"', page.text)[1].replace("&#34;", '"').replace("&#39;", "'"))
    script = scripts_of(client)
    used = set(re.findall(r"\bW\.(\w+)", script))
    assert used <= set(words) and "innerHTML" not in script
    for path in ("jobs", "listings/choices"):
        assert client.get(f"/api/v1/{path}").status_code == 401
        assert client.get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {READ_KEY}"}).status_code == 403


def scripts_of(client):
    names = re.findall(r'src="/static/(\w+\.js)', client.get("/merchant").text)
    assert names == ["keyed.js", "merchant.js", "merchant_files.js", "merchant_review.js"]
    text = ""
    for name in names:
        with client.get(f"/static/{name}") as answer:
            text += answer.text
    return text


def test_every_word_is_said_in_both_languages_and_what_the_shop_takes_is_known(desk_app):
    script = scripts_of(desk_app.test_client())
    used = set(re.findall(r"\bW\.(\w+)", script))
    for name in ("keyed.html", "merchant.html"):
        source = desk_app.jinja_env.loader.get_source(desk_app.jinja_env, name)[0]
        used |= set(re.findall(r'\bwords(?:\.|\[")(\w+)', source))
    english, chinese = merchant_messages(ENGLISH), merchant_messages(CHINESE)
    assert set(english) == used | TOLD
    assert {word for word in chinese if not word.startswith("error_")} == set(english)
    for word, text in english.items():
        assert set(re.findall(r"\{\w+\}", chinese[word])) == set(re.findall(r"\{\w+\}", text)), word
    assert all(f'"{ending}"' in script for ending in ENDINGS) and f"MOST = {MAX_PICTURES - 1};" in script


@pytest.mark.promise("S18")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "jobs"),
        ("post", "jobs"),
        ("get", "jobs/x"),
        ("delete", "jobs/x"),
        ("put", "jobs/x/file"),
        ("post", "jobs/x/state"),
        ("get", "jobs/x/rows"),
        ("post", "jobs/x/decisions"),
        ("get", "jobs/x/corrected.csv"),
        ("get", "jobs/x/listings.csv"),
        ("get", "listings/choices"),
        ("post", "listings/suggest"),
    ],
)
def test_an_unexpected_exception_leaks_nothing(desk, monkeypatch, method, path):
    def raises(*_, **__):
        raise RuntimeError("SELECT secret FROM /srv/shop")

    for name in ("all", "create", "get", "delete", "next"):
        monkeypatch.setattr(JobStore, name, raises)
    monkeypatch.setattr(SuggesterCache, "get", raises)
    bodies = {"jobs": {"name": "a", "bytes": 5}, "jobs/x/state": {"state": "waiting"}}
    bodies |= {"jobs/x/decisions": {"undo": True}}
    bodies["listings/suggest"] = {"pictures": [base64.b64encode(picture_bytes()).decode()]}
    given = {"json": bodies[path]} if method == "post" else {}
    told = desk(method, path, 500, **given)
    assert "SELECT" not in str(told) and told["error"]["code"] == "internal"
