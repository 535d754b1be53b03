"""The merchant's desk over HTTP: real engine, real jobs in their own process, keys, and a page that holds nothing.

Then the page in a real browser, each thing that it does by itself; tests/browser has the whole journeys.
"""

import base64
import csv
import io
import json
import random
import re
import threading
import time
import zipfile

import pytest
from PIL import Image
from playwright.sync_api import expect
from werkzeug.serving import make_server

from catalog.formats import ENDINGS
from search.decisions import ACCEPTED, CORRECTED, DECLINED
from search.jobs import CANCELLED, DONE, RECEIVING, WAITING, WORKING, Jobs
from search.query import MAX_PICTURES
from search.taught import Listers
from tests.browser import conftest as browser
from tests.browser.test_measures import violations
from tests.search.desk import KINDS, bulk_zip, make_desk_shop, shade
from tests.search.desk import picture_bytes as plain_picture
from tests.web.shop import READ_KEY, WRITE_KEY, WRITER, picture_bytes, write_keys
from web import create_app
from web.engine import holder_of
from web.merchant import desk_of
from web.merchant_words import desk_words
from web.settings import Settings
from web.words import CHINESE, ENGLISH

chromium, visit = browser.chromium, browser.visit
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
    holder_of(app).wait(30)
    yield app
    desk_of(app).close()
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


@pytest.mark.timeout(120)
def test_a_job_from_upload_to_download(desk, tmp_path):
    job = send_zip(desk, bulk_zip(tmp_path / "a.zip", 45))
    until = time.monotonic() + 90
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
        ("post", "jobs/JOB/decisions", {"decisions": {}}),
        ("post", "jobs/JOB/decisions", {"decisions": [{"row": True}]}),
        ("post", "jobs/JOB/decisions", {"decisions": [{"row": 1, "values": []}]}),
        ("post", "jobs/JOB/decisions", {"decisions": [{"row": 1}] * 501}),
        ("put", "jobs/JOB/file?offset=x", None),
        ("put", "jobs/JOB/file?offset=7", None),
        ("get", "jobs/JOB/rows?show=none", None),
        ("get", "jobs/JOB/rows?limit=201", None),
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
    english, chinese = desk_words(ENGLISH), desk_words(CHINESE)
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
        monkeypatch.setattr(Jobs, name, raises)
    monkeypatch.setattr(Listers, "get", raises)
    bodies = {"jobs": {"name": "a", "bytes": 5}, "jobs/x/state": {"state": "waiting"}}
    bodies |= {"jobs/x/decisions": {"undo": True}}
    bodies["listings/suggest"] = {"pictures": [base64.b64encode(picture_bytes()).decode()]}
    given = {"json": bodies[path]} if method == "post" else {}
    told = desk(method, path, 500, **given)
    assert "SELECT" not in str(told) and told["error"]["code"] == "internal"


# ---- the page in a browser


@pytest.fixture(scope="module")
def shop(desk_app):
    """The address of the desk's shop behind a real server."""
    server = make_server("127.0.0.1", 0, desk_app, threaded=True, request_handler=browser.Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def unlock(page):
    page.locator("#key").fill(WRITE_KEY)
    page.keyboard.press("Enter")
    expect(page.locator("#jobs > li").first).to_be_visible()
    return page


@pytest.fixture
def enter(visit):
    """Opens the desk with the key, in a browser of its own."""
    return lambda **options: unlock(visit("/merchant", **options))


@pytest.fixture
def made(desk, desk_app):
    """Makes a finished job of a zip; with `material` its suggestions name one, too. Returns its id."""

    def make(path, material=False):
        one = send_zip(desk, path)
        until = time.monotonic() + 50
        while (status := desk("get", f"jobs/{one}"))["state"] != "done":
            assert time.monotonic() < until, status
            time.sleep(0.1)
        top = [{"name": name, "confidence": sure, "neighbours": []} for name, sure in (("Wool", 0.6), ("Clay", 0.3))]
        told = {"field": "material", "top": top, "answer": "", "answer_confidence": 0.0, "cut": 0.92}
        with Jobs(desk_of(desk_app).home).get(one).db(write=True) as db:
            for number, suggestion in db.execute("SELECT number, suggestion FROM rows").fetchall() if material else []:
                new = json.dumps(json.loads(suggestion) | {"attributes": [told]})
                db.execute("UPDATE rows SET suggestion = ? WHERE number = ?", (new, number))
        ids.append(one)
        return one

    ids = []
    yield make
    for one in ids:
        desk("delete", f"jobs/{one}", 204)


def table_zip(path, lines):
    """A zip of plain pictures, one for each line of a table of id, title and image."""
    with zipfile.ZipFile(path, "w") as file:
        for n, colour in enumerate((list(KINDS.values()) * 9)[: len(lines)]):
            file.writestr(f"p{n}.jpg", plain_picture(shade(colour, n), 31 + n))
        file.writestr("list.csv", "\n".join(["id,title,image", *(f"{line},p{n}.jpg" for n, line in enumerate(lines))]))
    return path


def rows_of(page, job, which="all"):
    page.locator(f'#jobs > li[data-id="{job}"] [data-do=show]').click()
    rows = page.locator("#rows > li")
    expect(rows.first).to_be_focused()
    if page.locator("#which").input_value() != which:
        page.locator("#which").select_option(which)
    return rows


def downloaded(page, button):
    with page.expect_download() as download:
        page.get_by_role("button", name=button, exact=True).click()
    text = download.value.path().read_text(encoding="utf-8")
    return download.value.suggested_filename, list(csv.DictReader(io.StringIO(text)))


def job_told(**more):
    told = {"id": "x", "name": "x.zip", "created": 1_700_000_000, "state": "working", "bytes": 9, "received": 9}
    counts = dict.fromkeys(("failed", "decided", "needs_review", "sure_left", "untitled", "double_ids"), 0)
    return told | counts | {"total": 1200, "done": 128, "rows_per_second": 0.0} | more


def test_the_page_looks_again_until_the_shop_is_back(shop, chromium):
    page = chromium.new_context(base_url=shop).new_page()  # what it complains of is meant
    page.clock.install()
    done, away = 128, False
    tried = []

    def answer(route):
        tried.append(away)
        if away:
            route.abort()
        else:
            route.fulfill(json={"jobs": [job_told(done=done)], "request_id": "x"})

    page.route("**/api/v1/jobs", answer)
    page.goto("/merchant")
    unlock(page)
    state, said = page.locator("#jobs .state"), page.locator("#said")
    expect(state).to_contain_text("128 of 1200")
    away = True
    for seconds in (2, 2, 4, 7, 13, 16, 16):
        count = sum(tried)
        page.clock.run_for(1000 * seconds)
        while sum(tried) == count:
            page.wait_for_timeout(20)
        expect(said).to_contain_text("cannot be reached")
    assert sum(tried) == 7
    away, done = False, 900
    page.clock.run_for(16_000)
    expect(state).to_contain_text("900 of 1200")
    expect(said).to_have_text("")
    page.context.close()


def test_sure_rows_are_accepted_at_once_and_listed(enter, made, tmp_path):
    page, sent = enter(), []
    page.on("request", lambda asked: sent.append(asked.post_data) if asked.url.endswith("/decisions") else None)
    page.reload()
    job = made(bulk_zip(tmp_path / "sure.zip", 5))
    page.reload()
    rows, left = rows_of(page, job, "review"), page.locator("#left")
    expect(rows).to_have_text(["No row needs a look; but rows that are sure are not decided yet."])
    expect(left).to_contain_text("Sure, but not decided: 5.")
    assert downloaded(page, "Listings for the shop")[1] == [] and violations(page) == []
    page.get_by_role("button", name="Accept the 5 sure ones").click()
    expect(page.get_by_role("status")).to_have_text("Accepted: 5 rows.")
    expect(rows).to_contain_text(["Nothing is left to review. Download"])
    expect(rows.first).to_be_focused()
    expect(left).to_be_empty()
    assert len(sent) == 1
    name, table = downloaded(page, "Listings for the shop")
    assert name == "sure-listings.csv" and [row["category"] for row in table][:2] == ["Wear > Scarves", "Wear > Gloves"]
    assert not any(column.startswith("suggested") for column in table[0])
    name, table = downloaded(page, "Table for review")
    assert name == "sure-review.csv" and [row["status"] for row in table] == ["accepted"] * 5
    page.get_by_role("button", name="Undo").click()
    expect(left.get_by_role("button")).to_have_text("Accept the 5 sure ones")


def test_every_field_is_reached_by_keys(enter, made, tmp_path):
    job = made(bulk_zip(tmp_path / "keys.zip", 3), material=True)
    page = enter()
    rows = rows_of(page, job)

    def value(field, name):
        return rows.first.locator(f'[data-field="{field}"] [data-value="{name}"]')

    expect(rows.first.locator('[data-field="material"] .what')).to_have_text("materialsure from 92 %")
    page.keyboard.press("Tab")
    expect(value("category", "Wear > Scarves")).to_be_focused()
    page.keyboard.press("Tab")
    expect(value("material", "Wool")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(value("material", "Wool")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowRight")
    expect(value("material", "Clay")).to_be_focused()
    expect(value("material", "Clay")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowRight")
    expect(rows.first.locator('[data-field="material"] input')).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(value("material", "Clay")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(value("category", "Wear > Scarves")).to_be_focused()
    page.keyboard.press("Tab")
    expect(value("material", "Clay")).to_be_focused()
    assert violations(page) == []
    page.keyboard.press("Enter")
    expect(rows.first).to_contain_text("Corrected")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("cl")  # into the field that has the focus
    expect(rows.nth(1).locator('[data-field="material"] input')).to_have_value("cl")
    page.keyboard.press("Escape")
    expect(rows.nth(1)).to_be_focused()
    rows.first.focus()
    page.keyboard.press("Enter")  # again: what was chosen stays
    expect(rows.nth(1)).to_be_focused()
    expect(value("material", "Clay")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Accept all", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("Accepted: 2 rows.")
    expect(rows.first).to_be_focused()


@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
@pytest.mark.parametrize(("width", "most"), [(1280, 330), (390, 460)], ids=["desk", "phone"])
def test_a_row_is_compact(enter, made, tmp_path, language, width, most):
    job = made(table_zip(tmp_path / "compact.zip", ["a,A scarf", "b,Gloves"]), material=True)
    options = browser.PHONE if width == 390 else {"viewport": {"width": width, "height": 900}}
    page = enter(locale=language, **options)
    row = rows_of(page, job).first
    assert row.bounding_box()["height"] <= most
    for field in row.locator("[data-field]").all():
        first, other = field.locator(".option").first.bounding_box(), field.locator("input").bounding_box()
        assert other["x"] >= first["x"]
        field.locator("input").fill("Garden > Gnomes")
        assert field.locator("input").evaluate("each => each.scrollWidth <= each.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_row_tells_its_line_its_double_and_its_look_alikes(enter, made, tmp_path):
    job = made(table_zip(tmp_path / "told.zip", ["a,A scarf", "b,Gloves", "a,A mug"]))
    page = enter()
    rows = rows_of(page, job)
    expect(rows.nth(2).locator(".name")).to_have_text("A mug line 4 of the table · row 3")
    expect(rows.nth(2)).to_contain_text("Row 1 has the same id: a")
    expect(rows.first).not_to_contain_text("the same id")
    expect(page.locator("#left")).to_contain_text("With the id of an earlier row: 1.")
    alike = rows.nth(2).locator(".shown", has_text="Look-alikes").get_by_role("link")
    expect(alike).to_have_count(3)
    link = alike.first
    assert re.fullmatch(r"/products/mugs-\d", link.get_attribute("href"))
    assert re.fullmatch(r"mugs \d", link.get_attribute("title"))
    expect(link.locator("img")).to_have_attribute("alt", link.get_attribute("title"))
    assert link.locator("img").evaluate("each => each.decode().then(() => each.naturalWidth)") > 0
    loose = made(bulk_zip(tmp_path / "loose.zip", 1, table=False))
    page.reload()
    expect(rows_of(page, loose).first.locator(".name")).to_have_text("p0 row 1")
    page.get_by_role("link", name="中文").click()
    expect(rows_of(page, job).nth(2).locator(".name")).to_have_text("A mug 表格第 4 行 · 第 3 件")


def test_evidence_that_is_unknown_is_told_by_its_id(enter, made, tmp_path):
    job = made(table_zip(tmp_path / "ids.zip", ["a,A scarf"]))
    page = enter()

    def answer(route):
        route.fulfill(json={name: of for name, of in route.fetch().json().items() if name != "products"})

    page.route("**/rows?*", answer)
    expect(rows_of(page, job).first.locator(".shown", has_text="Look-alikes")).to_contain_text("scarves-")


def test_a_row_without_a_title_is_given_one(enter, made, tmp_path):
    job = made(table_zip(tmp_path / "titles.zip", ["a,", "b,Gloves", "c,"]))
    page = enter()
    rows, left = rows_of(page, job), page.locator("#left")
    title = rows.first.get_by_placeholder("Title (the shop needs one)")
    expect(rows.nth(1).get_by_placeholder("Title (the shop needs one)")).to_have_count(0)
    rows.first.press("Enter")
    expect(left).to_contain_text("Accepted without a title: 1.")
    expect(rows.first.locator(".name")).to_contain_text("a line 2")
    rows.first.locator(".title .option").click()
    expect(title).to_have_value("scarves")
    expect(title).to_be_focused()
    page.keyboard.type(" of wool")
    page.keyboard.press("Enter")
    expect(rows.first.locator(".name")).to_contain_text("scarves of wool")
    expect(left).not_to_contain_text("without a title")
    assert violations(page) == []
    table = downloaded(page, "Listings for the shop")[1]
    assert [(row["id"], row["title"], row["category"]) for row in table] == [("a", "scarves of wool", "Wear > Scarves")]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["list.csv"], "Choose the pictures that it names, too"),
        (["notes.txt", "plan.pdf"], "None of these files is a picture, a CSV or a zip"),
        (["a.zip", "b.jpg"], "A zip is sent alone"),
        ([], "Choose files first"),
    ],
)
def test_files_that_make_no_job_are_refused_before_they_are_sent(enter, files, said):
    page, sent = enter(), []
    page.on("request", lambda asked: sent.append(asked.url) if asked.method == "POST" else None)
    page.set_input_files("#many-files", [{"name": n, "mimeType": "text/plain", "buffer": b"x"} for n in files])
    page.locator("#many-files").evaluate("each => { each.required = false; }")
    page.locator("#many button.main").click()
    expect(page.get_by_role("status")).to_contain_text(said)
    assert sent == []


def test_what_one_listing_takes_is_checked_and_shrunk_before_it_is_sent(enter):
    page = enter()
    page.evaluate("""() => {
        const real = fetch;
        globalThis.sent = [];
        globalThis.fetch = (address, options) => {
            const files = options?.body instanceof FormData ? options.body.getAll("pictures") : [];
            sent.push(...files.map((one) => [one.name, one.size]));
            return real(address, options);
        };
    }""")
    small, out = plain_picture(KINDS["Home > Mugs"]), io.BytesIO()
    Image.frombytes("RGB", (1500, 1100), random.Random(1).randbytes(1500 * 1100 * 3)).save(out, "JPEG", quality=95)
    large = out.getvalue()

    def suggest(*files):
        page.set_input_files("#one-pictures", [{"name": n, "mimeType": "image/jpeg", "buffer": of} for n, of in files])
        page.locator("#one button.main").click()

    suggest(*[(f"{n}.jpg", small) for n in range(8)])
    expect(page.get_by_role("status")).to_have_text("8 pictures are chosen. One listing takes at most 7.")
    suggest(("list.csv", b"id,image"))
    expect(page.get_by_role("status")).to_have_text("One listing takes pictures alone.")
    assert page.evaluate("sent") == []
    suggest(("small.jpg", small), ("large.jpg", large))
    answer = page.locator("#answer")
    expect(answer.locator("section", has=page.get_by_role("heading", name="Category"))).to_contain_text(
        "sure from 50 %"
    )
    (name, size), (other, shrunk) = page.evaluate("sent")
    assert (name, size) == ("small.jpg", len(small)) and other == "large.jpg"
    assert len(large) > 1_000_000 and shrunk < len(large)


@pytest.mark.timeout(120)
def test_jobs_are_told_apart_by_name_and_date(enter, desk):
    page = enter()
    pictures = [
        {"name": f"{n}.jpg", "mimeType": "image/jpeg", "buffer": plain_picture(shade(colour, n))}
        for n, colour in enumerate(KINDS.values())
    ]
    table = {"name": "spring.csv", "mimeType": "text/csv", "buffer": b"id,image\na,0.jpg\nb,1.jpg\n"}
    names = page.locator("#jobs > li[data-id] .name")
    for files, name in ((pictures, "0.jpg + 2 more"), ([*pictures, table], "spring.csv"), (pictures[1:2], "1.jpg")):
        page.set_input_files("#many-files", files)
        page.locator("#many button.main").click()
        expect(names.first).to_contain_text(f"{name} ")
        expect(page.locator("#many button.main")).to_be_enabled()
    when = desk("get", "jobs")["jobs"][0]["created"]
    year, minute = time.strftime("%Y", time.localtime(when)), time.strftime("%M", time.localtime(when))
    expect(names.first.locator("small")).to_contain_text(re.compile(rf"{year}.*:{minute}"))
    page.get_by_role("link", name="中文").click()
    expect(names.first.locator("small")).to_contain_text(re.compile(rf"{year}年.*:{minute}"))
    for each in desk("get", "jobs")["jobs"]:
        desk("delete", f"jobs/{each['id']}", 204)


def test_files_are_dropped_on_a_form_and_nowhere_else(enter):
    page = enter()
    dropped = page.evaluate_handle("""() => {
        const carried = new DataTransfer();
        for (const name of ["a.jpg", "b.jpg"]) carried.items.add(new File(["x"], name, { type: "image/jpeg" }));
        return carried;
    }""")

    def drag(kind, where):
        return page.evaluate(
            """([kind, where, dataTransfer]) => {
                const event = new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true });
                document.querySelector(where).dispatchEvent(event);
                return event.defaultPrevented;
            }""",
            [kind, where, dropped],
        )

    for form in ("#one", "#many"):
        before = page.locator(form).evaluate("each => getComputedStyle(each).outlineStyle")
        assert drag("dragenter", form) and drag("dragover", f"{form} h2")
        assert page.locator(form).evaluate("each => getComputedStyle(each).outlineStyle") == "dashed" != before
        assert drag("drop", f"{form} h2")
        assert page.locator(form).evaluate("each => getComputedStyle(each).outlineStyle") == before
        assert page.locator(f"{form} input[type=file]").evaluate("each => each.files.length") == 2
        expect(page.locator(f"{form} button.main")).to_be_focused()
    assert drag("dragover", "h1") and drag("drop", "h1")
    assert page.locator("#one.over, #many.over").count() == 0


def test_the_shops_own_words_stand_in_brackets_in_chinese(shop, chromium):
    page = chromium.new_context(base_url=shop, locale="zh-CN").new_page()  # what it complains of is meant
    page.goto("/merchant")
    unlock(page)
    page.set_input_files("#many-files", [{"name": "a.zip", "mimeType": "application/zip", "buffer": b"PK\x03\x04 cut"}])
    page.locator("#many button.main").click()
    expect(page.get_by_role("status")).to_have_text(re.compile(r"^这样做不行。（The zip .*\.）$"))
    page.context.close()
