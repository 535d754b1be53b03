"""What is read from a customer's words without any model: cues, order numbers, mail addresses, the language."""

import pytest

from search.assistant.dialogue.cues import (
    GREETING,
    LEAVE,
    MORE,
    PERSON,
    clauses_of,
    has_cue,
    is_cue,
    wants_person,
    without_lead,
    without_pronouns,
)
from search.assistant.dialogue.reply_language import reply_language
from search.assistant.dialogue.slots import email_in, is_order_number, order_number_in
from search.assistant.threads.masking import mails_in


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (GREETING, "Hello!"),
        (GREETING, "您好。"),
        (GREETING, "Buenos dias"),
        (LEAVE, "never mind"),
        (LEAVE, "算了"),
        (MORE, "Show me more"),
        (MORE, "zeig mir mehr"),
    ],
)
def test_a_phrase_alone_is_a_cue(kind, text):
    assert is_cue(kind, text) and not is_cue(kind, f"{text} mugs and plates")


@pytest.mark.parametrize(
    "text",
    [
        "I want to talk to a person, now",
        "我要转人工",
        "Ich möchte mit einem Menschen sprechen",
        "je veux parler à quelqu’un",
        "quiero hablar con una persona",
    ],
)
def test_a_wish_for_a_person_is_seen_anywhere(text):
    assert has_cue(PERSON, text)


def test_a_personal_gift_is_no_wish_for_a_person():
    assert not has_cue(PERSON, "a gift for a person who likes tea") and not has_cue(PERSON, "real persons' portraits")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Show me red mugs, please", "red mugs"),
        ("I'm looking for a blue vase.", "a blue vase"),
        ("我想买蓝色花瓶", "蓝色花瓶"),
        ("有蓝色花瓶吗？", "蓝色花瓶"),
        ("Zeigen Sie mir rote Tassen bitte", "rote Tassen"),
        ("avez-vous des tasses rouges ?", "des tasses rouges"),
        ("mugs", "mugs"),
        ("anything blue", "anything blue"),
    ],
)
def test_what_leads_to_a_search_is_taken_off(text, wanted):
    assert without_lead(text) == wanted


def test_words_for_the_things_of_the_last_search_are_taken_off():
    assert without_pronouns("red ones under 20") == "red under 20"


def test_requests_are_parted_at_and_and_at_ends_of_sentences():
    assert clauses_of("Where is my order and can I return it?") == ["Where is my order", "can I return it"]
    assert clauses_of("我的订单到哪了，可以退货吗") == ["我的订单到哪了", "可以退货吗"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("track order 10482", "10482"),
        ("订单号10482什么时候到", "10482"),
        ("my order #WS-2024-001 please", "WS-2024-001"),
        ("where is my order", ""),
        ("my order of 2 mugs", ""),
        ("a mug under 1500 for my order", "1500"),
        ("mugs 3000 ml", ""),
    ],
)
def test_order_numbers_in_sentences(text, number):
    assert order_number_in(text) == number


@pytest.mark.parametrize(
    ("text", "number"), [("it's 482", "482"), ("a-77", "a-77"), ("ann@example.com", ""), ("no", "")]
)
def test_order_numbers_that_were_asked_for(text, number):
    assert order_number_in(text, wanted=True) == number


def test_a_bare_number_is_an_orders():
    assert is_order_number("10482") and is_order_number(" #WS-10482 ")
    assert not is_order_number("20") and not is_order_number("mugs 10482")


def test_mail_addresses():
    assert email_in("it is Ann.B@example.co.uk.") == "Ann.B@example.co.uk" and email_in("ann at example") == ""


@pytest.mark.parametrize(
    "text",
    [
        "'ann@example.com'", "`ann@example.com`", "*ann@example.com*", "{ann@example.com}", "<ann@example.com>",
        "email=ann@example.com", "我的邮箱是ann@example.com谢谢", "ａｎｎ＠ｅｘａｍｐｌｅ．ｃｏｍ",
        "10482/ann@example.com", "is it ann@example.com?", "mail ann@example.com.", "_ann@example.com_",
    ],
)  # fmt: skip
def test_marks_around_a_mail_address_are_no_part_of_it(text):
    assert email_in(text) == "ann@example.com" and mails_in(text) == ("ann@example.com",)


@pytest.mark.parametrize("text", ["müller@web.de", "mü-ller@web.de", "ann@example", "ann@例え", "@example.com"])
def test_a_part_of_a_mail_address_is_none(text):
    assert email_in(text) == "" and mails_in(text) == ()


def test_an_order_number_before_a_mail_address():
    assert order_number_in("order 10482/ann@example.com") == "10482"
    assert order_number_in("ship in 3 days?", wanted=True) == "" and order_number_in("it's 3", wanted=True) == "3"
    assert not is_order_number("01712345678") and is_order_number("１０４８２")


@pytest.mark.parametrize(
    ("text", "earlier", "page", "language"),
    [
        ("where is my order", "de", "de", "en"),
        ("Wo ist meine Bestellung?", "", "en", "de"),
        ("我的订单到哪里了", "en", "en", "zh"),
        ("in rot", "de", "en", "de"),
        ("10482", "zh", "en", "zh"),
        ("10482", "", "fr", "fr"),
        ("ok", "es", "en", "es"),
        ("ann@example.com", "zh", "en", "zh"),
        ("moins cher", "fr", "en", "fr"),
        ("赤いカップ", "", "ja", "en"),
    ],
)
def test_the_language_of_a_reply(text, earlier, page, language):
    assert reply_language(text, earlier, page) == language


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("This does not help, I want to talk to a person", True),
        ("请转人工", True),
        ("I don't want to talk to a person, just tell me where my order is", False),
        ("I spoke to a real person yesterday, where is my order?", False),
        ("不要转人工", False),
        ("Ich möchte nicht mit einem Menschen sprechen", False),
        ("je ne veux pas parler à un conseiller", False),
        ("no quiero hablar con una persona", False),
    ],
)
def test_a_person_is_wanted_only_where_one_is_asked_for_now(text, wanted):
    assert wants_person(text) is wanted
