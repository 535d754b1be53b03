"""Masking: personal data of English, Chinese and European texts goes, what a question is about stays."""

import pytest

from search.assistant.threads.masking import mails_in, mask, mask_cards
from search.assistant.threads.thread import ASSISTANT, Thread, ThreadMessage

PRIVATE = {
    "Write to Jane.Doe+shop@example.co.uk please": "Jane.Doe",
    "jane (at) example (dot) com": "example",
    "发到 li.wei＠example。com": "li.wei",
    "my order 10023 has not come": "10023",
    "Where is order #A-1042?": "1042",
    "订单号是 20240915001 在哪里": "20240915001",
    "Meine Bestellnummer lautet WS-2024-77": "2024-77",
    "N° de commande : FR99812": "99812",
    "mi pedido número 55102 no ha llegado": "55102",
    "10023": "10023",
    "A1023": "A1023",
    "我的手机号是13812345678": "13812345678",
    "电话：010-62345678": "62345678",
    "call me on 020 7946 0958": "7946",
    "(415) 555-0100 is my number": "555",
    "06 12 34 56 78": "34 56",
    "+49 (0)30 1234567": "1234567",
    "0176/1234567": "1234567",
    "card 4111 1111 1111 1111 was charged": "1111",
    "DE89 3704 0044 0532 0130 00": "3704",
    "身份证 11010519491231002X": "19491231",
    "我住在上海市浦东新区世纪大道100号5楼": "世纪大道",
    "ship to 221B Baker Street, London NW1 6XE": "Baker",
    "Hauptstraße 12, 10115 Berlin": "Hauptstraße",
    "Berliner Allee 3 in 40212 Düsseldorf": "40212",
    "12 rue de la Paix 75002 Paris": "Paix",
    "Calle Mayor 5, 28013 Madrid": "Mayor",
    "My name is John Smith": "Smith",
    "Ich heiße Jürgen Öl": "Jürgen",
    "收件人：张三丰": "张三丰",
    "anna at example.com": "anna",
    "my iban is de89370400440532013000": "5320",
    "iban gb29 nwbk 6016 1331 9268 19": "nwbk",
    "Name: Anna Schmidt": "Anna",
    "My name's Anna Schmidt": "Schmidt",
    "4111 1111 1111 1111 12/27": "1111",
}
PUBLIC = (
    "Do you have 2 mugs in red under 20 euros?",
    "size 38 or 40, on 2026-11-29",
    "I ordered 3 plates on 12.11.2026 for 129.90",
    "is it 30 x 40 x 50 cm and 1200 ml?",
    "Where are my 2 mugs, still on the way?",
    "这个杯子容量是 350 毫升吗？",
    "What is the product name: is it a mug?",
    "Passt das Gehäuse zum iPhone 15?",
)


@pytest.mark.parametrize(("text", "secret"), PRIVATE.items(), ids=range(len(PRIVATE)))
def test_personal_data_is_masked(text, secret):
    assert secret in text
    assert secret not in mask(text)


@pytest.mark.parametrize("text", PUBLIC, ids=range(len(PUBLIC)))
def test_what_a_question_is_about_stays(text):
    assert mask(text) == text


def test_the_words_around_a_masked_number_stay():
    assert mask("my order 10023 has not come") == "my order [order] has not come"
    assert mask("Write to jane@example.com please") == "Write to [e-mail] please"


def test_only_numbers_of_cards_are_masked_as_cards():
    assert mask_cards("4111-1111-1111-1111 and 5500 0000 0000 0004") == "[card] and [card]"
    assert mask_cards("4111 1111 1111 1112") == "4111 1111 1111 1112"  # the check digit is wrong
    assert mask_cards("4111\n1111\n1111\n1111\n2 mugs") == "[card]\n2 mugs"
    assert mask_cards("4111.1111.1111.1111") == "[card]"
    assert mask_cards("order 302-1234567-1234567") == "order 302-1234567-1234567"
    assert mask_cards("tracking 00340434161094042557") == "tracking 00340434161094042557"


def test_what_the_assistant_said_of_an_order_is_masked_too():
    source = {"kind": "order", "title": "10482", "text": "shipped", "url": "https://dhl.example/1Z999AA10123456784"}
    text = "Order 10482 has been shipped. DHL carries it: 1Z999AA10123456784. It left on 2026-11-20."
    reply = ThreadMessage(ASSISTANT, text, code="order_shipped", sources=(source,))
    question = ThreadMessage(ASSISTANT, "Which address was order 10482 placed with?", code="ask_order_email")
    policy = ThreadMessage(ASSISTANT, "Returns are free.", sources=({"kind": "policy", "title": "Returns"},))
    thread = Thread("t", "open", "", 0, "en", "", 0.0, 0.0, (reply, question, policy)).masked()
    written = str(thread.to_dict())
    assert not any(secret in written for secret in ("10482", "1Z999", "2026-11-20", "dhl.example"))
    assert "has been shipped" in written and thread.messages[2] == policy


def test_the_addresses_of_e_mail_in_a_text():
    assert mails_in("A@Example.com, b.c@shop.de; a@example.com") == ("a@example.com", "b.c@shop.de")
    assert mails_in("no address @ all") == ()
