"""What merchants do, in a real browser: the key, one listing, a whole file reviewed by keyboard; in both languages."""

import csv
import io
import zipfile
from functools import partial

import pytest
from playwright.sync_api import expect

from indexer.training import label_heads
from indexer.training.label_heads import LabelRecipe
from search.listings.fit_heads import learn
from tests.browser.conftest import PHONE, served
from tests.browser.test_measures import WEIGHT, violations
from tests.search.bulk_jobs import KINDS, bulk_zip, make_desk_shop, picture_bytes, shade
from tests.web.shop_fixtures import WRITE_KEY, WRITER, write_keys
from web.settings import Settings

pytestmark = [pytest.mark.torch, pytest.mark.timeout(600)]

QUICK = 15  # steps of learning: three plain colours need no more


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = make_desk_shop(tmp_path_factory.mktemp("desk") / "shop", each=14)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(label_heads, "LabelRecipe", partial(LabelRecipe, steps=QUICK, least_steps=QUICK))
        learn(home)
    write_keys(home)
    return home


@pytest.fixture(scope="module")
def shop(home):
    """The address of a shop of scarves, gloves and mugs that merchants may write to."""
    with served(Settings(home=home, timeout_ms=20_000)) as address:
        yield address


@pytest.fixture
def enter(visit):
    """Opens the desk with the key, in a browser of its own."""

    def entered(**options):
        page = visit("/merchant", **options)
        page.locator("#key").fill(WRITE_KEY)
        page.keyboard.press("Enter")
        expect(page.locator("#jobs > li").first).to_be_visible()
        return page

    return entered


def begin(page, files):
    jobs = page.locator("#jobs > li[data-id]")
    before = jobs.count()
    page.set_input_files("#many-files", files)
    page.locator("#many button.main").click()
    expect(jobs).to_have_count(before + 1)
    job = jobs.first
    expect(job.locator(".state")).to_contain_text("done ·", timeout=120_000)
    return job


def all_rows(page, job, count):
    job.locator("[data-do=show]").click()
    rows = page.locator("#rows > li")
    expect(rows.first).to_be_focused()
    if page.locator("#which").input_value() != "all":
        page.locator("#which").select_option("all")
    expect(rows).to_have_count(count)
    return rows


def test_the_key_is_asked_for_once_and_a_broken_file_refused(shop, chromium):
    page = chromium.new_context(base_url=shop).new_page()
    page.goto("/merchant")
    assert violations(page) == []
    page.locator("#key").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("was not accepted")
    expect(page.locator("#key")).to_be_focused()
    page.keyboard.type(WRITE_KEY)
    page.keyboard.press("Enter")
    expect(page.locator("#one-pictures")).to_be_focused()
    page.reload()
    expect(page.locator("#desk")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.reload()
    expect(page.locator("#key")).to_be_visible()
    broken = {"name": "bad.zip", "mimeType": "application/zip", "buffer": b"PK\x03\x04 cut"}
    page.locator("#key").fill(WRITE_KEY)
    page.keyboard.press("Enter")
    page.set_input_files("#many-files", [broken])
    page.locator("#many button.main").click()
    expect(page.get_by_role("status")).to_contain_text("cut short")
    expect(page.locator("#jobs")).to_contain_text("No jobs yet")
    page.context.close()


def test_one_listing(enter, home):
    page = enter()
    page.set_input_files("#one-pictures", home / "feed" / "mugs-0.jpg")
    page.locator("#one button.main").click()
    answer = page.locator("#answer")

    def part(name):
        return answer.locator("section", has=page.get_by_role("heading", name=name, exact=True))

    expect(part("Category").locator("li").first).to_contain_text("Home > Mugs")
    expect(part("Material").locator("li").first).to_contain_text("Clay")
    expect(part("Price")).to_contain_text("€")
    expect(part("Picture quality")).to_contain_text("too small")
    expect(part("Possibly listed already")).to_contain_text("the same file")
    expect(part("Possibly listed already").get_by_role("link").first).to_have_attribute("href", "/products/mugs-0")
    assert part("Similar products").locator("img").count() >= 3
    assert violations(page) == []
    answer.get_by_role("button", name="Edit and publish").click()
    row = page.locator("#rows > li[data-number]")
    expect(row).to_be_focused(timeout=120_000)
    expect(row).to_contain_text("The shop has a product with this ID")
    row.get_by_role("button", name="Publish").click()
    expect(page.locator("#outcome")).to_contain_text("The listing has no title.")
    page.once("dialog", lambda dialog: dialog.accept())
    page.locator("#jobs [data-do=delete]").first.click()
    expect(page.locator("#jobs")).to_contain_text("No jobs yet")


def test_a_file_is_reviewed_by_keyboard(enter, tmp_path):
    path = bulk_zip(tmp_path / "many.zip", 45)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("pictures/p3.png", b"no picture")
    page, bodies = enter(), []
    page.on("response", lambda answer: bodies.append(answer))
    page.goto("/merchant")
    expect(page.locator("#desk")).to_be_visible()
    job = begin(page, path)
    expect(job).to_contain_text("45 of 45 rows")
    job.get_by_role("button", name="Review").click()
    page.locator("#which").select_option("all")
    rows = page.locator("#rows > li")
    expect(rows).to_have_count(40)
    text = [each for each in bodies if not (each.header_value("content-type") or "").startswith("image/")]
    pages = [each for each in text if "/api/" not in each.url]
    assert sum(len(each.body()) for each in pages) <= WEIGHT

    rows.first.focus()
    page.keyboard.type("glo")
    expect(rows.first.locator(".taken")).to_have_text(["Press Enter to choose Wear > Gloves", ""])
    page.keyboard.press("Enter")
    expect(rows.first).to_contain_text("Corrected")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("Delete")
    expect(rows.nth(1)).to_contain_text("Declined")
    page.keyboard.press("u")
    expect(rows.nth(1)).not_to_contain_text("Declined")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("Delete")
    page.locator("#least").fill("50")
    page.get_by_role("button", name="Accept all", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("Accepted: 43 rows.")
    with page.expect_download() as download:
        page.get_by_role("button", name="Review table").click()
    table = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8"))))
    assert [row["status"] for row in table] == ["corrected", "declined", *["accepted"] * 43]
    assert table[0]["category"] == "Wear > Gloves" and table[0]["title"] == "'=1+0"
    page.locator("#which").select_option("review")
    expect(rows).to_contain_text(["Nothing is left to review"])


def test_a_new_value_is_made_only_when_it_is_said_twice(enter, tmp_path):
    page, sent = enter(), []
    page.on("request", lambda asked: sent.append(asked.post_data) if asked.url.endswith("/decisions") else None)
    rows = all_rows(page, begin(page, bulk_zip(tmp_path / "new.zip", 6)), 6)

    def part(row, field="category"):
        return rows.nth(row).locator(f'[data-field="{field}"] .taken')

    rows.first.focus()
    page.keyboard.type("q")
    expect(part(0)).to_have_text("q is a new value")
    page.keyboard.down("Enter")
    page.keyboard.down("Enter")  # held down: it comes again by itself
    page.keyboard.up("Enter")
    expect(part(0)).to_have_text("q is a new value. Press Enter or Accept again to create it.")
    expect(rows.first.locator("input").first).to_be_focused()
    page.keyboard.type("uilts")
    rows.first.locator("input").first.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    expect(part(0)).to_have_text("quilts is a new value")  # that Enter chose a word of an input method
    page.keyboard.press("Enter")
    expect(part(0)).to_have_text("quilts is a new value. Press Enter or Accept again to create it.")
    assert sent == [] and violations(page) == []
    page.keyboard.press("Enter")
    expect(rows.first).to_contain_text("Corrected")
    expect(rows.nth(1)).to_be_focused()

    page.keyboard.type("qui")  # it is none any more, until it is undone
    expect(part(1)).to_have_text("Press Enter to choose quilts")
    page.keyboard.press("Enter")
    expect(rows.nth(1)).to_contain_text("Corrected")
    expect(rows.nth(2)).to_be_focused()
    page.keyboard.press("u")
    expect(page.get_by_role("status")).to_have_text("Undone: 1 row.")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.type("quilts")
    expect(part(1)).to_have_text("quilts is a new value")
    rows.nth(1).locator(".option").first.click()
    expect(part(1)).to_have_text("")
    expect(rows.nth(1).locator("input").first).to_have_value("")
    rows.nth(1).focus()
    page.keyboard.press("Enter")
    expect(rows.nth(1)).to_contain_text("Accepted")

    accept = rows.nth(2).get_by_role("button", name="Accept")
    rows.nth(2).locator('[data-field="material"] input').fill("Felt")
    sent.clear()
    accept.dblclick()
    expect(part(2, "material")).to_contain_text("Felt is a new value. Press Enter or Accept again")
    expect(accept).to_be_focused()
    assert sent == []
    accept.click()
    expect(rows.nth(2)).to_contain_text("Corrected")
    assert len(sent) == 1 and '"material":"Felt"' in sent[0]


def test_one_row_is_one_row(enter, tmp_path):
    page = enter()
    job = begin(page, bulk_zip(tmp_path / "single.zip", 1))
    expect(job).to_contain_text("1 of 1 row ·")
    job.get_by_role("button", name="Review").click()
    page.locator("#least").fill("5")
    page.get_by_role("button", name="Accept all", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("Accepted: 1 row.")
    page.locator("#which").select_option("all")
    row = page.locator("#rows > li")
    row.get_by_label("Price").fill("8.50 EUR")
    with page.expect_response(lambda answer: "/decisions" in answer.url, timeout=120_000):  # accepted it was before
        row.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("Accepted")
    page.get_by_role("button", name="Publish the accepted listing").click()
    expect(page.locator("#outcome")).to_have_text("Added to the shop: 1.")
    expect(page.locator("#outcome")).to_be_focused()
    expect(row.get_by_role("link", name="View product")).to_have_attribute("href", "/products/new-0")
    assert page.request.get("/api/v1/products/new-0").json()["price"] == "8.50"
    assert violations(page) == []
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Undo publishing of the last listing").click()
    expect(page.locator("#outcome")).to_have_text("Removed from the shop: 1.")

    row.locator("button.tile").click()
    expect(page.get_by_role("dialog").locator("img")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Select all shown").click()
    page.locator("#bulk-field").select_option("category")
    page.locator("#bulk-value").fill("glo")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("status")).to_have_text("Wear > Gloves: 1 listing.")
    expect(row).to_contain_text("Corrected")


@pytest.mark.torture
def test_an_upload_that_was_cut_off_is_told_from_one_that_goes_on(enter, tmp_path):
    page = enter()
    data = bulk_zip(tmp_path / "cut.zip", 2).read_bytes()
    half = len(data) // 2

    def shop(method, path, **options):
        return page.request.fetch(f"/api/v1/jobs{path}", method=method, headers=WRITER, **options)

    made = shop("POST", "", data={"name": "cut.zip", "bytes": len(data)}).json()["id"]
    shop("PUT", f"/{made}/file?offset=0", data=data[:half])
    page.clock.install()
    page.reload()
    job = page.locator(f'#jobs > li[data-id="{made}"]')
    delete, goes_on, bar = job.locator("[data-do=delete]"), job.locator("[data-do=go_on]"), job.locator("progress")
    share = f"{100 * half // len(data)}%"
    expect(job.locator(".state")).to_have_text(f"upload incomplete · {share}")
    expect(bar).to_be_hidden()
    assert violations(page) == []
    delete.focus()
    shop("PUT", f"/{made}/file?offset={half}", data=data[half:-1])
    expect(job.locator(".state")).to_have_text("uploading · 99%")
    expect(bar).to_be_visible()
    expect(delete).to_be_focused()
    page.clock.fast_forward(40_000)
    expect(job.locator(".state")).to_have_text("upload incomplete · 99%")
    expect(goes_on).to_be_hidden()
    shop("PUT", f"/{made}/file?offset={len(data) - 1}", data=data[-1:])
    page.reload()
    expect(job.locator(".state")).to_have_text("uploaded, not started · 100%")
    goes_on.click()
    expect(job.locator(".state")).to_contain_text("done ·", timeout=120_000)
    page.once("dialog", lambda dialog: dialog.accept())
    delete.click()
    expect(job).to_have_count(0)


@pytest.mark.parametrize(
    "ends", [*(pytest.param(each, marks=pytest.mark.torture) for each in ("failure", "delete")), "closed"]
)
def test_an_upload_that_ends_in_the_middle(enter, shop, chromium, tmp_path, ends):
    page = chromium.new_context(base_url=shop).new_page()  # what it complains of is meant
    page.goto("/merchant")
    page.locator("#key").fill(WRITE_KEY)
    page.keyboard.press("Enter")
    expect(page.locator("#desk")).to_be_visible()
    held = []
    page.route("**/file?offset=4194304", lambda route: held.append(route))
    packed = tmp_path / f"{ends}.zip"
    packed.write_bytes(bytes(10 * 2**20))
    page.set_input_files("#many-files", packed)
    page.locator("#many button.main").click()
    job = page.locator("#jobs > li[data-id]", has_text=packed.name)
    state = job.locator(".state")
    expect(state).to_have_text("uploading · 40%")
    expect(job.locator("progress")).to_be_visible()
    while not held:
        page.wait_for_timeout(20)
    if ends == "failure":
        held.pop().abort()
        expect(page.get_by_role("status")).to_contain_text("cannot be reached")
    elif ends == "closed":
        page.context.close()
        page = enter()
        job = page.locator("#jobs > li[data-id]", has_text=packed.name)
        state = job.locator(".state")
    if ends != "delete":
        expect(state).to_have_text("upload incomplete · 40%")
        expect(job.locator("progress")).to_be_hidden()
    page.once("dialog", lambda dialog: dialog.accept())
    job.get_by_role("button", name="Delete").click()
    expect(job).to_have_count(0)
    if ends == "delete":
        held.pop().continue_()
        expect(page.locator("#many button.main")).to_be_enabled()
        expect(page.locator("#said")).to_have_text("")
    page.context.close()


def test_pictures_with_a_table(enter, tmp_path):
    page = enter(color_scheme="dark")
    files = [
        {"name": f"{n}.jpg", "mimeType": "image/jpeg", "buffer": picture_bytes(shade(colour, n))}
        for n, colour in enumerate(KINDS.values())
    ]
    listed = "id,image\n" + "".join(f"row-{n},{n}.jpg\n" for n in range(3)) + "row-3,none.jpg\n"
    job = begin(page, [*files, {"name": "list.csv", "mimeType": "text/csv", "buffer": listed.encode()}])
    expect(job).to_contain_text("4 of 4 rows · 1 failed")
    job.get_by_role("button", name="Review").click()
    page.locator("#which").select_option("failed")
    expect(page.locator("#rows > li")).to_contain_text(["no picture 'none.jpg' among the files sent"])
    assert violations(page, ["color-contrast"]) == []


def test_on_a_phone_in_chinese(enter):
    page = enter(locale="zh-CN", **PHONE)
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(page.locator("h1")).to_have_text("商家工作台")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    rows = all_rows(page, page.locator("#jobs > li[data-id]").first, 4)
    rows.first.locator("input").first.fill("家居 > 毛毯和很长很长的一个新类别名称")
    page.keyboard.press("Enter")
    expect(rows.first.locator(".taken").first).to_contain_text("是新值。再按一次 Enter 或“接受”即可新建。")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []
    page.get_by_role("link", name="English").click()
    expect(page.locator("h1")).to_have_text("Merchant tools")
    expect(page.locator("#desk")).to_be_visible()
