"""What an operator does, in a real browser: the key, the shop, the map, one step back and forward; both languages."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from indexer.generations.store import current_number
from search.ops.map_drawing import draw_map
from search.ops.query_log import EMPTY, QueryLog
from search.ops.search_counts import SearchCounts
from search.recommend.experiments.experiment_store import ExperimentStore
from tests.browser.conftest import PHONE, served, settle
from tests.browser.test_measures import WEIGHT, violations
from tests.web.operator_fixtures import make_ops_shop
from tests.web.shop_fixtures import ADMIN_KEY, WRITE_KEY
from web.settings import Settings

OPERATOR = {"Authorization": f"Bearer {ADMIN_KEY}"}
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = make_ops_shop(tmp_path_factory.mktemp("ops"))
    QueryLog(home).add(EMPTY, "zeppelin", 12.0)
    for found, words in ((True, "red hat"), (True, "red hat"), (False, "airship")):
        SearchCounts(home).add(words, found, ["Hats-1", "Hats-2"] if found else [])
    draw_map(home, 2)  # that of generation 1 is drawn when the page first asks
    return home


@pytest.fixture(scope="module")
def shop(home):
    """The address of a shop that only those with a key may see, pictures too; each test leaves it as it found it."""
    limits = {"public_read": False, "reads_per_minute": 0, "writes_per_minute": 0, "least_visitors": 1}
    with served(Settings(home=home, timeout_ms=20_000, **limits)) as address:
        yield address


@pytest.fixture
def enter(visit):
    """Opens the page with the operator's key, in a browser of its own, and waits until the map is drawn."""

    def entered(**options):
        page = visit("/ops", **options)
        page.locator("#key").fill(ADMIN_KEY)
        page.locator("#door button").click()
        expect(page.locator("#map")).to_be_visible(timeout=120_000)
        return page

    return entered


def test_an_operator_sees_the_shop_and_goes_back_with_one_click_and_a_yes(enter, home):
    page = enter()
    rows = page.locator("#generations tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("current")
    expect(page.locator("#server")).to_contain_text("Ready")
    expect(page.locator("#rejected tbody tr")).to_have_count(2)
    expect(page.locator("#questions")).to_contain_text("zeppelin")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all as CSV").click()
    assert "HYPERLINK" in download.value.path().read_text()

    page.get_by_role("button", name="Roll back to generation 1").click()
    sure = page.get_by_role("dialog")
    expect(sure).to_contain_text("Replace generation 2 with generation 1 of")
    expect(sure).to_contain_text("Products that come back: 1")
    expect(sure).to_contain_text("pictures change back: 1")
    expect(page.get_by_role("button", name="Keep 2")).to_be_focused()
    page.keyboard.press("Escape")
    expect(sure).to_be_hidden()
    assert current_number(home) == 2

    page.get_by_role("button", name="Roll back to generation 1").click()
    page.get_by_role("button", name="Yes, roll back to 1").click()
    expect(page.get_by_role("status")).to_contain_text("Generation 1 is current now. Products that come back: 1")
    expect(rows.nth(1)).to_contain_text("current")
    expect(page.locator("#server")).to_contain_text("Generation in use1")
    assert current_number(home) == 1
    expect(page.locator("#map-hint")).to_contain_text("32 of 32 products", timeout=120_000)

    page.get_by_role("button", name="Go forward to generation 2").click()
    expect(sure).to_contain_text("Products that go away: 1")
    page.get_by_role("button", name="Yes, go forward to 2").click()
    expect(page.locator("#server")).to_contain_text("Generation in use2")
    assert current_number(home) == 2


def test_the_map_is_read_by_keyboard_by_pointer_and_as_a_table(enter):
    page = enter()
    page.locator("#canvas").focus()
    page.keyboard.press("ArrowRight")
    shown = page.locator("#shown")
    expect(shown.locator("img")).to_be_visible()
    expect(shown.locator("img")).not_to_have_js_property("naturalWidth", 0)
    first = shown.locator("a").inner_text()
    page.keyboard.press("ArrowDown")
    expect(shown.locator("a")).not_to_have_text(first)
    page.locator("#map-table summary").click()
    listed = page.locator("#map-table tbody tr")
    expect(listed).to_have_count(31)
    page.get_by_role("button", name="Home 8").click()
    expect(listed).to_have_count(8)
    box = page.locator("#canvas").bounding_box()
    place = [int(part) for part in listed.first.locator("td").last.inner_text().split(",")]
    side = min(box["width"], box["height"]) - 20
    across = box["x"] + (box["width"] - side) / 2 + side * place[0] / 1_000
    page.mouse.move(across, box["y"] + (box["height"] - side) / 2 + side * place[1] / 1_000)
    expect(shown.locator("a")).to_have_text(listed.first.locator("a").inner_text())


@pytest.mark.torture
def test_the_map_zooms_and_a_part_of_it_leads_to_its_products(enter):
    page = enter()
    chosen = page.locator("#selected")
    page.locator("#canvas").focus()
    page.keyboard.press("Enter")
    expect(chosen).to_contain_text("31 products chosen")
    for key in ("+", "+", "Shift+ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(chosen).not_to_contain_text("31 products chosen")
    page.keyboard.press("0")
    box = page.locator("#canvas").bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 5, box["y"] + box["height"] / 2, steps=3)
    page.mouse.up()
    link = chosen.get_by_role("link", name="in the shop")
    titles = set(chosen.locator("li a").all_inner_texts())
    assert 0 < len(titles) < 31 and link.get_attribute("href").startswith("/?filter=")
    ids = json.loads(parse_qs(urlsplit(link.get_attribute("href")).query)["filter"][0])["id"]
    assert link.inner_text() == f"Open in the shop ({len(ids)})"
    page.get_by_role("button", name="Clear").click()
    expect(chosen).to_be_empty()


def test_the_owner_sees_the_week_and_takes_a_table_along(enter):
    page = enter()
    week = page.locator("#week")
    expect(week).to_contain_text("red hat")
    expect(week.locator("tr", has_text="airship").get_by_role("button", name="Add a rule for airship")).to_be_visible()
    expect(week).to_contain_text("Products never shown in results · 29")
    with page.expect_download() as download:
        week.get_by_role("button", name="Download as CSV: Top searches").click()
    assert download.value.path().read_text().splitlines()[1:] == ["airship,1,,0,unknown", "red hat,2,,0,unknown"][::-1]


def test_the_tab_remembers_the_key_until_it_is_told_to_forget_it_and_the_page_is_light(enter):
    page = enter()
    weights = {}
    page.on("response", lambda answer: weights.update({answer.url: answer}))
    page.reload()
    expect(page.locator("#map")).to_be_visible()
    settle(page)
    weight = sum(len(each.body()) for each in weights.values() if "image/" not in each.header_value("content-type"))
    print(f"{weight:,} bytes")
    assert weight <= 0.85 * WEIGHT  # a map of a thousand products brings 85 kB
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("#room")).to_be_hidden()
    assert page.locator("#generations tbody tr").count() == 0
    assert page.evaluate("() => sessionStorage.length + localStorage.length") == 0


@pytest.mark.parametrize(
    ("options", "title"),
    [
        pytest.param({}, "Shop overview", marks=pytest.mark.torture),
        pytest.param({"color_scheme": "dark"}, "Shop overview", marks=pytest.mark.torture),
        ({"color_scheme": "dark", "locale": "zh-CN", **PHONE}, "店铺概览"),
    ],
    ids=["light", "dark", "dark phone, Chinese"],
)
def test_nobody_is_shut_out(enter, options, title):
    page = enter(**options)
    expect(page.locator("h1")).to_have_text(title)
    page.locator("#canvas").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#shown img")).to_be_visible()
    page.locator("#map-table summary").click()
    page.locator("#generations summary").first.click()
    assert violations(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    page.locator("#generations .go").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []


def test_a_key_for_writing_is_no_key_here(shop, chromium):
    page = chromium.new_page(base_url=shop)
    page.goto("/ops")
    page.locator("#key").fill(WRITE_KEY)
    page.locator("#door button").click()
    expect(page.locator("#said")).to_contain_text("a key with the scope admin")
    expect(page.locator("#room")).to_be_hidden()
    page.close()


def first_hit(page, text):
    return page.request.post("/api/v1/search", data={"text": text}, headers=OPERATOR).json()["hits"][0]["id"]


def test_the_owner_tries_a_rule_saves_it_and_takes_it_back(enter):
    page = enter()
    page.locator("#questions").get_by_role("button", name="Add a rule for zeppelin").click()
    expect(page.locator("#rule-target")).to_be_focused()
    page.locator("#rule-action").select_option("pin")
    page.locator("#rule-target").fill("Hats-3")
    page.locator("#rule-target").press("Tab")
    page.get_by_role("button", name="Preview").click()
    now, then = (page.locator("#rule-previewed > div").nth(number) for number in range(2))
    expect(now.locator("li").first).not_to_contain_text("Hats-3")
    expect(then.locator("li").first).to_contain_text("Hats-3 red")
    page.get_by_role("button", name="Save rule").click()
    expect(page.get_by_role("status")).to_contain_text("The rule is saved")
    expect(page.locator("#rules tbody tr")).to_have_count(1)
    assert first_hit(page, "Zeppelins") == "Hats-3"

    page.locator("#rule-changes summary").click()
    expect(page.locator("#rule-changes tbody tr")).to_have_count(1)
    expect(page.locator("#rule-changes")).to_contain_text("zeppelin · Pin a product · Hats-3")
    page.get_by_role("button", name="Remove the rule for zeppelin").click()
    expect(page.locator("#rules")).to_have_text("No rules.")
    expect(page.locator("#rule-changes tbody tr")).to_have_count(2)
    assert first_hit(page, "Zeppelins") != "Hats-3"


def test_a_table_of_rules_is_checked_imported_and_exported(shop, chromium, tmp_path):
    page = chromium.new_page(base_url=shop)
    page.goto("/ops")
    page.locator("#key").fill(ADMIN_KEY)
    page.locator("#door button").click()
    expect(page.locator("#rules")).to_have_text("No rules.")
    table = tmp_path / "rules.csv"
    table.write_text("action,question,target\npin,red,Hats-1\nredirect,help,javascript:alert(1)\n")
    page.locator("#rule-file").set_input_files(table)
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#rule-imported li")).to_have_count(1)
    expect(page.locator("#rule-imported")).to_contain_text("Line 3: The address 'javascript:alert(1)'")
    table.write_text("action,question,target\npin,red,Hats-1\nredirect,help,/help\n")
    page.locator("#rule-file").set_input_files(table)
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#rule-imported")).to_contain_text("would add 2")
    expect(page.locator("#rules")).to_have_text("No rules.")
    page.get_by_role("button", name="Import").click()
    expect(page.locator("#rules tbody tr")).to_have_count(2)
    page.locator("#rule-contains").fill("help")
    expect(page.locator("#rules tbody tr")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert "exact,red,pin,Hats-1,1,," in download.value.path().read_text()
    page.close()


def test_the_owner_runs_an_experiment_and_reads_its_report(enter, home):
    page = enter()
    expect(page.locator("#experiments")).to_contain_text("No experiments yet.")
    page.locator("#experiment-id").fill("fewer-repeats")
    page.get_by_role("button", name="Save experiment").click()
    row = page.locator("#experiments tbody tr")
    expect(row).to_contain_text("new (50%) – Most repeats in “For you”: 20%")
    page.get_by_role("button", name="Start the experiment fewer-repeats").click()
    expect(row).to_contain_text("running")
    store, arms = ExperimentStore(home), {"control": 30, "new": 40}
    for arm, visitors in arms.items():
        for number in range(visitors):
            store.expose(store.running(), f"{arm}-{number}".encode(), arm)
    page.get_by_role("button", name="Show the report of fewer-repeats").click()
    report = page.locator("#experiment-report")
    expect(report.locator("tbody tr").nth(1)).to_contain_text("40")
    expect(report).to_contain_text("new: no result before")
    page.locator("#experiment-change").select_option("first_shelf")
    expect(page.locator("#experiment-shelf")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Stop the experiment fewer-repeats").click()
    expect(row).to_contain_text("stopped")
    page.get_by_role("button", name="Remove the experiment fewer-repeats").click()
    expect(page.locator("#experiments")).to_contain_text("No experiments yet.")
