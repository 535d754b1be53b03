"""Bulk jobs over HTTP, beside the page: evidence of rows, titles, names of downloads, and refusals that fit."""

import base64
import csv
import io

import pytest

from search.bulk import review
from search.bulk.worker import Worker
from search.engine import SearchEngine
from search.listings.decision_store import DECISION_PREFIX
from tests.search.bulk_jobs import begun, bulk_zip, make_desk_shop
from tests.web.shop_fixtures import WRITER, picture_bytes, write_keys
from web import create_app
from web.api import listings
from web.api.jobs import supervisor_of
from web.engine import holder_of
from web.errors import NotReady
from web.settings import Settings


@pytest.fixture(scope="module")
def worked(tmp_path_factory):
    """The app of a shop with a job that is done."""
    folder = tmp_path_factory.mktemp("jobs")
    home = make_desk_shop(folder / "shop")
    write_keys(home)
    job = begun(home, bulk_zip(folder / "a.zip", 6))
    with SearchEngine.open(home) as engine:
        list(Worker(engine).steps(job))
    app = create_app(Settings(home=home))
    holder_of(app).wait(300)
    yield app, job
    supervisor_of(app).close()
    holder_of(app).close()


@pytest.fixture
def ask(worked):
    client = worked[0].test_client()

    def ask(method, path, status=200, **options):
        answer = getattr(client, method)(f"/api/v1/{path}", headers=WRITER, **options)
        assert answer.status_code == status, answer.text
        return answer.json if answer.is_json else answer

    return ask


@pytest.fixture
def rows(worked):
    """The address of the job's rows, decisions and tables."""
    return f"jobs/{worked[1].id}"


def test_rows_come_with_the_products_they_are_like(ask, rows):
    told = ask("get", f"{rows}/rows?limit=2")
    first = [one["id"] for row in told["rows"] for one in row["suggestion"]["neighbours"][:3]]
    listed = [one["id"] for row in told["rows"] for one in row["suggestion"]["duplicates"]]
    assert set(told["products"]) == {*first, *listed} and len(first) == 6
    assert told["products"][first[0]] == {
        "title": first[0].replace("-", " "),
        "url": f"/products/{first[0]}",
        "picture_url": told["products"][first[0]]["picture_url"],
    }
    assert told["products"][first[0]]["picture_url"].startswith("/pictures/")
    changed = ask("post", f"{rows}/decisions", json={"decisions": [{"row": 1, "accept": True}]})
    assert set(changed["products"]) >= set(first[:3])
    ask("post", f"{rows}/decisions", json={"undo": True})


def test_rows_of_a_shop_with_decisions_come_with_as_many_products(ask, worked, tmp_path):
    app, job = worked
    home = supervisor_of(app).home
    review.accept_sure(home, job)
    later = begun(home, bulk_zip(tmp_path / "b.zip", 1))
    with SearchEngine.open(home) as engine:
        list(Worker(engine).steps(later))
    told = ask("get", f"jobs/{later.id}/rows")
    alike = [one["id"] for one in told["rows"][0]["suggestion"]["neighbours"]]
    products = [one for one in alike if not one.startswith(DECISION_PREFIX)]
    assert alike[:3] != products[:3] and set(told["products"]) >= set(products[:3])
    sent = {"pictures": [base64.b64encode(picture_bytes((200, 32, 32))).decode()]}
    told = ask("post", "listings/suggest", json=sent)
    alike = [one["id"] for one in told["neighbours"] if not one["id"].startswith(DECISION_PREFIX)]
    assert set(told["products"]) >= set(alike[:6])
    ask("delete", f"jobs/{later.id}", 204)
    ask("post", f"jobs/{job.id}/decisions", json={"undo": True})


def test_all_that_is_sure_is_accepted_in_one_step(ask, rows):
    told = ask("post", f"{rows}/decisions", json={"accept_sure": True})
    assert told["changed"] == len(told["rows"]) == 6 and (told["job"]["decided"], told["job"]["sure_left"]) == (6, 0)
    assert ask("post", f"{rows}/decisions", json={"accept_sure": True})["changed"] == 0
    told = ask("post", f"{rows}/decisions", json={"undo": True})
    assert told["changed"] == 6 and (told["job"]["decided"], told["job"]["sure_left"]) == (0, 6)


def test_a_title_that_is_none_is_refused(ask, rows):
    for values, said in (
        ({"title": " "}, "is empty"),
        ({"title": "a\0b"}, "control character"),
        ({"category": ""}, "empty"),
    ):
        told = ask("post", f"{rows}/decisions", 422, json={"decisions": [{"row": 1, "values": values}]})["error"]
        assert said in told["message"] and told["hint"]


def test_rows_are_shown_before_the_shop_is_open(ask, rows, monkeypatch):
    def closed():
        raise NotReady("The shop is being opened.")

    monkeypatch.setattr(listings, "get_engine", closed)
    told = ask("get", f"{rows}/rows")
    assert told["products"] == {} and len(told["rows"]) == 6


def test_a_title_goes_into_both_tables(ask, rows):
    chosen = {"row": 2, "accept": True, "values": {"title": " Two "}}
    told = ask("post", f"{rows}/decisions", json={"decisions": [chosen]})
    assert told["rows"][0]["decided"]["title"] == "Two" and told["rows"][0]["same_id_as"] == 0
    assert {"untitled", "double_ids", "sure_left"} <= set(told["job"])
    for name, count in (("corrected", 6), ("listings", 1)):
        table = list(csv.DictReader(io.StringIO(ask("get", f"{rows}/{name}.csv").text)))
        assert len(table) == count
        assert [row["title"] for row in table if row["id"] == "new-1"] == ["Two"]
    ask("post", f"{rows}/decisions", json={"undo": True})


@pytest.mark.parametrize(
    ("name", "plain", "whole"),
    [
        ("a.zip", "a-review.csv", ""),
        ("Spring 2026.CSV", "Spring-2026-review.csv", "Spring%202026-review.csv"),
        ("新款.zip", "review.csv", "%E6%96%B0%E6%AC%BE-review.csv"),
        ("C:\\new\\list.v2.tsv", "list.v2-review.csv", ""),
        (
            'x"; evil=1\r\nSet-Cookie: a',
            "x-evil-1-Set-Cookie-a-review.csv",
            "x%22%3B%20evil%3D1%0D%0ASet-Cookie%3A%20a-review.csv",
        ),
        ("../../etc/.zip", "job-review.csv", ""),
        ("", "job-review.csv", ""),
    ],
)
def test_tables_are_named_by_the_job(ask, name, plain, whole):
    job = ask("post", "jobs", 201, json={"name": name, "bytes": 5})["id"]
    for kind in ("review", "listings"):
        path = f"jobs/{job}/{'corrected' if kind == 'review' else kind}.csv"
        said = ask("get", path).headers["Content-Disposition"]
        after = f"; filename*=UTF-8''{whole}" if whole else ""
        assert said == f'attachment; filename="{plain}"{after}'.replace("review.csv", f"{kind}.csv")
    ask("delete", f"jobs/{job}", 204)


def test_of_several_pictures_the_bad_one_is_told(ask):
    good = base64.b64encode(picture_bytes()).decode()
    for bad in ("!", "AA==", ""):
        told = ask("post", "listings/suggest", 415 if bad == "AA==" else 422, json={"pictures": [good, bad]})
        assert told["error"]["message"].startswith("Picture 2: ")
        told = ask("post", "listings/suggest", 415 if bad == "AA==" else 422, json={"pictures": [bad]})
        assert not told["error"]["message"].startswith("Picture")
    files = [(io.BytesIO(picture_bytes()), "a.jpg"), (io.BytesIO(b"GIF89a"), "b.gif")]
    told = ask("post", "listings/suggest", 422, data={"pictures": files})
    assert told["error"]["message"].startswith("Picture 2: ")


@pytest.mark.parametrize("path", ["jobs", "jobs/JOB/state", "jobs/JOB/decisions"])
def test_what_takes_json_alone_says_so(ask, rows, path):
    path = path.replace("jobs/JOB", rows)
    told = ask("post", path, 415, data={"name": "a"})["error"]
    assert (
        told["code"] == "unsupported_media_type" and "form" not in told["hint"] and "application/json" in told["hint"]
    )
    told = ask("post", path, 400, data="{", content_type="application/json")["error"]
    assert "red shoes" not in told["hint"] and '{"' in told["hint"]


@pytest.mark.parametrize("body", [{"name": "a"}, {"bytes": "x"}, {"bytes": 10**30}])
def test_how_many_bytes_are_asked_for_is_shown_as_json(ask, body):
    assert '{"name": "list.zip", "bytes": 1048576}' in ask("post", "jobs", 422, json=body)["error"]["hint"]


def test_bad_json_is_answered_with_an_example_of_that_address(ask):
    told = ask("post", "listings/suggest", 400, data="[]", content_type="application/json")["error"]
    assert '"pictures"' in told["hint"]
    for path, shown in (("search", '"text"'), ("recommend", '"viewed"')):
        assert shown in ask("post", path, 400, data="{", content_type="application/json")["error"]["hint"]


def test_a_confidence_is_a_share(ask, rows):
    told = ask("post", f"{rows}/decisions", 422, json={"accept_above": 90})["error"]
    assert told["message"] == "The confidence is 90." and "0.9 for 90 %" in told["hint"]


@pytest.mark.parametrize("path", ["listings.csv", "corrected.csv", "rows"])
def test_an_unexpected_exception_leaks_nothing(ask, rows, monkeypatch, path):
    def raises(*_):
        raise RuntimeError("SELECT secret FROM /srv/shop")

    monkeypatch.setattr("search.bulk.job_store.JobStore.get", raises)
    told = ask("get", f"{rows}/{path}", 500)
    assert "SELECT" not in str(told) and told["error"]["code"] == "internal"
