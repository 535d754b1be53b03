"""Rows of a job become products of an open shop over HTTP, and the last publication is taken back."""

import csv
import io
import zipfile

import pytest

from catalog.files.failpoints import VARIABLE
from search.bulk import publication
from search.bulk.worker import Worker
from search.engine import SearchEngine
from tests.search.bulk_jobs import KINDS, begun, make_desk_shop, picture_bytes, shade
from tests.web.shop_fixtures import WRITER, write_keys
from web import create_app
from web.api.jobs import supervisor_of
from web.engine import holder_of
from web.settings import Settings

TABLE = """id,title,image,price,colour,brand
new-0,Scarf,0.jpg,12.50 EUR,red,Kirsi
new-1,,1.jpg,,green,
new-2,Mug,2.jpg|0.jpg,,,
mugs-0,Blue mug,3.jpg,,navy,
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The client of a shop with a job of four rows, the last of which is listed already."""
    folder = tmp_path_factory.mktemp("publish")
    home = make_desk_shop(folder / "shop")
    write_keys(home)
    with zipfile.ZipFile(folder / "new.zip", "w") as file:
        for n, colour in enumerate([*KINDS.values(), KINDS["Home > Mugs"]]):
            file.writestr(f"{n}.jpg", picture_bytes(shade(colour, n), 90 + n))
        file.writestr("new.csv", TABLE)
    job = begun(home, folder / "new.zip")
    with SearchEngine.open(home) as engine:
        list(Worker(engine).steps(job))
    app = create_app(Settings(home=home))
    holder_of(app).wait(300)
    yield app.test_client(), job
    supervisor_of(app).close()
    holder_of(app).close()


@pytest.fixture
def ask(made):
    """Asks the API; what a test published is taken back, and its decisions are undone."""
    client, job = made

    def ask(method, path, status=200, **options):
        answer = getattr(client, method)(f"/api/v1/{path}", headers=WRITER, **options)
        assert answer.status_code == status, answer.text
        return answer.json if answer.is_json else answer

    yield ask
    while ask("get", f"jobs/{job.id}")["publication_rows"]:
        ask("post", f"jobs/{job.id}/unpublish")
    while ask("post", f"jobs/{job.id}/decisions", json={"undo": True})["changed"]:
        pass


@pytest.fixture
def job(made):
    return f"jobs/{made[1].id}"


def decide(ask, job, *rows):
    decisions = [{"row": row, "accept": True, "values": values} for row, values in rows]
    return ask("post", f"{job}/decisions", json={"decisions": decisions})


def fields(product):
    return {name: value for name, value in product.items() if name != "request_id"}


def results(done):
    return [(one["row"], one["id"], one["status"]) for one in done["results"]]


def test_accepted_rows_are_products_until_the_publication_is_taken_back(ask, job):
    before = fields(ask("get", "products/mugs-0"))
    decide(ask, job, (1, {}), (2, {}), (4, {"price": "9.90"}))
    assert ask("get", job)["to_publish"] == 3
    done = ask("post", f"{job}/publish", json={})
    assert results(done) == [(1, "new-0", "created"), (2, "new-1", "failed"), (4, "mugs-0", "updated")]
    assert "has no title" in done["results"][1]["error"]["message"]
    assert (done["created"], done["updated"], done["failed"], done["last"]) == (1, 1, 1, 4)
    assert [row["published"] for row in done["rows"]] == [True, False, True]
    assert (done["job"]["published"], done["job"]["to_publish"], done["job"]["publication_rows"]) == (2, 1, 2)

    scarf = ask("get", "products/new-0")
    assert (scarf["title"], scarf["category"], scarf["price"], scarf["currency"], scarf["brand"]) == (
        "Scarf", "Wear > Scarves", "12.50", "EUR", "Kirsi"
    )  # fmt: skip
    assert scarf["attributes"] == {"colour": "red"} and len(scarf["pictures"]) == 1
    assert ask("get", "products/new-0/similar?k=3")["hits"]
    mug = ask("get", "products/mugs-0")
    assert (mug["title"], mug["price"], mug["currency"]) == ("Blue mug", "9.90", "EUR")
    assert mug["attributes"] == {"colour": "navy", "material": "Clay"}
    assert mug["pictures"] != before["pictures"]

    assert results(ask("post", f"{job}/publish", json={"after": done["last"], "publication": 1})) == []
    back = ask("post", f"{job}/unpublish")
    assert (back["removed"], back["restored"], back["unchanged"], back["left"]) == (1, 1, 0, 0)
    assert ask("get", "products/new-0", 404) and fields(ask("get", "products/mugs-0")) == before
    assert (back["job"]["published"], back["job"]["to_publish"], back["job"]["publication_rows"]) == (0, 3, 0)
    assert ask("post", f"{job}/unpublish")["left"] == 0


def test_a_product_that_changed_since_stays(ask, job):
    decide(ask, job, (1, {}), (3, {"id": "mug-3"}))
    assert results(ask("post", f"{job}/publish", json={"rows": [3]})) == [(3, "mug-3", "created")]
    assert len(ask("get", "products/mug-3")["pictures"]) == 2
    ask("put", "products/mug-3", json={"price": "5 EUR"})
    back = ask("post", f"{job}/unpublish")
    assert (back["removed"], back["unchanged"]) == (0, 1) and back["rows"][0]["published"]
    assert ask("get", "products/mug-3")["price"] == "5"
    ask("delete", "products/mug-3", 204)
    ask("post", f"{job}/publish", 422, json={"publication": 7})


def test_a_part_ends_at_the_row_that_exceeds_its_bytes(ask, job, monkeypatch):
    monkeypatch.setattr(publication, "MAX_PART_BYTES", 1)
    decide(ask, job, (1, {}), (2, {}), (3, {"title": "Mug"}))
    done = ask("post", f"{job}/publish", json={})
    assert results(done) == [(1, "new-0", "created")] and done["job"]["publication_rows"] == 1
    done = ask("post", f"{job}/publish", json={"after": done["last"], "publication": done["publication"]})
    assert results(done) == [(2, "new-1", "failed"), (3, "new-2", "created")]
    assert done["job"]["publication_rows"] == 2


def test_a_product_without_its_earlier_pictures_is_not_restored(made, ask, job):
    decide(ask, job, (1, {}))
    ask("post", f"{job}/publish", json={})
    decide(ask, job, (1, {"title": "Warm scarf"}))
    ask("post", f"{job}/publish", json={})
    pictures = made[1].folder.parents[1] / "pictures"
    away = pictures.rename(pictures.with_name("away"))
    back = ask("post", f"{job}/unpublish")
    away.rename(pictures)
    assert (back["restored"], back["unchanged"]) == (0, 1)
    assert ask("get", "products/new-0")["title"] == "Warm scarf"
    ask("delete", "products/new-0", 204)


def test_a_publication_cut_off_before_its_record_is_taken_back(ask, job, monkeypatch):
    before = fields(ask("get", "products/mugs-0"))
    decide(ask, job, (1, {}), (4, {"price": "9.90"}))
    monkeypatch.setenv(VARIABLE, "publication.put:raise")
    ask("post", f"{job}/publish", 500, json={})
    monkeypatch.delenv(VARIABLE)
    assert ask("get", "products/new-0") and ask("get", "products/mugs-0")["price"] == "9.90"
    back = ask("post", f"{job}/unpublish")
    assert (back["removed"], back["restored"], back["unchanged"]) == (1, 1, 0)
    assert ask("get", "products/new-0", 404) and fields(ask("get", "products/mugs-0")) == before
    assert (back["job"]["published"], back["job"]["to_publish"]) == (0, 2)


def test_taking_back_that_was_cut_off_is_completed(ask, job, monkeypatch):
    before = fields(ask("get", "products/mugs-0"))
    decide(ask, job, (1, {}), (4, {"price": "9.90"}))
    assert len(ask("post", f"{job}/publish", json={})["results"]) == 2
    monkeypatch.setenv(VARIABLE, "publication.taken-back:raise")
    ask("post", f"{job}/unpublish", 500)
    monkeypatch.delenv(VARIABLE)
    assert ask("get", job)["published"] == 2
    back = ask("post", f"{job}/unpublish")
    assert (back["removed"], back["restored"], back["unchanged"]) == (1, 1, 0)
    assert ask("get", "products/new-0", 404) and fields(ask("get", "products/mugs-0")) == before
    assert (back["job"]["published"], back["job"]["to_publish"]) == (0, 2)


def test_a_row_that_is_edited_is_published_again(ask, job):
    decide(ask, job, (1, {}))
    ask("post", f"{job}/publish", json={})
    assert ask("get", job)["to_publish"] == 0
    decide(ask, job, (1, {"title": "Warm scarf", "price": "8 EUR"}))
    assert results(ask("post", f"{job}/publish", json={})) == [(1, "new-0", "updated")]
    assert ask("get", "products/new-0")["title"] == "Warm scarf"
    ask("post", f"{job}/unpublish")
    assert ask("get", "products/new-0")["title"] == "Scarf"
    ask("post", f"{job}/unpublish")
    ask("get", "products/new-0", 404)


def test_two_rows_with_one_id_are_one_product_and_a_reason(ask, job):
    decide(ask, job, (2, {}))
    done = ask("post", f"{job}/publish", json={})
    assert results(done) == [(2, "new-1", "failed")] and done["job"]["publication_rows"] == 0
    assert results(ask("post", f"{job}/publish", json={"after": 2, "publication": done["publication"]})) == []
    ask("post", f"{job}/decisions", json={"undo": True})
    decide(ask, job, (1, {}), (3, {"id": "new-0"}))
    assert ask("get", job)["double_ids"] == 1
    done = ask("post", f"{job}/publish", json={})
    assert results(done) == [(1, "new-0", "created"), (3, "new-0", "failed")]
    assert "Row 1 has the same id" in done["results"][1]["error"]["message"]
    table = list(csv.DictReader(io.StringIO(ask("get", f"{job}/listings.csv").text)))
    assert [row["id"] for row in table] == ["new-0", "new-0"]
    decide(ask, job, (1, {"id": 'a "b" é'}), (2, {"id": 'a "b"', "title": "x"}), (4, {"id": 'a "b" é'}))
    done = ask("post", f"{job}/publish", json={})
    assert [status for _, _, status in results(done)] == ["created", "created", "updated", "failed"]
    assert "Row 1 has the same id" in done["results"][3]["error"]["message"]


def test_one_field_of_many_rows_is_set_in_one_step(ask, job):
    decide(ask, job, (1, {}))
    chosen = {"field": "category", "value": "Wear > Capes", "rows": [1, 3, 4]}
    done = ask("post", f"{job}/decisions", json={"set_field": chosen})
    assert [row["kind"] for row in done["rows"]] == ["corrected", "", ""] and done["job"]["decided"] == 1
    assert {row["decided"]["category"] for row in done["rows"]} == {"Wear > Capes"}
    ask("post", f"{job}/decisions", json={"set_field": {"field": "price", "value": "7 EUR", "rows": [1, 3]}})
    (third,) = decide(ask, job, (3, {}))["rows"]
    assert third["kind"] == "corrected" and third["decided"] == {"category": "Wear > Capes", "price": "7 EUR"}
    assert ask("post", f"{job}/decisions", json={"accept_above": 0.1})["rows"][0]["decided"] == {
        "category": "Wear > Capes"
    }
    ask("post", f"{job}/publish", json={"rows": [1, 3]})
    assert [ask("get", f"products/new-{n}")["price"] for n in (0, 2)] == ["7", "7"]
    for _ in range(4):
        ask("post", f"{job}/decisions", json={"undo": True})
    assert ask("get", f"{job}/rows")["rows"][0]["decided"] == {"category": "Wear > Scarves"}
    ask("post", f"{job}/decisions", 422, json={"set_field": {**chosen, "field": "taste"}})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"id": ""}, "The id of row 1 is empty"),
        ({"price": "cheap"}, "cheap"),
        ({"price": "5 EUR 6 USD"}, "5 EUR 6 USD"),
    ],
)
def test_an_own_value_that_is_none_is_refused(ask, job, values, said):
    told = ask("post", f"{job}/decisions", 422, json={"decisions": [{"row": 1, "values": values}]})["error"]
    assert said in told["message"]
    told = ask("post", f"{job}/decisions", 422, json={"set_field": {"field": "id", "value": "x", "rows": [1, 2]}})
    assert "own id" in told["error"]["message"]


def test_pictures_are_enlarged(ask, job):
    answer = ask("get", f"{job}/rows/3/pictures/1")
    assert answer.content_type == "image/jpeg" and answer.data[:3] == b"\xff\xd8\xff"
    assert answer.headers["Cache-Control"] == "no-store"
    for path in ("3/pictures/2", "9/pictures/0"):
        ask("get", f"{job}/rows/{path}", 404)
