"""The hint above results: what it shows, and the page that has none."""

import re
from types import SimpleNamespace

import pytest

from search.assistant.answering.service_hint import ServiceHint
from tests.web.shop_fixtures import fake_app
from web.assistant.service import AssistantService

PASSAGE = SimpleNamespace(heading="Returns <b>", text="Within <30> days.")


class Hints:
    """Takes every search for the same question."""

    def __init__(self, found):
        self.found, self.searched = found, []

    def of_search(self, text, page):
        self.searched.append(text)
        return self.found


@pytest.fixture
def hints(monkeypatch):
    def set_to(found):
        hints = Hints(found)
        monkeypatch.setattr(AssistantService, "hints", lambda service: hints)
        return hints

    return set_to


def section(page):
    found = re.search(r'<section class="service-hint".*?</section>', page.text, re.DOTALL)
    return found and found[0]


def test_a_question_is_answered_above_the_results_with_its_source_and_a_link(client, hints):
    hints(ServiceHint("return_refund", PASSAGE))
    shown = section(client.get("/", query_string={"q": "return policy", "lang": "de"}))
    assert "Etwas zurückgeben" in shown and "Within &lt;30&gt; days." in shown
    assert "Aus unseren Bedingungen: Returns &lt;b&gt;" in shown
    assert 'href="/assistant?message=return+policy"' in shown


def test_without_a_passage_the_hint_leads_to_the_assistant_where_the_question_stands(client, hints):
    hints(ServiceHint("order_status"))
    shown = section(client.get("/?q=where+is+my+order"))
    assert "<blockquote" not in shown and "Where is my order?" in shown
    page = client.get("/assistant?message=where+is+my+order")
    assert re.search(r"<textarea[^>]*>where is my order</textarea>", page.text)


def test_a_search_has_no_hint(client, hints):
    found = hints(None)
    assert section(client.get("/?q=red+jumper")) is None and found.searched == ["red jumper"]


@pytest.mark.parametrize("address", ["/", "/?like=red", "/?q=red&offset=5", '/?filter={"brand":["Acme"]}'])
def test_only_the_first_page_of_words_is_looked_at(client, hints, address):
    found = hints(ServiceHint("order_status"))
    assert section(client.get(address)) is None and found.searched == []


def test_a_shop_without_the_assistant_has_neither_hint_nor_route(tmp_path, hints):
    hints(ServiceHint("order_status"))
    with fake_app(tmp_path / "shop", assistant=False, timeout_ms=20_000) as app:
        client = app.test_client()
        assert section(client.get("/?q=where+is+my+order")) is None
        answer = client.post("/api/v1/assistant", json={"message": "hello"})
        assert (answer.status_code, answer.json["error"]["code"]) == (404, "not_found")
