"""Rules as a table: what was exported is imported, and no bad line changes anything."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import BadInput
from search.merchandising.filter_text import filter_text
from search.merchandising.rule_csv import MAX_BYTES, BadRules, read_rules_csv, rules_csv
from search.merchandising.rules import ACTIONS, FILTERED, MATCHES, Rule, check_rule
from search.query.filters import parse_filter
from tests.catalog.text.test_csv_export import STARTS

HEADER = "match,question,action,target,number,starts,ends"
ODD = ("=1+1", "+1", "-x", "@a", "a;=b", "'=1", 'say "hi"', "杯子", "a\nb", "\t=a")
TEXT = st.text(max_size=12) | st.sampled_from(ODD)
DATES = st.just("") | st.dates().map(str)


@st.composite
def any_rule(draw):
    action = draw(st.sampled_from(ACTIONS))
    target = draw(TEXT)
    if action in FILTERED:
        values = draw(st.dictionaries(st.sampled_from(["brand", "category", "id"]), TEXT.filter(str.strip), min_size=1))
        try:
            target = filter_text(parse_filter(values))
        except BadInput:
            target = "brand=x"
    match = draw(st.sampled_from(MATCHES))
    number = draw(st.none() | st.floats(0, 12) | st.integers(1, 20).map(float))
    return Rule(action, draw(TEXT), target, match, number, draw(DATES), draw(DATES))


@settings(max_examples=300, deadline=None)
@given(st.lists(any_rule(), max_size=6))
def test_what_is_exported_is_imported(drawn):
    rules = {}
    for rule in drawn:
        try:
            checked = check_rule(rule)
        except BadInput:
            continue
        rules[checked.key] = checked
    table = rules_csv(rules.values())
    assert read_rules_csv(table.encode()) == tuple(rules.values())
    cells = [cell for row in csv.reader(io.StringIO(table, newline="")) for cell in row]
    assert not [cell for cell in cells if cell.startswith(STARTS) and not cell.lstrip("+-").isdigit()]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: f"{HEADER}\n{text}".encode("utf-8", "replace")))
def test_any_bytes_are_read_or_refused(data):
    try:
        rules = read_rules_csv(data)
    except BadRules as error:
        assert error.message
    else:
        assert all(check_rule(rule) == rule for rule in rules)


def test_bad_lines_are_reported_with_their_numbers():
    table = f"{HEADER}\nexact,mug,pin,m1,1,,\n\nexact,mug,push,m1,,,\nexact,vase,pin,m1,x,,\nexact,MUG,pin,m1,,,\n"
    with pytest.raises(BadRules, match=r"2 lines .* nothing was changed. line 4: There is no action 'push'") as refused:
        read_rules_csv(table.encode())
    assert [(each.line, each.reason.split(".")[0]) for each in refused.value.lines] == [
        (4, "There is no action 'push'"),
        (5, "number is 'x'"),
    ]
    with pytest.raises(BadRules, match=r"line 3: The rule is in the table already"):
        read_rules_csv(f"{HEADER}\nexact,mug,pin,m1,1,,\nexact,mug,pin,m1,2,,".encode())


@pytest.mark.parametrize(
    "table",
    [
        "action;target;question;number\npin;m1;mug;1,0\n",
        "sep=;\naction;target;question;number\npin;m1;mug;1,0\n",
        "\ufeffAction,Target,Question\r\nPIN, m1 ,mug\r\n,,\r\n",
        "question\ttarget\taction\nmug\tm1\tpin\n",
        'question,target,action,,\nmug,"m1",pin,,,\n',
    ],
)
def test_tables_as_spreadsheets_write_them(table):
    for encoding in ("utf-8", "utf-16"):
        assert read_rules_csv(table.encode(encoding)) == (Rule("pin", "mug", "m1", number=1.0),)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "first line has nothing"),
        (b"question,action\nmug,pin\n", "must be match,question"),
        (b"question,action,target,action\n", "first line has"),
        (b"question,action,target,colour\n", "first line has"),
        (b"action,target\npin,m1,x\n", "2 is not CSV: it has 3 cells"),
        (b'action,target\npin,"m1', "not CSV"),
        (b"action,target\n\xe9", "not UTF-8"),
        (b"action,target\n" + b"x" * MAX_BYTES, "bytes; the limit"),
    ],
)
def test_what_is_no_table_of_rules(data, reason):
    with pytest.raises(BadRules, match=reason):
        read_rules_csv(data)
