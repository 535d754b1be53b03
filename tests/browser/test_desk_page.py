"""The merchant's page in a real browser: each thing that it does by itself, on a shop of plain colours."""

import csv
import io
import json
import random
import re
import time
import zipfile

import pytest
from PIL import Image
from playwright.sync_api import expect

from search.bulk.job_store import JobStore
from tests.browser.conftest import PHONE, listening, running, settle
from tests.browser.test_measures import violations
from tests.search.bulk_jobs import KINDS, bulk_zip, make_desk_shop, shade
from tests.search.bulk_jobs import picture_bytes as plain_picture
from tests.web.api import test_listings as over_http
from tests.web.shop_fixtures import WRITE_KEY, write_keys
from web.api.jobs import supervisor_of
from web.settings import Settings

desk, send_zip = over_http.desk, over_http.send_zip


@pytest.fixture(scope="module")
def desk_app(tmp_path_factory):
    """A shop of scarves, gloves and mugs that merchants may write to, whose jobs are worked on in a thread."""
    home = make_desk_shop(tmp_path_factory.mktemp("desk") / "shop")
    write_keys(home)
    with running(Settings(home=home, timeout_ms=20_000)) as app:
        yield app


@pytest.fixture(scope="module")
def shop(desk_app):
    """The address of the desk's shop behind a real server."""
    with listening(desk_app) as address:
        yield address


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
        until = time.monotonic() + 300
        while (status := desk("get", f"jobs/{one}"))["state"] != "done":
            assert time.monotonic() < until, status
            time.sleep(0.1)
        top = [{"name": name, "confidence": sure, "neighbours": []} for name, sure in (("Wool", 0.6), ("Clay", 0.3))]
        payload = {"field": "material", "top": top, "answer": "", "answer_confidence": 0.0, "cut": 0.92}
        with JobStore(supervisor_of(desk_app).home).get(one).db(write=True) as db:
            for number, suggestion in db.execute("SELECT number, suggestion FROM rows").fetchall() if material else []:
                new = json.dumps(json.loads(suggestion) | {"attributes": [payload]})
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
    payload = {"id": "x", "name": "x.zip", "created": 1_700_000_000, "state": "working", "bytes": 9, "received": 9}
    counts = dict.fromkeys(("failed", "decided", "needs_review", "sure_left", "untitled", "double_ids"), 0)
    return payload | counts | {"total": 1200, "done": 128, "rows_per_second": 0.0} | more


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
    page.clock.pause_at(page.evaluate("Date.now() / 1000") + 1)  # on a slow machine it would go on by itself
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
    expect(rows).to_have_text(["No row needs review, but confident rows are still undecided."])
    expect(left).to_contain_text("Confident but undecided rows: 5.")
    assert downloaded(page, "Listings as CSV")[1] == []
    page.get_by_role("button", name="Accept the 5 confident rows").click()
    expect(page.get_by_role("status")).to_have_text("Accepted: 5 rows.")
    expect(rows).to_contain_text(["Nothing is left to review. Publish"])
    expect(rows.first).to_be_focused()
    expect(left).to_be_empty()
    assert len(sent) == 1
    name, table = downloaded(page, "Listings as CSV")
    assert name == "sure-listings.csv" and [row["category"] for row in table][:2] == ["Wear > Scarves", "Wear > Gloves"]
    assert not any(column.startswith("suggested") for column in table[0])
    name, table = downloaded(page, "Review table")
    assert name == "sure-review.csv" and [row["status"] for row in table] == ["accepted"] * 5
    page.get_by_role("button", name="Undo").click()
    expect(left.get_by_role("button")).to_have_text("Accept the 5 confident rows")


def test_every_field_is_reached_by_keys(enter, made, tmp_path):
    job = made(bulk_zip(tmp_path / "keys.zip", 3), material=True)
    page = enter()
    rows = rows_of(page, job)

    def value(field, name):
        return rows.first.locator(f'[data-field="{field}"] [data-value="{name}"]')

    expect(rows.first.locator('[data-field="material"] .what')).to_have_text("materialconfident from 92%")
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


@pytest.mark.parametrize(
    ("width", "language"),
    [
        (390, "zh-CN"),
        pytest.param(1280, "en-GB", marks=pytest.mark.torture),
        pytest.param(1280, "zh-CN", marks=pytest.mark.torture),
        pytest.param(390, "en-GB", marks=pytest.mark.torture),
    ],
)
def test_a_row_is_compact(enter, made, tmp_path, language, width):
    job = made(table_zip(tmp_path / "compact.zip", ["a,A scarf", "b,Gloves"]), material=True)
    options = PHONE if width == 390 else {"viewport": {"width": width, "height": 900}}
    page = enter(locale=language, **options)
    row = rows_of(page, job).first
    assert row.bounding_box()["height"] <= 1.2 * page.viewport_size["height"]
    for field in row.locator("[data-field]").all():
        first, other = field.locator(".option").first.bounding_box(), field.locator("input").bounding_box()
        assert other["x"] >= first["x"]
        middle = first["y"] + first["height"] / 2
        assert width < 1280 or other["y"] < middle < other["y"] + other["height"]  # on one line
        field.locator("input").fill("Garden > Gnomes")
        assert field.locator("input").evaluate("each => each.scrollWidth <= each.clientWidth + 1")  # parts of a pixel
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_row_tells_its_line_its_double_and_its_look_alikes(enter, made, tmp_path):
    job = made(table_zip(tmp_path / "told.zip", ["a,A scarf", "b,Gloves", "a,A mug"]))
    page = enter()
    rows = rows_of(page, job)
    expect(rows.nth(2).locator(".name")).to_have_text("A mug line 4 of the table · row 3")
    expect(rows.nth(2)).to_contain_text("Row 1 has the same id: a")
    expect(rows.first).not_to_contain_text("the same id")
    expect(page.locator("#left")).to_contain_text("Rows with the id of an earlier row: 1.")
    alike = rows.nth(2).locator(".shown", has_text="Similar products").get_by_role("link")
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


@pytest.mark.torture
def test_evidence_that_is_unknown_is_told_by_its_id(enter, made, tmp_path):
    job = made(table_zip(tmp_path / "ids.zip", ["a,A scarf"]))
    page = enter()

    def answer(route):
        route.fulfill(json={name: of for name, of in route.fetch().json().items() if name != "products"})

    page.route("**/rows?*", answer)
    expect(rows_of(page, job).first.locator(".shown", has_text="Similar products")).to_contain_text("scarves-")


@pytest.mark.torture
def test_what_the_shop_has_learnt_since_is_known_in_review(enter, made, tmp_path):
    job = made(table_zip(tmp_path / "since.zip", ["a,A scarf"]), material=True)
    page = enter()

    def answer(route):
        payload = route.fetch().json()
        fields, names = payload["fields"] | {"material": ["Felt"]}, payload["names"] | {"material": "Made of"}
        route.fulfill(json=payload | {"fields": fields, "names": names})

    page.route("**/listings/choices", answer)
    field = rows_of(page, job).first.locator("[data-field=material]")
    expect(field).to_contain_text("Made of")
    assert page.locator("#choices-material option").evaluate_all("all => all.map((one) => one.value)") == ["Felt"]


def test_a_row_without_a_title_is_given_one(enter, made, tmp_path):
    job = made(table_zip(tmp_path / "titles.zip", ["a,", "b,Gloves", "c,"]))
    page = enter()
    rows, left = rows_of(page, job), page.locator("#left")
    title = rows.first.get_by_placeholder("Title (required)")
    expect(rows.nth(1).get_by_placeholder("Title (required)")).to_have_count(0)
    rows.first.press("Enter")
    expect(left).to_contain_text("Accepted rows without a title: 1.")
    expect(rows.first.locator(".name")).to_contain_text("a line 2")
    rows.first.locator(".title .option").click()
    expect(title).to_have_value("scarves")
    expect(title).to_be_focused()
    page.keyboard.type(" of wool")
    page.keyboard.press("Enter")
    expect(rows.first.locator(".name")).to_contain_text("scarves of wool")
    expect(left).not_to_contain_text("without a title")
    assert violations(page) == []
    table = downloaded(page, "Listings as CSV")[1]
    assert [(row["id"], row["title"], row["category"]) for row in table] == [("a", "scarves of wool", "Wear > Scarves")]
    title.fill(" ")
    title.press("Enter")  # takes it back
    expect(left).to_contain_text("Accepted rows without a title: 1.")
    expect(rows.first.locator(".name")).to_contain_text("a line 2")


@pytest.mark.torture
def test_tables_are_saved_under_the_servers_names(enter, made, tmp_path):
    job = made(bulk_zip(tmp_path / "新款 1.txt", 1))
    page = enter()
    rows_of(page, job)
    assert downloaded(page, "Review table")[0] == "新款 1-review.csv"
    assert downloaded(page, "Listings as CSV")[0] == "新款 1-listings.csv"


@pytest.mark.torture
def test_more_rows_come_once_however_they_are_asked_for(enter, made, tmp_path):
    job = made(bulk_zip(tmp_path / "more.zip", 45))
    page, held = enter(), []
    rows = rows_of(page, job)
    expect(rows).to_have_count(40)
    page.route("**/rows?*after=40&*", lambda route: held.append(route))
    page.get_by_role("button", name="More rows").click()
    rows.last.press("Enter")  # goes on to the next row, which is not there yet
    while len(held) < 2:
        page.wait_for_timeout(20)
    where = "document.activeElement.closest('#rows > li')?.dataset.number"
    assert page.evaluate(where) == "40"  # not nowhere, while the list is read
    for route in held:
        route.continue_()
    expect(rows.nth(40)).to_be_focused()
    settle(page)
    expect(rows).to_have_count(45)


def test_files_that_make_no_job_are_refused_before_they_are_sent(enter):
    page, sent = enter(), []
    page.on("request", lambda asked: sent.append(asked.url) if asked.method == "POST" else None)
    page.locator("#many-files").evaluate("each => { each.required = false; }")
    refused = {
        "Add the pictures named in the CSV": ["list.csv"],
        "Choose pictures, a CSV or a zip": ["notes.txt", "plan.pdf"],
        "Upload a zip on its own": ["a.zip", "b.jpg"],
        "Choose files first": [],
    }
    for said, files in refused.items():
        page.set_input_files("#many-files", [{"name": n, "mimeType": "text/plain", "buffer": b"x"} for n in files])
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
    expect(page.get_by_role("status")).to_have_text("A single listing accepts only pictures.")
    assert page.evaluate("sent") == []
    suggest(("small.jpg", small), ("large.jpg", large))
    answer = page.locator("#answer")
    expect(answer.locator("section", has=page.get_by_role("heading", name="Category"))).to_contain_text(
        "confident from 50%"
    )
    (name, size), (other, shrunk) = page.evaluate("sent")
    assert (name, size) == ("small.jpg", len(small)) and other == "large.jpg"
    assert len(large) > 1_000_000 and shrunk < len(large)


@pytest.mark.torture
@pytest.mark.timeout(600)
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


@pytest.mark.torture
def test_the_shops_own_words_stand_in_brackets_in_chinese(shop, chromium):
    page = chromium.new_context(base_url=shop, locale="zh-CN").new_page()  # what it complains of is meant
    page.goto("/merchant")
    unlock(page)
    page.set_input_files("#many-files", [{"name": "a.zip", "mimeType": "application/zip", "buffer": b"PK\x03\x04 cut"}])
    page.locator("#many button.main").click()
    expect(page.get_by_role("status")).to_have_text(re.compile(r"^无法完成此操作。（The zip .*\.）$"))
    page.context.close()
