"""Every code that a reply may have has its words, in every language, whatever facts come with it."""

import re
from pathlib import Path

import pytest

from catalog.product import Product
from search import assistant
from search.assistant.dialogue.conversation import DialogueState, Reply, ReplyPart
from search.assistant.intents.names import INTENTS, OUT_OF_SCOPE, SMALL_TALK
from search.assistant.products.answer import CODES
from web.assistant.rendering import choice_of, reply_text
from web.i18n.languages import ENGLISH, LANGUAGES
from web.i18n.messages import ASSISTANT, page_messages

FOLDER = Path(assistant.__file__).parent
SAID = re.compile(r'say\(\s*"([a-z_]+)"|"([a-z_]+)" if \w+|else "([a-z_]+)", ref')
PRODUCT = Product("mug", "Blue mug", ())
FACTS = {
    "product": PRODUCT,
    "passage": "Thrown by hand.",
    "text": "It is thrown by hand.",
    "field": "colour",
    "value": "blue",
    "stated": "9 cm",
    "price": "12.90",
    "currency": "EUR",
    "values": ["blue", "red"],
    "question": "Is it blue?",
    "yes": 2,
    "no": 1,
    "total": 3,
    "small": 1,
    "large": 0,
    "true": 2,
    "number": "10482",
    "status": "packed",
    "carrier": "DHL",
    "tracking": "J1",
    "date": "2026-03-01",
    "reference": "K7QF-2M9X",
    "email": "ann@example.com",
    "count": 3,
    "words": "mugs",
}


def text(app, code, language):
    with app.test_request_context("/"):
        return reply_text(Reply((ReplyPart(code, FACTS),), language, DialogueState("t", language)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_can_be_filled(app, language):
    for code in page_messages(ASSISTANT, language):
        said = text(app, code, language)
        assert said and "{" not in said, code
    assert "March 1, 2026" in text(app, "order_shipped_at", ENGLISH)
    assert "€12.90" in text(app, "product_price", ENGLISH)


def test_every_code_that_the_assistant_says_has_a_message():
    known = page_messages(ASSISTANT, ENGLISH)
    sources = [*FOLDER.glob("dialogue/*.py"), *FOLDER.glob("answering/*.py")]
    said = {code for file in sources for found in SAID.findall(file.read_text()) for code in found if code}
    assert len(said) > 30
    assert said - known.keys() == set()
    assert {f"product_{code}" for code in CODES} <= known.keys()
    with (FOLDER / "orders" / "statuses.csv").open() as file:
        statuses = {line.partition(",")[0] for line in list(file)[1:]}
    assert {f"order_{status}" for status in statuses} <= known.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_choice_is_known_again_by_its_words(language):
    offered = set(INTENTS) - {SMALL_TALK, OUT_OF_SCOPE}
    messages = page_messages(ASSISTANT, language)
    assert {choice_of(f" {messages[f'choice_{intent}'].upper()} ") for intent in offered} == offered
    assert choice_of("mugs") == ""
    assert choice_of("Où est ma commande ?") == "order_status"  # as it is typed: a plain space before the mark
