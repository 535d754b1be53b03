"""Markdown becomes passages under their headings, whatever the owner's way of writing it."""

import pytest

from search.assistant.policies.markdown import joined_sentences, read_markdown


def texts(markdown):
    return [(section.heading, section.text) for section in read_markdown(markdown)]


PLAIN = """---
title: Returns
---
# Returns
You may return it
within **30 days**.

<!-- not yet: 60 days -->
## What it *costs*
- Free in [Belgium](https://shop.example/be "Belgium").
- 5 euros
  from elsewhere.

Setext
------
See `returns` &amp; more.
***
[ref]: https://shop.example
"""


def test_headings_paragraphs_and_items():
    assert texts(PLAIN) == [
        ("Returns", "You may return it within 30 days."),
        ("What it costs", "Free in Belgium."),
        ("What it costs", "5 euros from elsewhere."),
        ("Setext", "See returns & more."),
    ]


def test_a_short_list_stays_with_what_introduces_it():
    assert texts("We accept:\n- Visa\n- PayPal\n\nNothing else.") == [
        ("", "We accept: Visa; PayPal"),
        ("", "Nothing else."),
    ]
    long = "You need:\n" + "\n".join(f"- item {n} {'and so on ' * 6}" for n in range(8))
    assert len(texts(long)) == 8 and all(text.startswith("You need: item") for _, text in texts(long))


def test_a_table_row_names_its_columns():
    table = "| Country | Price | Days |\n|---|---|---|\n| Norway | 9 euros | 5 |\n| Spain | 4 euros | 3 |"
    assert texts(table) == [("", "Norway: Price 9 euros, Days 5"), ("", "Spain: Price 4 euros, Days 3")]


def test_a_bold_question_is_a_heading():
    assert texts("**How long does it take?**\n\nTwo days.") == [("How long does it take?", "Two days.")]


def test_anchors_are_those_of_code_hosts_and_unique():
    sections = read_markdown("# Refunds & costs\na\n# 退款\nb\n# 退款\nc")
    assert [section.anchor for section in sections] == ["refunds--costs", "退款", "退款-1"]


def test_a_long_paragraph_becomes_several_passages():
    sections = texts("One sentence that says something. " * 60)
    assert len(sections) > 1 and all(len(text) <= 900 for _, text in sections)


@pytest.mark.parametrize(("text", "parts"), [("甲乙。丙丁。", ["甲乙。丙丁。"]), ("a b. c d.", ["a b. c d."])])
def test_sentences_are_joined(text, parts):
    assert joined_sentences(text, 20) == parts


HOSTILE = {
    "brackets": "[" * 20_000,
    "stars": "*" * 20_000 + "a",
    "pipes": "|" * 20_000,
    "comments": "<!--" * 5_000,
    "underscores": "_a" * 10_000,
    "one-word": "x" * 50_000,
    "empty": "",
    "marks": "#\n-\n*\n```\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_any_text_is_read(name):
    assert all(len(section.text) <= 900 for section in read_markdown(HOSTILE[name]))
