"""What staff do with conversations in a real browser: read, correct, answer, close, erase; hostile texts stay text."""

import pytest
from playwright.sync_api import expect

from search.assistant.handover.handover import Contact
from search.assistant.handover.handovers import Handovers
from search.assistant.threads.thread import ASSISTANT, CUSTOMER, URGENT, ThreadMessage
from search.assistant.threads.thread_store import ThreadOrigin, ThreadStore
from tests.browser.conftest import PHONE, served
from tests.browser.test_measures import violations
from tests.fake_encoder import FakeEncoder
from tests.web.shop_fixtures import WRITE_KEY, make_shop
from web.settings import Settings

pytestmark = pytest.mark.timeout(600)
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script> order 10023"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("conversations") / "shop"
    home.mkdir()
    make_shop(home, FakeEncoder())
    return home


@pytest.fixture(scope="module")
def shop(home):
    """The address of a shop with three conversations."""
    store = ThreadStore(home)
    text = "My lawyer will write: it came broken, order 10023"
    question = ThreadMessage(CUSTOMER, text, language="en", intent="payment", probability=0.61)
    source = {"kind": "policy", "title": "returns.md", "text": "Send it back within 30 days.", "url": None}
    store.append("broken", question, ThreadOrigin("", "red"))
    store.append("broken", ThreadMessage(ASSISTANT, "A person takes over.", code="handed_over", sources=(source,)))
    Handovers(store).request("broken", "complaint", "complaints", URGENT, Contact("jane@example.com", "Jane Doe"))
    store.append("hostile", ThreadMessage(CUSTOMER, HOSTILE))
    Handovers(store).request("hostile", "requested", "orders")
    store.append("private", ThreadMessage(CUSTOMER, "send it to jane@example.com", language="en", intent="small_talk"))
    with served(Settings(home=home, timeout_ms=20_000)) as address:
        yield address


@pytest.fixture
def enter(visit):
    """Opens the page with the key, in a browser of its own."""

    def entered(address="/merchant/conversations", **options):
        page = visit(address, **options)
        page.locator("#key").fill(WRITE_KEY)
        page.keyboard.press("Enter")
        expect(page.locator("#threads > li").first).to_be_visible()
        return page

    return entered


def test_staff_read_correct_answer_close_and_erase(enter, home):
    store, page = ThreadStore(home), enter()
    threads = page.locator("#threads button")
    expect(threads).to_have_count(3)
    expect(threads.nth(0)).to_contain_text("Urgent")
    assert "10023" not in page.locator("#threads").inner_text() + page.locator("#reading").inner_text()
    expect(threads.nth(0)).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("#thread-name")).to_be_focused()
    expect(page.locator("#facts")).to_contain_text("Jane Doe · jane@example.com")
    first = page.locator("#messages > li").nth(0)
    expect(first).to_contain_text("order 10023")
    expect(first).to_contain_text("Understood as: Payment 61%")
    first.locator("select").select_option("complaint_damaged")
    first.get_by_role("button", name="Save correction").click()
    expect(first).to_contain_text("Corrected")
    assert [(each.intent, "10023" in each.text) for each in store.corrections()] == [("complaint_damaged", False)]

    page.get_by_label("Your answer").fill("We send a new one today.")
    page.get_by_role("button", name="Answer", exact=True).click()
    expect(page.locator("#messages > li.person")).to_contain_text("We send a new one today.")
    expect(page.locator("#text")).to_have_value("")
    assert store.thread("broken").state == "answered"
    assert violations(page) == []
    page.locator("#close-thread").click()
    expect(page.locator("#close-thread")).to_have_text("Reopen")

    page.locator("#state").select_option("waiting")
    expect(threads).to_have_count(1)
    threads.nth(0).click()
    expect(page.locator("#messages > li").nth(0)).to_contain_text("<img src=x")
    assert page.locator("#messages img, #messages script, #threads img").count() == 0
    assert page.title() != "owned"
    page.locator("#erase").click()
    page.locator("#sure").get_by_role("button", name="Erase").click()
    expect(page.locator("#reading")).to_be_hidden()
    expect(page.locator("#total")).to_have_text("No conversations")
    assert store.ids_of_mail("nobody@example.com") == () and store.messages_after("hostile", 0) == ()


def test_a_link_opens_a_conversation_on_a_phone_in_chinese(enter):
    page = enter("/merchant/conversations?lang=zh#private", color_scheme="dark", **PHONE)
    expect(page.locator("#messages")).to_contain_text("[e-mail]")
    expect(page.locator("#masked")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []
    page.locator("#send-again").click()
    expect(page.locator("#masked")).to_be_hidden()
    expect(page.locator("#messages")).to_contain_text("jane@example.com")
