"""What merchants do, in a real browser: the key, one listing, a whole file reviewed by keyboard; in both languages."""

import csv
import io
import zipfile
from functools import partial

import pytest
from playwright.sync_api import expect

from indexer.training import label_heads
from indexer.training.label_heads import LabelRecipe
from search.learn import learn
from tests.browser.conftest import PHONE, served
from tests.browser.test_measures import WEIGHT, violations
from tests.search.desk import KINDS, bulk_zip, make_desk_shop, picture_bytes, shade
from tests.web.shop import WRITE_KEY, write_keys
from web.settings import Settings

pytestmark = [pytest.mark.torch, pytest.mark.timeout(120)]

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
        expect(page.locator("#desk")).to_be_visible()
        return page

    return entered


def begin(page, files):
    jobs = page.locator("#jobs > li[data-id]")
    before = jobs.count()
    page.set_input_files("#many-files", files)
    page.locator("#many button.main").click()
    expect(jobs).to_have_count(before + 1)
    job = jobs.first
    expect(job.locator(".state")).to_contain_text("done ·", timeout=60_000)
    return job


def test_the_key_is_asked_for_once_and_a_broken_file_refused(shop, chromium):
    page = chromium.new_context(base_url=shop).new_page()
    page.goto("/merchant")
    assert violations(page) == []
    page.locator("#key").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("does not open the desk")
    expect(page.locator("#key")).to_be_focused()
    page.keyboard.type(WRITE_KEY)
    page.keyboard.press("Enter")
    expect(page.locator("#one-pictures")).to_be_focused()
    page.reload()
    expect(page.locator("#desk")).to_be_visible()
    page.get_by_role("button", name="Forget the key").click()
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

    def told(name):
        return answer.locator("section", has=page.get_by_role("heading", name=name, exact=True))

    expect(told("Category").locator("li").first).to_contain_text("Home > Mugs")
    expect(told("Material").locator("li").first).to_contain_text("Clay")
    expect(told("Price")).to_contain_text("EUR")
    expect(told("About the pictures")).to_contain_text("too small")
    expect(told("Perhaps listed already")).to_contain_text("the same file")
    expect(told("Perhaps listed already").get_by_role("link").first).to_have_attribute("href", "/products/mugs-0")
    assert told("Look-alikes").locator("img").count() >= 3
    assert violations(page) == []


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
    expect(rows.first.locator(".taken")).to_have_text(["Enter takes Wear > Gloves", ""])
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
    assert violations(page) == []
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the CSV").click()
    table = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8"))))
    assert [row["status"] for row in table] == ["corrected", "declined", *["accepted"] * 43]
    assert table[0]["category"] == "Wear > Gloves" and table[0]["title"] == "'=1+0"
    page.locator("#which").select_option("review")
    expect(rows).to_contain_text(["Nothing is left to review"])


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
    expect(page.locator("#rows > li")).to_contain_text(["no picture 'none.jpg' in the zip"])
    assert violations(page, ["color-contrast"]) == []


def test_on_a_phone_in_chinese(enter):
    page = enter(locale="zh-CN", **PHONE)
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(page.locator("h1")).to_have_text("商家工作台")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("#jobs > li[data-id] [data-do=show]").first.click()
    expect(page.locator("#rows > li[data-number], #rows > li").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []
    page.get_by_role("link", name="English").click()
    expect(page.locator("h1")).to_have_text("Merchant’s desk")
    expect(page.locator("#desk")).to_be_visible()
