"""S12: queries are bounded, whatever they hold; words reach the index of texts quoted, and SQL by parameters."""

import ast
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.web.shop_fixtures import fake_app

SEARCH = "/api/v1/search"
ROOT = Path(__file__).parents[3]
OPERATORS = [
    "AND",
    "OR",
    "NOT",
    "NEAR(",
    "NEAR/2",
    "*",
    "^",
    '"',
    '""',
    "'",
    "(",
    ")",
    "{",
    "}",
    ":",
    "+",
    "-",
    "name:",
]
ODD = [
    "\0",
    "🧥",
    "👩‍👩‍👧",
    "\u202e",
    "مرحبا",
    "红色",
    "运动鞋",
    "ﬁ",
    "İ",
    "ß",
    "\u200d",
    "%",
    "_",
    ";--",
    "\\",
    "a" * 70,
    "1e999",
    "é",
]
PIECES = [*OPERATORS, *ODD, "red", "jumper", " "]
# Letters, marks, spaces and signs that words are made of or that a tokeniser may stumble over: (first, last).
BLOCKS = [
    (0x0100, 0x024F),  # Latin Extended
    (0x0300, 0x036F),  # combining marks
    (0x0370, 0x03FF),  # Greek
    (0x0400, 0x04FF),  # Cyrillic
    (0x0590, 0x06FF),  # Hebrew and Arabic
    (0x2000, 0x206F),  # quotes, dashes, spaces of any width, line ends, directions
    (0x3000, 0x30FF),  # wide signs and kana
    (0x4E00, 0x9FFF),  # Chinese characters
    (0xFE00, 0xFEFF),  # variation selectors, Arabic forms, the byte order mark
    (0xFF00, 0xFFEF),  # fullwidth and halfwidth forms
]
CHARACTERS = 0x110000
STRINGS, AT_ONCE = 2_000, 8  # Hypothesis takes two milliseconds for an example, whatever is in it


def spelled(numbers):
    """Words from bytes, three a piece: pieces of the list, characters below 256, those of the blocks, and any others.

    Half are of the list, and a quarter of the blocks. Hypothesis draws bytes at once; lists of texts took it longer
    than the searches.
    """
    for kind, high, low in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=False):
        number = high * 256 + low
        if kind < 128:
            yield PIECES[number % len(PIECES)]
        elif kind < 160:
            yield chr(low)
        elif kind < 224:
            first, last = BLOCKS[kind % len(BLOCKS)]
            yield chr(first + number % (last - first + 1))
        else:
            yield chr(((kind - 224) * 65_536 + number) % CHARACTERS)  # 32 times 65,536 are more than all


numbers_drawn = st.binary(min_size=2, max_size=60) | st.binary(min_size=15, max_size=90)
strings = numbers_drawn.map(lambda numbers: list(spelled(numbers)))


def test_any_character_can_be_drawn():
    for number in [*range(0, 0x3100), *range(0xD7F0, 0x10010), *range(0x10010, CHARACTERS, 251), CHARACTERS - 1]:
        assert [*spelled([224 + (number >> 16), number >> 8 & 255, number & 255])] == [chr(number)]
    ends = {c for kind in range(160, 224) for first, last in BLOCKS for c in block_ends(kind, last - first)}
    assert ends >= {chr(end) for block in BLOCKS for end in block}


def block_ends(kind, offset):
    return spelled([kind, 0, 0, kind, offset >> 8, offset & 255])


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with fake_app(tmp_path_factory.mktemp("shop"), timeout_ms=60_000) as app:
        yield app.test_client()


@pytest.mark.promise("S12")
@settings(max_examples=STRINGS // AT_ONCE, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.tuples(*[st.tuples(strings, st.sampled_from(["", " "]))] * AT_ONCE))
def test_any_words_are_answered_or_refused(client, drawn):
    for parts, joined in drawn:
        body = json.dumps({"text": joined.join(parts), "k": 3})
        answer = client.post(SEARCH, data=body, content_type="application/json")
        assert answer.status_code in (200, 422), (body, answer.text)
        if answer.status_code == 200:
            assert answer.json["degraded"] == [], f"not every part of the answer coped with {body}"


@pytest.mark.promise("S12")
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"text": "a", "k": 201}, "less than or equal to 200"),
        ({"text": "a", "k": 0}, "greater than or equal to 1"),
        ({"text": "a", "k": 200, "offset": 9_801}, "outside 0 to 10,000"),
        ({"text": "a", "offset": -1}, "greater than or equal to 0"),
        ({"text": "a" * 1_001}, "at most 1000 characters"),
        ({"text": "a", "timeout_ms": 60_001}, "less than or equal to 60000"),
        ({"text": "a", "weights": {"text": float("nan")}}, "less than or equal to 10"),
        ({"text": "a", "weights": {"text": float("inf")}}, "less than or equal to 10"),
        ({"terms": [{"text": "a"}] * 25}, "at most 24 items"),
        ({"refine": "A" * 40_000}, "limit"),
    ],
)
def test_what_lies_beyond_a_limit_is_refused(client, body, message):
    answer = client.post(SEARCH, data=json.dumps(body), content_type="application/json")
    assert answer.status_code == 422
    assert message in answer.json["error"]["message"] + answer.json["error"]["hint"]


@pytest.mark.promise("S12")
def test_filters_are_bounded(client):
    deep = {"brand": "x"}
    for _ in range(8):
        deep = {"not": deep}
    for narrowed in (deep, {"any": [{"brand": "x"}] * 2_000}, {"id": ["x"] * 1_001}, {"price": {"min": float("nan")}}):
        answer = client.post(SEARCH, data=json.dumps({"filter": narrowed}), content_type="application/json")
        assert answer.status_code == 422, answer.text
    large = json.dumps({"filter": {"id": ["x" * 100] * 110_000}})
    assert len(large) > 10 * 2**20
    assert client.post(SEARCH, data=large, content_type="application/json").status_code == 413


def sql_made_of_pieces(tree):
    """Calls of execute and its kin whose SQL is put together from pieces."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        if node.func.attr in ("execute", "executemany", "executescript"):
            given = node.args[0]
            called = (
                isinstance(given, ast.Call) and isinstance(given.func, ast.Attribute) and given.func.attr == "format"
            )
            if isinstance(given, ast.JoinedStr | ast.BinOp) or called:
                yield node.lineno


@pytest.mark.promise("S12")
def test_no_sql_is_made_of_pieces():
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for room in ("catalog", "indexer", "search", "web")
        for path in sorted((ROOT / room).rglob("*.py"))
        if ".execute" in (source := path.read_text(encoding="utf-8"))  # to parse all of them takes seconds
        for line in sql_made_of_pieces(ast.parse(source))
    ]
    assert found == []


def test_the_gate_sees_what_it_should():
    source = 'db.execute(f"SELECT {x}")\ndb.execute("a" + x)\ndb.execute("a {}".format(x))\ndb.execute("a", (x,))'
    assert list(sql_made_of_pieces(ast.parse(source))) == [1, 2, 3]
