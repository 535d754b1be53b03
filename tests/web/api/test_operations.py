"""The operator's page over HTTP: real builds, reports, jobs and roll backs; keys; and a page that holds nothing."""

import csv
import io
import json
import re
import shutil
import time
from contextlib import closing
from dataclasses import asdict, replace

import pytest

from catalog.errors import DeadlineExceeded
from catalog.home import ShopHome
from catalog.reviews.review import APPROVED, NEGATIVE, SIZE, Opinion, ReviewAnalysis, ReviewDraft
from catalog.reviews.review_query import NewReview
from catalog.reviews.review_store import ReviewStore
from catalog.storage.catalogue import Catalogue
from indexer.generations.publishing import build_lock
from indexer.generations.store import current_number
from search.bulk.job_store import JobStore
from search.engine import SearchEngine
from search.ops.query_log import QueryLog
from tests.web.operator_fixtures import EACH, FORMULA, make_ops_shop
from tests.web.shop_fixtures import ADMIN_KEY, READ_KEY, WRITE_KEY
from web.api.operations import MAPPER
from web.engine import holder_of
from web.i18n.messages import page_messages
from web.settings import Settings

OPERATOR = {"Authorization": f"Bearer {ADMIN_KEY}"}
SEARCH = "/api/v1/search"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_ops_shop(tmp_path_factory.mktemp("ops"))


@pytest.fixture
def serve(made, tmp_path, make_app):
    """Serves a copy of the shop, so that a test may change it; returns its home, and what asks as its operator."""
    apps = []

    def served(home=None, least_visitors=1, **settings):
        home = home or shutil.copytree(made, tmp_path / "home")
        app = make_app(
            Settings(home=home, timeout_ms=20_000, follow_seconds=0.05, least_visitors=least_visitors, **settings)
        )
        apps.append(app)

        def ask(method, path, status=200, **options):
            answer = getattr(app.test_client(), method)(path, headers=OPERATOR, **options)
            assert answer.status_code == status, answer.text
            return answer.json if answer.is_json else answer

        return home, ask, app

    yield served
    for app in apps:
        app.extensions[MAPPER].close()


@pytest.fixture
def shop(serve):
    home, ask, app = serve()
    holder_of(app).wait(300)
    return home, ask, app


def products_of(home):
    """Every product with all its fields, and its key."""
    with closing(Catalogue.open(ShopHome(home).catalogue)) as catalogue:
        return {
            key: asdict(replace(product, attributes={**product.attributes})) for key, product in catalogue.iterate()
        }


def followed(ask, generation):
    """The overview once the server has followed to a generation."""
    until = time.monotonic() + 300
    while (body := ask("get", "/api/v1/ops"))["server"]["generation"] != generation:
        assert time.monotonic() < until
        time.sleep(0.02)
    return body


def test_what_the_shop_is_made_of_and_what_the_last_update_did(shop):
    _, ask, _ = shop
    body = ask("get", "/api/v1/ops")
    assert body["server"]["ready"] and body["server"]["generation"] == 2 and body["server"]["live"] == 0
    newest, oldest = body["generations"]
    assert (newest["number"], newest["current"], oldest["number"], oldest["current"]) == (2, True, 1, False)
    assert (newest["products"], oldest["products"]) == (4 * EACH - 1, 4 * EACH)
    assert newest["encoder"] == "fake" and newest["bytes"] > 1_000 and newest["recall"]["picture"] == 1.0
    assert {"one-to-one", "overlap"} <= {gate["name"] for gate in newest["gates"]}
    assert (newest["rejected"], oldest["rejected"], body["back_to"]) == (2, 1, 1)
    report = body["report"]
    assert (report["kind"], report["generation"], report["made"], report["rejected"]) == ("update", 2, True, 2)
    assert (report["changes"]["removed"]["count"], report["changes"]["words"]["count"]) == (1, 1)
    assert abs(report["at"] - time.time()) < 600 and len(report["rejected_rows"]) == 2
    assert body["label_heads"] == {"state": "too_few", "done": 0, "total": 0}
    assert body["jobs"] == [] and body["questions"] == {"kept": True, "least_visitors": 1, "empty": [], "slow": []}


def test_rejected_rows_come_as_a_table_that_runs_nothing(shop):
    _, ask, _ = shop
    answer = ask("get", "/api/v1/ops/rejected.csv")
    assert "attachment" in answer.headers["Content-Disposition"] and answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["source"] for row in rows] == ["products.csv"] * 2 and FORMULA in rows[1]["reason"]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


def test_a_shop_that_was_only_built_or_has_no_report_is_told_of_as_it_is(serve, made, tmp_path):
    home = shutil.copytree(made, tmp_path / "built")
    (home / "reports" / "update.json").unlink()
    (home / "reports" / "000002.json").unlink()
    _, ask, _ = serve(home)
    body = ask("get", "/api/v1/ops")
    assert (body["report"]["kind"], body["report"]["rejected"], body["report"]["changes"]) == ("build", 1, None)
    assert body["generations"][0]["gates"] == [] and body["generations"][0]["rejected"] is None
    assert "gone.jpg" in ask("get", "/api/v1/ops/rejected.csv").text
    shutil.rmtree(home / "reports")
    assert ask("get", "/api/v1/ops")["report"] is None
    assert ask("get", "/api/v1/ops/rejected.csv").text == "source,line,reason,id\r\n"


def test_back_to_the_generation_that_was_named_and_forward_again(shop):
    home, ask, _ = shop
    later = products_of(home)
    planned = ask("get", "/api/v1/ops/rollback?generation=1")
    done = ask("post", "/api/v1/ops/rollback", json={"generation": 1})
    assert planned | {"request_id": ""} == done | {"request_id": ""}
    assert ask("get", "/api/v1/ops/rollback")["current"] == 1  # there is none before it
    assert (done["left"], done["current"], current_number(home)) == (2, 1, 1)
    assert (done["come_back"], done["go_away"], done["changed"], done["complete"]) == (1, 0, 1, True)
    body = followed(ask, 1)
    assert [each["current"] for each in body["generations"]] == [False, True] and body["back_to"] is None
    assert body["server"]["products"] == 4 * EACH and body["server"]["live"] == 0
    assert ask("post", SEARCH, json={"text": "red"})["generation"] == 1
    again = ask("post", "/api/v1/ops/rollback", 422, json={"generation": 1})
    assert "current one already" in again["error"]["message"] and current_number(home) == 1
    ask("post", "/api/v1/ops/rollback", json={"generation": 2})
    assert followed(ask, 2)["server"]["products"] == 4 * EACH - 1
    assert products_of(home) == later


@pytest.mark.parametrize("body", [{}, {"generation": "x"}, {"generation": 2}, {"generation": 1, "more": 1}])
def test_what_is_no_other_generation_is_refused(shop, body):
    home, ask, _ = shop
    assert ask("post", "/api/v1/ops/rollback", 422, json=body)["error"]["message"]
    if body:
        assert ask("get", "/api/v1/ops/rollback", 422, query_string=body)["error"]["message"]
    ask("post", "/api/v1/ops/rollback", 415, data="generation=1")
    assert current_number(home) == 2


def test_nobody_goes_back_while_a_build_is_running_or_to_what_is_damaged(shop):
    home, ask, _ = shop
    with build_lock(home):
        busy = ask("post", "/api/v1/ops/rollback", 422, json={"generation": 1})
    assert "build" in busy["error"]["message"] and str(home) not in str(busy)
    rows = home / "generations" / "000001" / "rows.npy"
    rows.write_bytes(rows.read_bytes()[:-1] + b"?")
    damaged = ask("post", "/api/v1/ops/rollback", 422, json={"generation": 1})
    assert "rows.npy" in damaged["error"]["message"] and str(home) not in str(damaged)
    assert current_number(home) == 2


def test_the_way_back_is_open_when_the_current_index_is_damaged(serve, made, tmp_path):
    home = shutil.copytree(made, tmp_path / "damaged")
    manifest = home / "generations" / "000002" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"products"', '"product"'))
    _, ask, app = serve(home)
    holder_of(app).wait(300)
    body = ask("get", "/api/v1/ops")
    assert body["server"]["generation"] == 1 and body["server"]["degraded"]
    assert body["generations"][0]["damaged"] and body["generations"][0]["current"]
    assert str(home) not in json.dumps(body["generations"])
    ask("post", "/api/v1/ops/rollback", json={"generation": 1})
    until = time.monotonic() + 300
    while ask("get", "/api/v1/ops")["server"]["degraded"]:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_shop_without_an_index_is_told_of_all_the_same(serve, tmp_path, made):
    home = tmp_path / "empty"
    home.mkdir()
    shutil.copy(made / "keys.json", home)
    _, ask, _ = serve(home)
    body = ask("get", "/api/v1/ops")
    assert body["server"]["ready"] is False and body["server"]["reason"]
    assert (body["generations"], body["back_to"], body["report"]) == ([], None, None)
    assert ask("get", "/api/v1/ops/map", 503)["error"]["code"] in ("no_generation", "not_ready")
    assert ask("post", "/api/v1/ops/rollback", 422, json={"generation": 1})


def test_questions_that_found_nothing_are_counted_in_words_alone(shop):
    _, ask, _ = shop
    nothing = {"filter": {"brand": "nobody"}}
    for words in ("Zeppelin", " zeppelin ", "bob@shop.example scarf"):
        ask("post", SEARCH, json={"text": words, **nothing})
    ask("get", '/?q=airship&filter={"brand":["nobody"]}')
    ask("post", SEARCH, json={"text": "red"})
    ask("post", SEARCH, json={"text": "behind the last", "offset": 500, **nothing})
    ask("post", SEARCH, json=nothing)
    kept = ask("get", "/api/v1/ops")["questions"]
    assert {(each["words"], each["times"]) for each in kept["empty"]} == {
        ("zeppelin", 2),
        ("… scarf", 1),
        ("airship", 1),
    }
    assert kept["slow"] == []


@pytest.mark.promise("P4")
def test_questions_of_few_visitors_are_not_shown(serve):
    _, ask, app = serve(least_visitors=3)
    holder_of(app).wait(300)
    for number, times in ((1, 9), (2, 1)):
        for _ in range(times):  # again and again counts once
            where = {"environ_overrides": {"REMOTE_ADDR": f"198.51.100.{number}"}}
            app.test_client().post(SEARCH, json={"text": "anna's mug", "filter": {"brand": "nobody"}}, **where)
    assert ask("get", "/api/v1/ops")["questions"]["empty"] == []
    app.test_client().post(
        SEARCH,
        json={"text": "anna's mug", "filter": {"brand": "nobody"}},
        environ_overrides={"REMOTE_ADDR": "198.51.100.3"},
    )
    (row,) = ask("get", "/api/v1/ops")["questions"]["empty"]
    assert (row["words"], row["times"]) == ("anna's mug", 3)


def test_questions_without_a_word_find_nothing_and_are_counted(shop):
    _, ask, _ = shop
    found = ask("post", SEARCH, json={"text": "???", "facets": True})
    assert (found["hits"], found["total"], found["facets"]) == ([], 0, [])
    ask("get", "/?q=the")
    empty = ask("get", "/api/v1/ops")["questions"]["empty"]
    assert {(each["words"], each["times"]) for each in empty} == {("???", 1), ("the", 1)}


def test_slow_questions_are_kept_those_that_were_late_too(shop, monkeypatch):
    _, ask, app = shop
    monkeypatch.setitem(app.config, "TIMEOUT_MS", 1_000)

    def quick(*given):
        return replace(answer(*given), took_ms=499.0)

    def slow(*given):
        return replace(answer(*given), took_ms=501.0)

    def late(*_):
        raise DeadlineExceeded("too late")

    answer = SearchEngine.search
    monkeypatch.setattr(SearchEngine, "search", quick)
    ask("post", SEARCH, json={"text": "red", "timeout_ms": 20_000})
    monkeypatch.setattr(SearchEngine, "search", slow)
    ask("post", SEARCH, json={"text": "blue", "timeout_ms": 20_000})
    monkeypatch.setattr(SearchEngine, "search", late)
    ask("post", SEARCH, 504, json={"text": "green"})
    ask("post", SEARCH, 504, json={"text": "in a hurry", "timeout_ms": 10})
    kept = ask("get", "/api/v1/ops")["questions"]["slow"]
    assert {each["words"]: each["times"] for each in kept} == {"blue": 1, "green": 1}
    assert max(each["ms"] for each in kept) == 501.0


def test_a_shop_may_keep_no_questions_and_forgets_those_of_before(serve, made, tmp_path):
    home = shutil.copytree(made, tmp_path / "private")
    assert QueryLog(home).add("empty", "of before", 1.0)
    _, ask, app = serve(home, kept_questions=0)
    holder_of(app).wait(300)
    ask("post", SEARCH, json={"text": "zeppelin", "filter": {"brand": "nobody"}})
    assert ask("get", "/api/v1/ops")["questions"] == {"kept": False, "least_visitors": 1, "empty": [], "slow": []}
    assert QueryLog(home).most_frequent("empty") == []


def test_questions_that_cannot_be_kept_cost_no_answer(shop):
    home, ask, _ = shop
    (home / "questions.sqlite").write_bytes(b"no database at all, and long enough to be looked at" * 40)
    assert ask("post", SEARCH, json={"text": "zeppelin", "filter": {"brand": "nobody"}})["hits"] == []
    assert ask("get", "/api/v1/ops")["questions"]["empty"] == []


def test_jobs_are_told_of(shop):
    home, ask, _ = shop
    job = JobStore(home).create("new.zip", 10)
    (body,) = ask("get", "/api/v1/ops")["jobs"]
    assert (body["id"], body["name"], body["state"], body["total"]) == (job.id, "new.zip", "receiving", 0)
    (job.folder / "job.sqlite").write_bytes(b"no database at all" * 100)
    assert ask("get", "/api/v1/ops")["jobs"] == []  # and all the rest is shown
    shutil.rmtree(job.folder)


def test_a_report_of_another_make_is_told_as_far_as_it_goes(shop):
    home, ask, _ = shop
    (home / "reports" / "update.json").write_text('{"rejected": 2}')
    assert ask("get", "/api/v1/ops")["report"]["kind"] == "update"


@pytest.mark.timeout(600)
def test_a_map_is_drawn_beside_the_server_once_for_each_generation(shop):
    home, ask, _ = shop
    first = ask("get", "/api/v1/ops/map")
    assert first["state"] == "making" and first["points"] == []
    until = time.monotonic() + 300
    while (body := ask("get", "/api/v1/ops/map"))["state"] == "making":
        assert time.monotonic() < until
        time.sleep(0.1)
    assert (body["state"], body["generation"], body["products"]) == ("ready", 2, 4 * EACH - 1)
    assert len(body["points"]) == 4 * EACH - 1 and body["categories"] == ["Wear", "Home"]
    by_id = {each["id"]: each for each in body["points"]}
    assert by_id["Hats-1"]["top"] == 0 and by_id["Mugs-1"]["top"] == 1 and by_id["thing-1"]["top"] == 7
    assert by_id["Hats-1"]["title"] == "Hats-1 red" and all(0 <= each["x"] <= 1_000 for each in body["points"])
    chinese = ask("get", "/api/v1/ops/map?lang=zh")
    assert chinese["points"][0]["title"].startswith("红色") and "服装" in chinese["categories"]
    written = (home / "maps" / "000002.json").stat().st_mtime_ns
    ask("get", "/api/v1/ops/map")
    assert (home / "maps" / "000002.json").stat().st_mtime_ns == written


@pytest.mark.timeout(600)
def test_a_map_that_cannot_be_drawn_is_told_and_not_tried_at_every_look(shop):
    home, ask, _ = shop
    (home / "maps").write_text("a file where the folder should be")
    assert ask("get", "/api/v1/ops/map")["state"] == "making"
    until = time.monotonic() + 300
    while (state := ask("get", "/api/v1/ops/map")["state"]) == "making":
        assert time.monotonic() < until
        time.sleep(0.1)
    assert state == ask("get", "/api/v1/ops/map")["state"] == "failed"


def test_the_page_holds_nothing_and_runs_nothing_inline(shop):
    client = shop[2].test_client()
    for language in ("en", "zh"):
        page = client.get("/ops", headers={"Accept-Language": language})
        assert page.status_code == 200 and "Set-Cookie" not in page.headers and f'lang="{language}' in page.text
        assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|style=", page.text)
        assert "Scarves" not in page.text and "generation 2" not in page.text
    script = ""
    for name in ("keyed", "ops", "ops_insights", "ops_map", "ops_recommender", "ops_reviews", "ops_rules"):
        with client.get(f"/static/{name}.js") as answer:
            script += answer.text
    used = set(re.findall(r"\bW\.(\w+)", script))
    assert used <= set(page_messages("operator", "en")) and "innerHTML" not in script
    for key, status in (("wsk_no", 401), (READ_KEY, 403), (WRITE_KEY, 403), (ADMIN_KEY, 200)):
        assert client.get("/api/v1/ops", headers={"Authorization": f"Bearer {key}"}).status_code == status


def test_what_reviews_say_is_named_with_its_product(shop):
    home, ask, _ = shop
    assert ask("get", "/api/v1/ops/reviews")["year_opinions"] == 0
    store, now = ReviewStore(home), int(time.time())
    for number in range(4):
        draft = ReviewDraft("Hats-1", 2, f"It runs small. {number}", at=now - 86_400, state=APPROVED)
        store.add_many([NewReview(draft, f"v{number}")])
    small = ReviewAnalysis(0.1, (Opinion(SIZE, NEGATIVE, 0.9, 0, 14),))
    store.save_analyses("m", {text.digest: small for text in store.unanalysed("m", 10)})
    store.refresh()
    found = ask("get", "/api/v1/ops/reviews")
    (size,) = found["sizes"]
    assert size["title"] == "Hats-1 red" and (size["kind"], size["customers"]) == ("smaller", 4)
    assert found["month_opinions"] == found["year_opinions"] == 4 and found["colours"] == found["fallen"] == []


def test_every_word_is_there_in_both_languages():
    english, chinese = page_messages("operator", "en"), page_messages("operator", "zh")
    assert english.keys() == chinese.keys()
    for key, words in english.items():
        assert set(re.findall(r"\{\w+\}", words)) == set(re.findall(r"\{\w+\}", chinese[key])), key
        assert re.search(r"[一-鿿]", chinese[key]), key


@pytest.mark.promise("S18")
@pytest.mark.parametrize(
    ("method", "path"),
    [("get", ""), ("get", "/map"), ("get", "/rejected.csv"), ("post", "/rollback")],
)
def test_an_unexpected_exception_leaks_nothing(shop, monkeypatch, method, path):
    def raises(*_, **__):
        raise RuntimeError("SELECT secret FROM /srv/shop")

    monkeypatch.setattr(SearchEngine, "status", raises)
    for name in ("rejected_csv", "move_to"):
        monkeypatch.setattr(f"search.ops.index_status.{name}", raises)
    given = {"json": {"generation": 1}} if method == "post" else {}
    body = shop[1](method, f"/api/v1/ops{path}", 500, **given)
    assert "SELECT" not in str(body) and body["error"]["code"] == "internal"
