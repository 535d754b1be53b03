"""S17: whatever a feed, a file or a question holds, pages show it as words: nothing runs, nobody else is asked."""

import csv
import zipfile
from contextlib import closing
from dataclasses import replace
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from indexer.build.build import build_index
from indexer.encoders.registry import open_encoder
from indexer.labels.heads import LabelHeads
from tests.browser.conftest import served
from tests.fake_encoder import FakeEncoder
from tests.search.bulk_jobs import picture_bytes
from tests.web.reviews.hostile_strings import STRINGS
from tests.web.shop_fixtures import WRITE_KEY, write_keys
from web.settings import Settings

pytestmark = pytest.mark.timeout(600)

SCRIPT = "script:not([src], [type=\\'application/ld+json\\'])"  # a block of data is no code
# What may stand in a page of ours: no code but in files of ours, and no address that leads elsewhere.
FOREIGN = """() => [...document.querySelectorAll('*')].flatMap((each) => [
    ...[...each.attributes].filter(({ name, value }) => name.startsWith('on') || name === 'srcdoc'
        || (name === 'style' && value.includes('url'))
        || (['href', 'src', 'action', 'formaction', 'data', 'srcset'].includes(name)
            && !value.startsWith(location.origin + '/')
            && !/^(data:image\\/|blob:|\\/(?!\\/)|#|\\?|$)/.test(value))).map(({ name, value }) => `${name}=${value}`),
    ...(each.matches(FORBIDDEN) ? [each.outerHTML] : []),
])""".replace("FORBIDDEN", f"'iframe, object, embed, base, meta[http-equiv], {SCRIPT}, style, animate'")


def write_feed(folder):
    """A product for each string, which stands in all of its fields."""
    folder.mkdir()
    with (folder / "products.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        names = ["id", "title", "category", "brand", "description", "link", "price", "availability", "image"]
        rows.writerow([*names, "material", STRINGS[3], STRINGS[17]])
        for number, text in enumerate(STRINGS):
            picture = f"{number}.jpg"
            (folder / picture).write_bytes(picture_bytes((220 - 5 * number, 20 + 5 * number, 10), 60 + number))
            name = " ".join([f"{number:02}", *text.split()])  # an id holds no tabs
            fields = [name, text, f"Home > {text}", text, text, text, "9.90 EUR", "in stock", picture]
            rows.writerow([*fields, text, text, text])
    return folder / "products.csv"


def with_raw_texts(home):
    """Write the strings into the catalogue as they are: a feed's reader takes most tags off before."""
    with closing(Catalogue.open(ShopHome(home).catalogue)) as catalogue:
        products = [product for _, product in catalogue.iterate()]
        texts = [STRINGS[int(product.id[:2])] for product in products]
        catalogue.put(
            replace(product, title=text, category=f"Home > {text}", brand=text, description=text)
            for product, text in zip(products, texts, strict=True)
        )


def settings_of(home):
    write_keys(home)
    return Settings(home=home, timeout_ms=20_000, page_hits=40)


@pytest.fixture(scope="module")
def feed(tmp_path_factory):
    return write_feed(tmp_path_factory.mktemp("hostile") / "feed")


@pytest.fixture(scope="module")
def pages(feed):
    """A shop that words can be asked of."""
    build_index(feed.parents[1] / "pages", feed, FakeEncoder())
    with_raw_texts(feed.parents[1] / "pages")
    with served(settings_of(feed.parents[1] / "pages")) as shop:
        yield shop


@pytest.fixture(scope="module")
def desk(feed):
    """A shop that the desk's own process can open."""
    home, encoder = feed.parents[1] / "desk", open_encoder("colour")
    build_index(home, feed, encoder)
    with_raw_texts(home)
    LabelHeads(encoder.fingerprint, {}).save(home)  # neighbours alone: learning would import torch
    with served(settings_of(home)) as shop:
        yield shop


@pytest.fixture
def visitor(chromium):
    """Opens pages, with the policy or without it, and looks at each; whatever came of the strings is in `came`."""
    contexts, came = [], []

    def open_page(shop, without_policy=False):
        context = chromium.new_context(base_url=shop, bypass_csp=without_policy)
        context.set_default_timeout(120_000)
        contexts.append(context)
        page = context.new_page()

        def dialog(shown):
            came.append(f"dialog on {page.url}")
            shown.dismiss()

        page.on("dialog", dialog)
        page.on("pageerror", lambda error: came.append(str(error)))
        page.on("console", lambda line: came.append(line.text) if "Content Security Policy" in line.text else None)
        page.on("request", lambda asked: came.append(asked.url) if not ours(asked.url) else None)

        def ours(address):
            return address.startswith((f"{shop}/", "data:image/", "blob:"))

        return page

    yield open_page
    for context in contexts:
        context.close()
    assert came == []


def look(page):
    assert page.evaluate(FOREIGN) == []
    assert page.evaluate("window.ran") is None


def test_the_test_itself_sees_what_runs_and_what_is_foreign(chromium):
    page = chromium.new_context().new_page()
    messages = []
    page.on("dialog", lambda shown: (messages.append(shown.message), shown.dismiss()))
    page.set_content(f"<p>{''.join(STRINGS[i] for i in (3, 12, 18, 22, 25))}</p>")
    page.wait_for_function("window.ran === 1")
    while not messages:  # the dialog may come later
        page.wait_for_timeout(20)
    assert messages == ["1"] and len(page.evaluate(FOREIGN)) >= 5
    page.context.close()


@pytest.mark.promise(
    "S17", "30 strings in every field of a product: results, product, why, and the questions themselves"
)
@pytest.mark.parametrize("without_policy", [False, True])
def test_a_shop_of_hostile_products(pages, visitor, feed, without_policy):
    shop = pages
    page = visitor(shop, without_policy)
    page.goto('/?filter={"in_stock":true}')
    cards = page.locator(".card h3 a")
    expect(cards).to_have_count(len(STRINGS))
    look(page)
    shown = page.locator(".grid").inner_text()
    assert sum(text.strip() in shown for text in STRINGS) >= 28, "the strings came to the page, as words"
    links = cards.evaluate_all("links => links.map((each) => each.getAttribute('href'))")
    page.set_input_files("#photo", feed.parent / "3.jpg")  # results that a script put into the page
    expect(page.locator("#results[data-link*='refine=']")).to_be_attached()
    expect(page.locator("#preview")).to_be_visible()
    look(page)
    page.locator(".card h3 a").first.click()
    expect(page.locator("[data-why]")).to_be_visible()
    look(page)
    for link in links if not without_policy else links[:6]:
        page.goto(link, wait_until="domcontentloaded")
        look(page)
    page.goto("/")  # with rows for what was viewed
    expect(page.locator("#personal .card").first).to_be_visible()
    look(page)
    named = "&".join(f"ids={link.partition('?')[0].removeprefix('/products/')}" for link in links[:4])
    for address in (f"/favourites?{named}", f"/compare?{named}"):
        page.goto(address)
        look(page)
    for start in range(0, len(STRINGS), 10):
        assert page.goto(f"/?q={quote(' '.join(STRINGS[start : start + 10]))}").status == 200
        look(page)
    for field in ("like", "photo", "refine", "filter", "sort", "offset", "shown"):
        page.goto(f"/?q=red&{field}={quote(STRINGS[5])}", wait_until="domcontentloaded")
        look(page)


@pytest.mark.promise("S17", "30 strings on the desk of merchants: a suggestion, a job and its rows")
def test_a_desk_of_hostile_listings(desk, visitor, feed, tmp_path):
    shop = desk
    packed = tmp_path / "<img src=x onerror=alert(1)>.zip"
    with zipfile.ZipFile(packed, "w") as file:
        for number in range(len(STRINGS)):
            file.write(feed.parent / f"{number}.jpg", f"{number}.jpg")
        listed = [(f"{text} {number}", text, f"{number}.jpg") for number, text in enumerate(STRINGS)]
        table = tmp_path / "list.csv"
        with table.open("w", newline="", encoding="utf-8") as rows:
            csv.writer(rows).writerows([("id", "title", "image"), *listed])
        file.write(table, "list.csv")
    page = visitor(shop)
    page.goto("/merchant")
    page.locator("#key").fill(WRITE_KEY)
    page.keyboard.press("Enter")
    page.set_input_files("#one-pictures", feed.parent / "3.jpg")
    page.locator("#one-title").fill(STRINGS[3])
    page.locator("#one button.main").click()
    expect(page.locator("#answer section").first).to_be_visible()
    look(page)
    page.set_input_files("#many-files", packed)
    page.locator("#many button.main").click()
    job = page.locator("#jobs > li[data-id]").first
    expect(job.locator(".state")).to_contain_text("done", timeout=120_000)
    job.get_by_role("button", name="Review").click()
    page.locator("#which").select_option("all")
    expect(page.locator("#rows > li")).to_have_count(len(STRINGS))
    look(page)
    assert "onerror" in page.locator("#rows").inner_text() and "onerror" in page.locator("#jobs").inner_text()
