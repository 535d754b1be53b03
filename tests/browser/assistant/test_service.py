"""What customers ask the shop's service, in a browser: policies with their source, an order and its proof, a person."""

import shutil

import pytest
from playwright.sync_api import expect

from catalog import sample
from tests.browser.assistant.test_panel import ask, open_panel
from tests.browser.conftest import PHONE, open_once, served
from tests.browser.test_measures import violations
from tests.web.shop_fixtures import ADMIN_KEY, make_shop
from web.settings import Settings

pytestmark = [pytest.mark.weights, pytest.mark.timeout(600)]

ORDERS = """number,email,status,carrier,tracking,shipped_at
1042,ada@example.com,shipped,DHL,JD0146,2026-11-27
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory, shared_models):
    """The address of a small shop with policies and orders, with the real models."""
    home = tmp_path_factory.mktemp("service")
    make_shop(home, open_once("starter", "onnx"))
    shutil.copytree(sample.SAMPLE_FOLDER / "policies", home / "policies")
    (home / "orders.csv").write_text(ORDERS, encoding="utf-8")
    with served(Settings(home=home, runtime="onnx", timeout_ms=20_000)) as address:
        yield address


def send_order(page, number, email):
    page.get_by_label("Order number").fill(number)
    page.get_by_label("E-mail address of the order").fill(email)
    answers = page.locator(".entry.assistant")
    before = answers.count()
    page.get_by_role("button", name="Check the order").click()
    expect(answers).to_have_count(before + 1)
    return answers.last


def test_a_policy_is_answered_with_its_source(visit):
    page = visit("/favourites")
    open_panel(page)
    answer = ask(page, "How long do I have to return something?")
    expect(answer.locator(".text")).to_contain_text("30 days")
    answer.get_by_text("Where this comes from").click()
    expect(answer.locator(".sources li")).to_contain_text("From our policy")
    expect(answer.locator(".sources li q")).to_contain_text("30 days")
    assert violations(page) == []


def test_an_order_is_shown_to_who_proves_it_alone(visit):
    page = visit("/favourites")
    open_panel(page)
    ask(page, "Where is my order?")
    expect(page.get_by_label("Order number")).to_have_attribute("autocomplete", "off")
    assert violations(page) == []
    refused = send_order(page, "1042", "eve@example.com")
    expect(refused).not_to_contain_text("DHL")
    shown = send_order(page, "1042", "ada@example.com")
    expect(shown).to_contain_text("DHL")
    expect(shown).to_contain_text("JD0146")
    expect(page.get_by_label("Order number")).to_have_count(0)


def test_a_person_gets_the_conversation_and_answers_in_it(visit, shop):
    page = visit("/products/red", **PHONE)
    page.get_by_role("link", name="Help").tap()
    expect(page.locator(".entry.assistant")).to_have_count(1)
    page.get_by_label("Your message").fill("The left sleeve is torn")
    page.get_by_role("button", name="Talk to a person").tap()
    handed_over = page.locator(".entry.assistant").last
    expect(handed_over.locator(".text")).to_contain_text("Your reference is")
    expect(page.locator(".entry.you .text")).to_have_text("The left sleeve is torn")
    page.get_by_label("E-mail address").fill("ada@example.com")
    page.get_by_role("button", name="Send the address").tap()
    expect(page.locator(".entry.assistant")).to_have_count(3)
    expect(page.get_by_label("E-mail address")).to_have_count(0)
    answer_as_staff(page, shop, "We are sending you another one.")
    page.get_by_role("button", name="Close").tap()
    page.get_by_role("link", name="Help").tap()
    person = page.locator(".entry.person")
    expect(person).to_contain_text("We are sending you another one.")
    expect(person.locator(".who")).to_have_text("Staff")
    page.reload()
    page.get_by_role("link", name="Help").tap()
    expect(person).to_have_count(1)


def answer_as_staff(page, shop, text):
    keyed = {"Authorization": f"Bearer {ADMIN_KEY}"}
    api = page.context.request
    (thread,) = api.get(f"{shop}/api/v1/threads?state=waiting", headers=keyed).json()["threads"]
    answer = api.post(f"{shop}/api/v1/threads/{thread['id']}/messages", headers=keyed, data={"text": text})
    assert answer.ok, answer.text()


def test_a_product_question_is_answered_from_the_product(visit):
    page = visit("/products/red")
    open_panel(page)
    answer = ask(page, "What is it made of?")
    expect(answer.locator(".text")).to_contain_text("wool")
    expect(answer.locator(".sources")).to_have_count(1)


@pytest.mark.torture
def test_policies_are_answered_in_chinese(visit):
    page = visit("/favourites", locale="zh-CN")
    open_panel(page, "帮助")
    answer = ask(page, "多久能送到？", "您的消息")
    expect(answer.locator(".text")).to_contain_text("工作日")
    expect(answer.get_by_text("信息来源")).to_be_visible()


def test_a_question_in_the_search_box_is_taken_to_the_panel(visit):
    page = visit("/favourites")
    open_panel(page)  # from now on the models are there
    page.goto("/?q=How+long+do+I+have+to+return+something")
    page.get_by_role("button", name="Start again").click()
    page.get_by_role("link", name="Ask the assistant").click()
    expect(page.locator(".entry.you .text")).to_have_text("How long do I have to return something")
    expect(page.locator(".entry.assistant .text").last).to_contain_text("30 days")
