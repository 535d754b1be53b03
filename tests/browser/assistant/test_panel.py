"""The panel of the assistant in a browser: by keyboard, on a phone, in Chinese, without scripts, with faults."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, listening
from tests.browser.test_measures import violations
from tests.web.shop_fixtures import BLUE, fake_app, picture_bytes

pytestmark = pytest.mark.timeout(600)

SMALL_PHONE = PHONE | {"viewport": {"width": 320, "height": 640}}
PHOTO = {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": picture_bytes(BLUE, (300, 300))}
API = "**/api/v1/assistant"
PROVOKED = (
    "422 (UNPROCESSABLE ENTITY)",
    "429 (Too Many Requests)",
    "503 (Service Unavailable)",
    "net::ERR_INTERNET_DISCONNECTED",
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The address of a small shop, which `visit` opens pages of."""
    home = tmp_path_factory.mktemp("assistant")
    with fake_app(home, timeout_ms=20_000) as app, listening(app) as address:
        yield address


def open_panel(page, name="Help"):
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.locator(".entry.assistant")).to_have_count(1)  # the greeting


def ask(page, text, label="Your message"):
    answers = page.locator(".entry.assistant")
    before = answers.count()
    page.get_by_label(label, exact=True).fill(text)
    page.keyboard.press("Enter")
    expect(answers).to_have_count(before + 1)
    return answers.last


def cards(entry):
    return entry.locator(".product h3 a")


def test_a_search_is_refined_and_the_conversation_is_there_on_the_next_page(visit):
    page = visit("/")
    open_panel(page)
    found = ask(page, "show me jumpers, please")
    expect(cards(found).filter(has_text="Green jumper")).to_be_visible()
    expect(found.get_by_role("link", name="Show similar: Green jumper")).to_have_attribute("href", "/?like=green")
    refined = ask(page, "red ones")
    expect(cards(refined).first).to_have_text("Red jumper")
    expect(refined).to_contain_text("€12.90")
    assert violations(page) == []
    page.get_by_label("Your message").fill("half a thou")
    cards(refined).first.click()
    page.wait_for_url("**/products/red")
    dialog = page.get_by_role("dialog", name="Help")
    expect(dialog).to_be_visible()  # there is room beside the page
    expect(dialog.locator(".entry")).to_have_count(5)
    expect(page.get_by_label("Your message")).to_have_value("half a thou")
    expect(dialog).to_contain_text("Your questions are about: Red jumper")
    assert page.evaluate("document.activeElement === document.body")  # it does not take the focus by itself
    dialog.get_by_role("button", name="Start again").click()
    expect(dialog.locator(".entry")).to_have_count(0)
    assert "jumper" not in page.evaluate("sessionStorage['windowshop-assistant']")


def test_keys_alone_open_ask_and_close(visit):
    page = visit("/favourites")
    page.get_by_role("link", name="Help").focus()
    page.keyboard.press("Enter")
    box = page.get_by_label("Your message")
    expect(box).to_be_focused()
    expect(page.locator(".entry.assistant")).to_have_count(1)
    page.keyboard.type("show me")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("red jumpers")
    page.keyboard.press("Enter")
    expect(page.locator(".entry.you .text")).to_have_text("show me\nred jumpers")
    expect(cards(page.locator(".entry.assistant").last).first).to_have_text("Red jumper")
    expect(box).to_be_focused()
    expect(page.get_by_role("log", name="Conversation")).to_have_attribute("aria-live", "polite")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("link", name="Help")).to_be_focused()
    expect(page.get_by_role("link", name="Help")).to_have_attribute("aria-expanded", "false")


def test_what_could_not_be_sent_is_tried_again(visit):
    page = visit("/favourites")
    open_panel(page)
    faults = [("abort", None), (429, {"Retry-After": "7"}), (503, {})]

    def fail(route):
        status, headers = faults[0]
        error = {"error": {"code": "too_many_requests", "message": "", "hint": ""}}
        if status == "abort":
            route.abort("internetdisconnected")
        else:
            route.fulfill(status=status, headers=headers, json=error)

    page.route(API, fail)
    box = page.get_by_label("Your message")
    box.fill("show me red jumpers")
    page.keyboard.press("Enter")
    problem = page.locator(".problem")
    reasons = ("cannot be reached", "Try again in 7 seconds", "cannot answer at the moment")
    for number, reason in enumerate(reasons):
        if number:
            faults.pop(0)
            page.get_by_role("button", name="Try again").click()
        expect(problem).to_contain_text(reason)
        expect(page.locator(".panel [role=alert]")).to_contain_text(reason)  # announced too
    assert violations(page) == []
    page.reload()  # what was not sent is still there
    page.unroute(API)
    page.get_by_role("button", name="Try again").click()
    expect(cards(page.locator(".entry.assistant").last).first).to_have_text("Red jumper")
    expect(problem).to_have_count(0)
    expect(page.locator(".entry.you")).to_have_count(1)


@pytest.mark.torture
def test_an_expired_conversation_begins_anew_with_the_same_words(visit):
    page = visit("/favourites")
    open_panel(page)
    page.evaluate("""() => {
        const stored = JSON.parse(sessionStorage["windowshop-assistant"]);
        sessionStorage["windowshop-assistant"] = JSON.stringify({ ...stored, token: "of another day" });
    }""")
    page.reload()
    page.get_by_label("Your message").fill("red jumpers")
    page.keyboard.press("Enter")
    expect(page.locator(".problem")).to_contain_text("The conversation has expired.")
    page.get_by_role("button", name="Try again").click()
    expect(cards(page.locator(".entry.assistant").last).first).to_have_text("Red jumper")


@pytest.mark.parametrize("scheme", [pytest.param("light", marks=pytest.mark.torture), "dark"])
def test_a_phone_shows_a_sheet_that_holds_the_focus_and_finds_by_photo(visit, scheme):
    page = visit("/products/green", **SMALL_PHONE, color_scheme=scheme, reduced_motion="reduce")
    page.get_by_role("link", name="Help").tap()
    dialog = page.get_by_role("dialog", name="Help")
    expect(dialog.locator(".entry.assistant")).to_have_count(1)
    assert dialog.evaluate("(each) => each.matches(':modal')")
    assert dialog.bounding_box() == {"x": 0, "y": 0, "width": 320, "height": 640}
    dialog.locator("input[type=file]").set_input_files(PHOTO)
    expect(dialog.get_by_role("img", name="Photo added")).to_be_visible()
    dialog.get_by_role("button", name="Send").tap()
    expect(cards(dialog.locator(".entry.assistant").last).first).to_have_text("Blue jumper")
    expect(dialog.locator(".entry.you").get_by_role("img", name="Photo")).to_be_visible()
    assert page.locator(".log").evaluate("(log) => log.scrollWidth <= log.clientWidth")
    targets = dialog.get_by_role("button").filter(visible=True)
    assert [box for box in targets.evaluate_all("(all) => all.map((each) => each.offsetHeight)") if box < 32] == []
    assert violations(page) == []
    dialog.get_by_role("button", name="Close").tap()
    expect(page.get_by_role("link", name="Help")).to_be_focused()


@pytest.mark.torture
def test_a_photo_may_be_pasted_and_is_no_search_of_the_page(visit):
    page = visit("/favourites")
    open_panel(page)
    page.get_by_label("Your message").evaluate(
        """(box, bytes) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "pasted.jpg", { type: "image/jpeg" }));
            const pasted = { clipboardData: data, bubbles: true, cancelable: true, composed: true };
            box.dispatchEvent(new ClipboardEvent("paste", pasted));
        }""",
        list(PHOTO["buffer"]),
    )
    expect(page.get_by_role("img", name="Photo added")).to_be_visible()
    found = ask(page, "jumpers")
    expect(cards(found).first).to_have_text("Blue jumper")
    assert page.url.endswith("/favourites")


def test_in_chinese(visit):
    page = visit("/favourites", locale="zh-CN")
    open_panel(page, "帮助")
    expect(page.locator(".entry.assistant .who")).to_have_text("智能客服")
    answer = ask(page, "有红色的毛衣吗？", "您的消息")
    expect(answer.locator(".text")).to_have_attribute("lang", "zh")
    expect(page.get_by_role("button", name="转人工客服")).to_be_visible()


def test_without_scripts_it_is_a_page_of_forms(visit):
    page = visit("/products/red", java_script_enabled=False)
    page.get_by_role("link", name="Help").click()
    page.wait_for_url("**/assistant?product_id=red")
    page.get_by_label("Your message").fill("show me jumpers, please")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".entry")).to_have_count(2)
    page.get_by_label("Your message").fill("red ones")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".entry")).to_have_count(4)
    expect(page.locator("#latest .card h3 a").first).to_have_text("Red jumper")


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.torture)])
def test_nobody_is_shut_out_of_the_page(visit, scheme):
    page = visit("/assistant", color_scheme=scheme)
    page.get_by_label("Your message").fill("show me jumpers, please")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".entry")).to_have_count(2)
    assert violations(page) == []
