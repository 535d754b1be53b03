"""Which rules a question has."""

import random
from datetime import date

import pytest

from search.merchandising.filter_text import parse_filter_text
from search.merchandising.rule_set import QueryRules, Rules
from search.merchandising.rules import Rule, check_rule
from search.query.glossary import Synonym


def rules(*given):
    return Rules(check_rule(rule) for rule in given)


def pinned(question, text, match="exact"):
    return bool(rules(Rule("pin", question, "m1", match)).for_query(text).pins)


@pytest.mark.parametrize("text", ["red mug", "Red  MUGS", "réd mug!", " red, mug"])
def test_the_same_words(text):
    assert pinned("red mug", text) and pinned("red mug", text, "words")


@pytest.mark.parametrize("text", ["mug red", "red mug set", "mug", "redmug", ""])
def test_other_words(text):
    assert not pinned("red mug", text)


@pytest.mark.parametrize("text", ["mugs, all of them red", "a red mug for tea", "mug red"])
def test_a_question_that_holds_all_words(text):
    assert pinned("red mug", text, "words")
    assert not pinned("red mug", text.replace("red", "blue"), "words")


def test_scripts_without_spaces_and_quantities():
    assert pinned("马克杯", "马克杯") and pinned("马克杯", "红色马克杯", "words")
    assert not pinned("马克杯", "马杯克", "words")
    assert pinned("750 ml", "bottle 75 cl", "words")
    assert pinned("t-shirt", "blue T-shirts", "words") and not pinned("t-shirt", "shirt t", "words")


def test_what_one_question_gets():
    found = rules(
        Rule("pin", "mug", "b", number=2),
        Rule("pin", "mug", "c", "words", number=2),
        Rule("pin", "mug", "a", "words", number=5),
        Rule("pin", "mug", "b", "words", number=9),
        Rule("boost", "", "brand=Puma", "every", 2),
        Rule("bury", "mug", "in_stock=no", "words", 0.5),
        Rule("hide", "mug", "id=x"),
        Rule("hide", "", "category=Old", "every"),
        Rule("redirect", "mug", "/wide", "words"),
        Rule("redirect", "mug", "/close"),
        Rule("synonym", "cup", "mug"),
        Rule("pin", "vase", "z"),
    ).for_query("Mugs")
    assert found.pins == ((2, "b"), (3, "c"), (5, "a"))
    assert set(found.boosts) == {(parse_filter_text("brand=Puma"), 2.0), (parse_filter_text("in_stock=no"), 0.5)}
    assert found.hidden.to_json() == {"any": [{"id": ["x"]}, {"category": ["Old"]}]}
    assert found.redirect == "/close"
    assert found.synonyms == (Synonym("cup", "mug"),)


def test_nothing_to_say():
    assert Rules().for_query("mug") == QueryRules()
    assert not rules(Rule("pin", "vase", "z")).for_query("mug")


def test_only_the_rules_of_the_day():
    late = check_rule(Rule("pin", "mug", "m1", starts="2026-02-01", ends="2026-02-02"))
    assert [len(Rules([late], date(2026, 2, day))) for day in (1, 2, 3)] == [1, 1, 0]


def test_matching_agrees_with_a_plain_loop():
    draw = random.Random(7)
    words = ["red", "blue", "mug", "vase", "tea", "t-shirt", "杯子", "子杯", "garden"]

    def text(least, most):
        return " ".join(draw.choices(words, k=draw.randint(least, most)))

    given = {rule.key: rule for rule in (check_rule(Rule("hide", text(1, 3), f"id={i}", "words")) for i in range(300))}
    indexed = Rules(given.values())
    alone = {rule.target: Rules([rule]) for rule in given.values()}
    for _ in range(200):
        question = text(0, 5)
        expected = {target for target, rules in alone.items() if rules.for_query(question)}
        hidden = indexed.for_query(question).hidden
        assert {f"id={i}" for i in _ids(hidden)} == expected


def _ids(hidden):
    if hidden is None:
        return []
    alternatives = hidden.to_json().get("any") or [hidden.to_json()]
    return [number for each in alternatives for number in each["id"]]


def test_ten_thousand_rules_cost_a_question_little():
    """As much work as three rules, within a factor: counted as the rules that are looked at, not as time."""
    many = Rules(Rule("pin", f"mug number{i}", "m1", "words" if i % 2 else "exact", 1.0, id=i) for i in range(10_000))
    looked_at = sum(len(many._by_unit.get(unit, ())) for unit in ("red", "mug", "number77"))
    assert looked_at <= 2
    assert many.for_query("red mug number77").pins == ((1, "m1"),)
