"""The button to search by voice, and the microphone that the policy opens for it, on the shop's pages only."""

import json
import re
from html import unescape

import pytest

from web.engine import holder_of
from web.settings import Settings

SHOP_PAGES = ("/", "/?q=red", "/products/red", "/favourites")
ELSEWHERE = ("/merchant", "/ops", "/docs", "/static/shop.css", "/healthz", "/embed.js")


@pytest.fixture(scope="module")
def clients(make_app, home):
    """Clients of a shop without voice, and of one where browsers recognise speech."""
    apps = [make_app(Settings(home=home, voice="off", voice_browser=browser)) for browser in (False, True)]
    for app in apps:
        holder_of(app).wait(300)
    return [app.test_client() for app in apps]


def microphone(answer):
    return dict(rule.split("=") for rule in answer.headers["Permissions-Policy"].split(", "))["microphone"]


@pytest.mark.parametrize("address", SHOP_PAGES)
def test_a_page_with_the_button_may_use_the_microphone(clients, address):
    without, with_browser = [client.get(address) for client in clients]
    assert 'id="voice"' not in without.text and "recorder.js" not in without.text and microphone(without) == "()"
    assert "recorder.js" not in "".join(re.findall("<(?:script|link)[^>]+>", with_browser.text))  # only once wanted
    assert 'data-mode="browser"' in with_browser.text and microphone(with_browser) == "(self)"
    assert "camera=(self)" in with_browser.headers["Permissions-Policy"]


def test_an_error_page_has_no_button(clients):
    answer = clients[1].get("/nowhere")
    assert answer.status_code == 404 and "voice" not in answer.text and microphone(answer) == "()"


@pytest.mark.parametrize("address", ELSEWHERE)
def test_everything_else_may_not(clients, address):
    with clients[1].get(address) as answer:
        assert answer.status_code == 200 and microphone(answer) == "()"


def test_the_button_has_the_words_of_the_pages_language_and_says_nothing_of_a_foreign_recogniser(clients):
    pages = [clients[1].get("/", headers={"Accept-Language": code}).text for code in ("en", "zh")]
    assert [re.search('id="voice"[^>]* title="([^"]+)"', page)[1] for page in pages] == ["Search by voice", "语音搜索"]
    words = [json.loads(unescape(re.search('data-messages="([^"]+)"', page)[1])) for page in pages]
    assert [each["voice"] for each in words] == ["Search by voice", "语音搜索"]
    assert not any("data-unproved" in page for page in pages)  # the browser's maker knows how well it understands
