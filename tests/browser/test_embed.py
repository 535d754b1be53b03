"""The search on a merchant's own page, of another origin: the example pages under their strict policy, in a browser.

The shop is closed to the public, so the page's public key has to open it.
"""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NETWORK_CHANGED, PHONE, axe, listening
from tests.web.shop_fixtures import BLUE, SEARCH_KEY, WRITER, fake_app, picture_bytes

pytestmark = pytest.mark.timeout(600)

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".json": "application/json"}
ASK = """async ([shop, key]) => {
    const { windowshopClient } = await import(`${shop}/embed/instantsearch.js`);
    const client = windowshopClient({ shop, key });
    const ask = async (indexName, params) => (await client.search([{ indexName, params }])).results[0];
    const tags = { highlightPreTag: "<", highlightPostTag: ">" };
    const chosen = [["base_colour:Red", "base_colour:Blue"], "in_stock:true"];
    const groups = [["brand:Acme", "in_stock:false"], ["base_colour:Red", "on_sale:true"]];
    const typed = { facetName: "base_colour", facetQuery: "gr" };
    return {
        text: await ask("shop", { query: "red", hitsPerPage: 1, facets: ["base_colour"], ...tags }),
        all: await ask("shop:-price", { page: 1, hitsPerPage: 2 }),
        counts: await ask("shop", { hitsPerPage: 0, facets: "base_colour", facetFilters: chosen }),
        price: await ask("shop", { numericFilters: ["price>=13", "price<14"], facetFilters: [["brand:Acme"]] }),
        sale: await ask("shop", { facetFilters: ["on_sale:true"] }),
        either: await ask("shop", { facetFilters: [["in_stock:true", "in_stock:false"]] }),
        twoBrands: await ask("shop", { facetFilters: ["brand:Acme", "brand:Dana"] }),
        twoGroups: await ask("shop", { facetFilters: groups }),
        values: (await client.searchForFacetValues([{ indexName: "shop", params: typed }]))[0],
    };
}"""
CAMERA = """navigator.mediaDevices.getUserMedia = async () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
    const brush = canvas.getContext("2d");
    setInterval(() => { brush.fillStyle = "blue"; brush.fillRect(0, 0, 320, 240); }, 20);
    return canvas.captureStream();
};"""
# What the shop's recogniser might answer; the recording is real.
SPEECH = """const real = window.fetch;
window.fetch = async (address, options) => {
    if (options.method !== "POST" || !String(address).endsWith("/api/v1/speech")) return real(address, options);
    window.spoken = [options.headers, options.body.get("language"), await options.body.get("audio").slice(0, 4).text()];
    return Response.json({ text: "red jumper", recognised: "", confidence: 0.9, alternatives: ["blue jumper"] });
};"""
PHOTO = {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": picture_bytes(BLUE, (300, 300))}


class ExamplePages(BaseHTTPRequestHandler):
    """The files of docs/examples, with the address of the shop under test, and its key."""

    shop = ""

    def do_GET(self):
        file = EXAMPLES / (self.path.partition("?")[0].lstrip("/") or "index.html")
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        text = text.replace("http://localhost:8000", self.shop).replace("mug-1a", "green")
        text = text.replace('embed.js"', f'embed.js" data-key="{SEARCH_KEY}"').replace(
            f'shop: "{self.shop}"', f'shop: "{self.shop}", key: "{SEARCH_KEY}"'
        )
        self.send_response(200 if text else 204)
        self.send_header("Content-Type", f"{TYPES.get(file.suffix, 'text/plain')}; charset=utf-8")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def merchant(tmp_path_factory):
    """The origin of a merchant's pages; the same pages have a foreign origin under the name localhost."""
    pages = ThreadingHTTPServer(("127.0.0.1", 0), ExamplePages)
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    origin = f"http://127.0.0.1:{pages.server_port}"
    settings = {"cors_origins": origin, "public_read": False, "timeout_ms": 20_000}
    with fake_app(tmp_path_factory.mktemp("embed"), **settings) as app, listening(app) as shop:
        ExamplePages.shop = shop
        facts = {"link": f"{origin}/product.html?id=red&from=feed", "list_price": "21.50"}
        assert app.test_client().put("/api/v1/products/red", json=facts, headers=WRITER).status_code == 200
        yield origin
    pages.shutdown()
    pages.server_close()


@pytest.fixture
def visit(merchant, chromium):
    """Opens the merchant's pages; what their policy refuses, or a script stumbles over, fails the test."""
    contexts, complaints = [], []

    def open_page(address, script="", **options):
        context = chromium.new_context(base_url=merchant, **{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        context.set_default_timeout(120_000)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [each for each in complaints if "415" not in each and NETWORK_CHANGED not in each] == []


def search(page, text):
    page.get_by_role("combobox").fill(text)
    page.get_by_role("combobox").press("Enter")


def cards(page):
    return page.locator("windowshop-search .results .card")


def test_words_lead_to_the_merchants_own_page_and_back(visit):
    page = visit("/index.html")
    page.get_by_role("combobox").press_sequentially("jum", delay=20)
    expect(page.get_by_role("option", name="Red jumper")).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("combobox")).to_have_attribute("aria-activedescendant", "option-0")
    page.keyboard.press("Escape")
    search(page, "red jumper")
    first = cards(page).first
    expect(first.get_by_role("link")).to_have_text("Red jumper")
    expect(first).to_contain_text("€12.90")
    expect(first.locator("img")).not_to_have_js_property("naturalWidth", 0)
    page.wait_for_function("() => performance.getEntriesByName('windowshop-painted', 'measure').length > 0")
    page.evaluate(axe())
    found = page.evaluate(
        "async () => (await axe.run('windowshop-search')).violations.map(({ id, nodes }) => [id, nodes[0].html])"
    )
    assert found == []
    sent = []
    page.on("request", lambda request: sent.append(request.post_data_json) if "/events" in request.url else None)
    with page.expect_response(lambda answer: "/events" in answer.url) as stored:
        first.get_by_role("link").click()
    assert stored.value.status == 202
    assert sent[0]["visitor"].startswith("v-")
    click = {"type": "click", "product_id": "red", "rank": 1}
    query_id = sent[0]["events"][0].pop("query_id")
    assert sent[0]["events"] == [click] and len(query_id) == 16
    page.wait_for_url("**/product.html?id=red")
    expect(page.locator("windowshop-similar").first.locator(".card").first).to_be_visible()
    page.go_back()
    expect(cards(page).first.get_by_role("link")).to_have_text("Red jumper")
    expect(page.get_by_role("combobox", name="Words")).to_have_value("red jumper")


def test_a_photo_is_searched_cropped_and_removed(visit):
    page = visit("/index.html", **PHONE)
    page.locator("windowshop-search input[type=file]").first.set_input_files(PHOTO)
    expect(cards(page).first.get_by_role("link")).to_have_text("Blue jumper")
    page.get_by_role("button", name="Choose an item in the photo").click()
    with page.expect_response("**/api/v1/search") as cropped:
        page.locator("windowshop-search .frame").press("Shift+ArrowLeft")
    assert cropped.value.ok and cropped.value.request.headers["content-type"].startswith("multipart/form-data")
    assert page.evaluate("document.querySelector('windowshop-search').state.crop") == [0.1, 0.1, 0.88, 0.9]
    expect(page.get_by_role("button", name="Whole photo")).to_be_visible()
    page.get_by_role("button", name="Remove the photo").click()
    expect(cards(page)).to_have_count(0)


@pytest.mark.torture
def test_a_photo_may_be_dropped_and_a_file_that_is_none_leaves_no_trace(visit):
    page = visit("/index.html")
    page.get_by_role("combobox").wait_for()
    drop = """([bytes, type]) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], "dropped", { type }));
        const place = document.querySelector("windowshop-search").shadowRoot.querySelector(".whole");
        place.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    }"""
    page.evaluate(drop, [list(PHOTO["buffer"]), "image/jpeg"])
    expect(cards(page).first.get_by_role("link")).to_have_text("Blue jumper")
    page.evaluate(drop, [list(b"%PDF-1.4"), "application/pdf"])
    expect(page.get_by_role("alert")).to_contain_text("can’t be used")
    expect(page.get_by_role("button", name="Remove the photo")).to_be_hidden()


@pytest.mark.torture
def test_the_camera_takes_a_photo_in_a_dialog_of_the_shops_own_colours(visit):
    page = visit("/index.html", CAMERA)
    page.get_by_role("button", name="Take a photo").click()
    dialog = page.get_by_role("dialog", name="Take a photo")
    expect(dialog.locator("video")).to_have_js_property("videoWidth", 320)
    expect(dialog.get_by_role("button", name="Take the photo")).to_have_css("background-color", "rgb(154, 74, 43)")
    dialog.get_by_role("button", name="Take the photo").click()
    expect(cards(page).first.get_by_role("link")).to_have_text("Blue jumper")
    expect(dialog).to_have_count(0)


def test_the_page_decides_where_a_click_leads_and_who_is_tracked(visit):
    page = visit("/index.html", "Object.defineProperty(navigator, 'globalPrivacyControl', { value: true });")
    page.evaluate("""() => {
        addEventListener("windowshop-click", (event) => { event.preventDefault(); window.clicked = event.detail; });
    }""")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    search(page, "red jumper")
    cards(page).first.get_by_role("link").click()
    clicked = page.evaluate("window.clicked")
    assert (clicked["id"], clicked["rank"]) == ("red", 1) and clicked["link"].endswith("/product.html?id=red")
    assert clicked["product"]["attributes"] == {"colour": "Red", "made of": "wool"}
    assert page.url.endswith("/index.html")
    assert any(url.endswith("/search") for url in asked) and not any(url.endswith("/events") for url in asked)


@pytest.mark.torture
@pytest.mark.usefixtures("microphone")
def test_a_question_may_be_spoken_and_corrected(visit):
    page = visit("/index.html", SPEECH, permissions=["microphone"])
    page.get_by_role("button", name="Search by voice").click()
    expect(page.get_by_role("button", name="Stop and search").first).to_be_visible()
    expect(page.locator(".voice-level .on").first).to_be_visible()
    expect(cards(page).first.get_by_role("link")).to_have_text("Red jumper")
    expect(page.locator(".voice-result")).to_contain_text("You said: “red jumper”")
    assert page.evaluate("window.spoken") == [{"Authorization": f"Bearer {SEARCH_KEY}"}, "en", "RIFF"]
    page.get_by_role("button", name="blue jumper", exact=True).click()
    expect(cards(page).first.get_by_role("link")).to_have_text("Blue jumper")
    words = page.get_by_role("combobox", name="Words")
    expect(words).to_have_value("blue jumper")
    words.fill("green jumper")
    words.press("Enter")
    expect(page.locator(".voice-result")).to_be_hidden()


def test_one_tag_is_enough_and_a_card_has_the_link_and_the_sale_of_its_product(visit):
    page = visit("/one-tag.html")
    search(page, "red jumper")
    red = cards(page).first
    expect(red.get_by_role("link")).to_have_text("Red jumper")
    expect(red).to_contain_text("−40")
    expect(red.locator(".price")).to_have_text("€12.90Before: €21.50")
    red.get_by_role("link").click()
    page.wait_for_url("**/product.html?id=red&from=feed")


def test_in_chinese_with_words_of_the_merchant(visit):
    page = visit("/chinese.html")
    box = page.get_by_role("combobox", name="搜索词")
    expect(box).to_have_attribute("placeholder", "找餐具、灯具，或上传照片")
    search(page, "red jumper")
    expect(page.locator("windowshop-search h2").first).to_contain_text("“red jumper”共找到 3 件商品")


def test_a_foreign_origin_is_refused(merchant, chromium):
    page = chromium.new_page(base_url=merchant.replace("127.0.0.1", "localhost"))
    heard = []
    page.on("console", lambda line: heard.append(line.text))
    page.goto("/index.html")
    search(page, "red jumper")
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    expect(cards(page)).to_have_count(0)
    assert any("WINDOWSHOP_CORS_ORIGINS" in line for line in heard)
    page.close()


def test_the_adapter_answers_what_instantsearch_asks(visit):
    page = visit("/instantsearch.html")
    expect(page.locator("#results")).to_contain_text("nbHits")
    answer = page.evaluate(ASK, [ExamplePages.shop, SEARCH_KEY])
    (red,) = answer["text"]["hits"]
    assert (red["objectID"], red["price"], red["_highlightResult"]["title"]["value"]) == ("red", 12.9, "<Red> jumper")
    assert red["image"].startswith(f"{ExamplePages.shop}/pictures/")
    assert (answer["all"]["nbHits"], answer["all"]["nbPages"], answer["all"]["page"]) == (18, 9, 1)
    assert answer["all"]["hits"][0]["objectID"] == "red"
    assert answer["counts"]["hits"] == [] and answer["counts"]["nbHits"] == 1
    assert [hit["objectID"] for hit in answer["price"]["hits"]] == ["green"]
    assert [hit["objectID"] for hit in answer["sale"]["hits"]] == ["red"]
    assert [answer[name]["nbHits"] for name in ("either", "twoBrands", "twoGroups")] == [18, 0, 1]
    assert [value["value"] for value in answer["values"]["facetHits"]] == ["Green"]


def test_a_feed_recommends_by_what_the_page_logs_unless_it_may_not(visit):
    page = visit("/index.html")
    feed = page.locator("windowshop-feed")
    green = feed.locator('.card a[href$="id=green"]')
    expect(feed.locator(".card").first).to_be_visible()
    log = """() => document.dispatchEvent(
        new CustomEvent("windowshop-log", { detail: { type: "cart", product: "green" } }))"""
    with page.expect_response("**/api/v1/events") as answer:
        page.evaluate(log)
    assert answer.value.request.post_data_json["events"] == [{"type": "cart", "product_id": "green"}]
    with page.expect_request("**/api/v1/feed?**") as asked:
        page.reload()
    assert "visitor=v-" in asked.value.url
    expect(feed.locator(".card").first).to_be_visible()
    expect(green).to_have_count(0)  # it is in the cart
    expect(feed.locator("[part=reason]").first).not_to_be_empty()
    page.evaluate("() => { document.querySelector('script[data-link]').dataset.tracking = 'off'; }")
    with page.expect_request("**/api/v1/feed?**") as asked:
        feed.evaluate("element => element.setAttribute('hits', '4')")
    assert "visitor=" not in asked.value.url and "personalise=false" in asked.value.url
    expect(feed.locator(".card")).to_have_count(4)


def test_the_assistant_answers_in_a_panel_of_the_pages_own_colours(visit):
    page = visit("/assistant.html")
    page.get_by_role("button", name="Help").click()
    panel = page.get_by_role("dialog", name="Help")
    expect(panel.locator(".entry.assistant")).to_have_count(1)
    with page.expect_request(lambda request: request.url.endswith("/assistant")) as asked:
        panel.get_by_label("Your message").fill("show me red jumpers")
        page.keyboard.press("Enter")
    assert asked.value.post_data_json["product_id"] == "green"
    assert asked.value.headers["authorization"] == f"Bearer {SEARCH_KEY}"
    red = panel.locator(".product").filter(has_text="Red jumper")
    expect(red.locator("img")).not_to_have_js_property("naturalWidth", 0)
    expect(panel.get_by_role("button", name="Send")).to_have_css("background-color", "rgb(154, 74, 43)")
    page.evaluate(axe())
    ask_axe = (
        "async () => (await axe.run('windowshop-assistant')).violations.map(({ id, nodes }) => [id, nodes[0].html])"
    )
    assert page.evaluate(ask_axe) == []
    red.get_by_role("button", name="Show similar").click()  # in the page's own search
    expect(cards(page).first).to_be_visible()
    red.get_by_role("link").click()
    page.wait_for_url("**/product.html?id=red")
    page.goto("/assistant.html")
    expect(panel.locator(".entry")).to_have_count(3)
    page.keyboard.press("Tab")
    panel.get_by_label("Your message").press("Escape")
    expect(page.get_by_role("button", name="Help")).to_be_focused()
