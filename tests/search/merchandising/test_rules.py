"""What a rule may hold, and its one spelling."""

from datetime import date

import pytest

from catalog.errors import BadInput
from search.merchandising.filter_text import filter_text, parse_filter_text
from search.merchandising.rules import MAX_POSITION, Rule, check_rule
from search.query.filters import parse_filter

RULE = Rule("pin", "red mug", "m1")


def test_one_spelling():
    checked = check_rule(Rule("boost", "  red   mug ", "brand = Puma|Nike;in_stock=YES", "words", starts=" 2026-02-01"))
    assert checked == Rule("boost", "red mug", "brand=Puma|Nike; in_stock=yes", "words", 1.5, "2026-02-01")
    assert check_rule(checked) == checked
    assert check_rule(Rule("pin", "mug", "m1")).number == 1.0
    assert check_rule(Rule("redirect", "returns", "/returns?a=1#b")).target == "/returns?a=1#b"
    assert check_rule(Rule("synonym", "kicks", " sports  shoes ")).target == "sports shoes"


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (Rule("push", "mug", "m1"), "no action"),
        (Rule("pin", "mug", "m1", "some"), "no match"),
        (Rule("pin", "", "m1"), "no words"),
        (Rule("pin", "?!", "m1"), "no words"),
        (Rule("pin", "m" * 201, "m1"), "201 characters"),
        (Rule("pin", "mug", "  "), "no target"),
        (Rule("pin", "mug", "m" * 501), "501 characters"),
        (Rule("pin", "", "m1", "every"), "needs a question"),
        (Rule("redirect", "", "/a", "every"), "needs a question"),
        (Rule("hide", "mug", "brand=Puma", "every"), "has a question"),
        (Rule("pin", "mug", "m1", number=0), "position is 0"),
        (Rule("pin", "mug", "m1", number=1.5), "position is 1.5"),
        (Rule("pin", "mug", "m1", number=MAX_POSITION + 1), "position is 21"),
        (Rule("pin", "mug", "m1", number=float("nan")), "number is nan"),
        (Rule("hide", "mug", "brand=Puma", number=2), "takes no number"),
        (Rule("boost", "mug", "brand=Puma", number=0.5), "factor"),
        (Rule("boost", "mug", "brand=Puma", number=1), "factor"),
        (Rule("bury", "mug", "brand=Puma", number=0.01), "factor"),
        (Rule("bury", "mug", "brand=Puma", number=1.1), "factor"),
        (Rule("hide", "mug", "{}"), "empty"),
        (Rule("hide", "mug", "Puma"), "not FIELD=VALUE"),
        (Rule("hide", "mug", "brand=a; brand=b"), "twice"),
        (Rule("hide", "mug", "price=cheap"), "price is"),
        (Rule("hide", "mug", "in_stock=maybe"), "in_stock is"),
        (Rule("hide", "mug", '{"brand": 1}'), "must be"),
        (Rule("hide", "mug", '{"brand": "' + "x" * 4000 + '"}'), "characters"),
        (Rule("synonym", "mug", "mug"), "itself"),
        (Rule("synonym", "mugs", "Mug"), "itself"),
        (Rule("synonym", "mug", "cup", "words"), "wherever"),
        (Rule("one_way_synonym", "mug", "..."), "no words"),
        (Rule("pin", "mug", "m1", starts="tomorrow"), "no date"),
        (Rule("pin", "mug", "m1", ends="2026-02-30"), "no date"),
        (Rule("pin", "mug", "m1", starts="2026-03-01", ends="2026-02-01"), "before it starts"),
        (Rule("pin", "mug", "'=1+1"), "cannot be written"),
        (Rule("pin", "mug", "\ud800"), "cannot be written"),
    ],
)
def test_what_no_rule_may_hold(rule, reason):
    with pytest.raises(BadInput, match=reason):
        check_rule(rule)


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        " java\nscript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/a\\b",
        "https:evil.example",
        "https://",
        "https://user:secret@evil.example/",
        "https://evil.example\\@shop.example/",
        "https://shop.example:port/",
        "https://[::1",
        "/a b",
        "/\u202egnp",
        "\x00/a",
        "mailto:a@b.example",
        "returns",
        "/" + "a" * 2_000,
    ],
)
def test_addresses_that_no_shopper_is_sent_to(address):
    with pytest.raises(BadInput):
        check_rule(Rule("redirect", "returns", address))


def test_a_rule_holds_on_its_days():
    rule = Rule("pin", "mug", "m1", starts="2026-02-01", ends="2026-02-03")
    days = [date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 3), date(2026, 2, 4)]
    assert [rule.is_active(day) for day in days] == [False, True, True, False]
    assert Rule("pin", "mug", "m1").is_active(date.max)


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("brand=Puma", {"brand": ["Puma"]}),
        ("brand=Puma|Nike; gender=Men", {"brand": ["Puma", "Nike"], "attributes": {"gender": ["Men"]}}),
        ("category=Apparel > Topwear", {"category": ["Apparel > Topwear"]}),
        ("color=Red", {"colour": ["Red"]}),
        ("price=10..50 EUR", {"price": {"min": 10.0, "max": 50.0, "currency": "EUR"}}),
        ("price=..20; in_stock=no", {"price": {"max": 20.0}, "in_stock": False}),
        ("year=2012..", {"attributes": {"year": {"min": 2012.0}}}),
        ("id=a|b", {"id": ["a", "b"]}),
        ('{"not": {"brand": "Acme"}}', {"not": {"brand": ["Acme"]}}),
    ],
)
def test_filters_as_people_type_them(line, values):
    found = parse_filter_text(line)
    assert found == parse_filter(values)
    assert parse_filter_text(filter_text(found)) == found


def test_what_divides_a_line_is_written_as_json():
    odd = parse_filter({"brand": ["a|b"], "attributes": {"price": ["x"], "a=b": ["c;d"], "made of": ["1..2"]}})
    assert filter_text(odd).startswith("{")
    assert parse_filter_text(filter_text(odd)) == odd
