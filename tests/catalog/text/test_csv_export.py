"""What we write for spreadsheets runs nothing there, whatever a feed held."""

import csv
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from catalog.feeds.reader import read_feed
from catalog.feeds.rows.delimited import open_table
from catalog.feeds.rows.row import first
from catalog.product import Rejected
from catalog.text.csv_export import csv_text, escape_formula, unescape_formula
from indexer.build.report import rejected_table
from search.bulk.input_files import read_rows
from tests.catalog.feed_writer import read, write

ROOT = Path(__file__).parents[3]
STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
ATTACKS = (
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1+1",
    "-2+3+cmd|' /C calc'!A0",
    '@SUM(1,1)*HYPERLINK("http://x")',
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "＝1+1",
    "a;=1+1",
    'a";=1+1',
    "a\n=1+1",
)


def cells(text, mark):
    """All cells as a spreadsheet finds them that cuts at that mark."""
    return [cell for row in csv.reader(text.splitlines(keepends=True), delimiter=mark) for cell in row]


@pytest.mark.promise("S9")
@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_no_cell_begins_as_a_formula_does(attack, mark):
    text = csv_text(("source", "line", "reason"), [(attack, 3, "fine"), ("fine", 4, attack)])
    for cell in cells(text, mark):
        assert not cell.startswith(STARTS), cell
    assert escape_formula(attack) in cells(text, ",")


@pytest.mark.promise("S9")
@pytest.mark.parametrize("text", ["-5", "+3", "-1.50", "-1,5", "12.90 EUR", "a = b", "x-y", "", "'=1", "red; blue"])
def test_what_is_no_formula_stays(text):
    assert escape_formula(text) == text


@pytest.mark.promise("S9")
@pytest.mark.parametrize("text", ["-", "+", "-5+1", "--5", "-1.2.3", "-5 EUR", "- 5", "-1e9", "-٣"])
def test_what_only_begins_like_a_number_does_not(text):
    assert escape_formula(text) == f"'{text}"


@pytest.mark.promise("S9")
def test_rejected_rows_of_a_hostile_feed_run_nothing(shop):
    rows = "".join('"{}",Hat,"{}"\n'.format(f"p{i}", attack.replace('"', '""')) for i, attack in enumerate(ATTACKS))
    feed = write(shop, f"id,title,image\n{rows}", "=calc()-products.csv")
    rejected = [item for item in read_feed(feed) if isinstance(item, Rejected)]
    assert len(rejected) >= len(ATTACKS) - 1
    rejected += [Rejected(attack, 7, attack, attack) for attack in ATTACKS]
    text = rejected_table(rejected)
    for mark in (",", ";"):
        assert not [cell for cell in cells(text, mark) if cell.startswith(STARTS)]
    assert cells(text, ",")[4] == "'=calc()-products.csv"


@pytest.mark.promise("S9")
def test_nothing_writes_tables_past_this():
    """The sample shop's tables are our own words, and feeds are read by programs."""
    writers = [
        path.relative_to(ROOT).as_posix()
        for room in ("catalog", "indexer", "search", "web")
        for path in (ROOT / room).rglob("*.py")
        if re.search(r"csv\.(writer|DictWriter)\b|from csv import", path.read_text(encoding="utf-8"))
    ]
    assert sorted(writers) == ["catalog/sample/generator/catalogue/tables.py", "catalog/text/csv_export.py"]


OWN = re.compile(r"(?:\A|[;\t\r\n])'[=+\-@\t\r\n＝＋－＠]")  # an apostrophe of the text's own, where ours would stand
NASTY = st.text(st.sampled_from("=+-@'\t\r\n＝＋－＠;,\"| 5.a\u00e9")).filter(lambda text: not OWN.search(text))


@given(NASTY)
def test_an_escaped_text_is_unescaped_to_the_original(text):
    assert unescape_formula(escape_formula(text)) == text


@pytest.mark.parametrize(
    "text", ["'tis", "'-5", "a;'b", "'", "''=1", "x'=1", "'=1;=2", "'\u8272", "rock'n'roll; '=a", "don't"]
)
def test_an_apostrophe_that_is_not_ours_stays(text):
    assert unescape_formula(text) == text


def test_a_title_that_begins_as_ours_would_loses_the_apostrophe():
    assert unescape_formula(escape_formula("'=1")) == "=1"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(NASTY, min_size=3, max_size=3), st.sampled_from(("csv", "bulk")))
@example([" \t=", "a", "b"], "csv")
def test_a_table_that_we_wrote_is_read_as_it_was(shop, cells, reader):
    names = ("id", "title", "made", "@of")
    text = csv_text((*names, "image"), [("=1", *cells, "images/1.png"), ("-b", "+c", "d;=e", "@f", "images/2.png")])
    path = write(shop, text)
    whole = [cell.strip() for cell in ("=1", *cells)], ["-b", "+c", "d;=e", "@f"]
    if reader == "csv":
        with open_table(path) as (_, rows):
            found = [[first(row.cells, name) for name in names] for row in rows]
    else:
        found = [[row.cells[name] for name in names] for row in read_rows(path, shop / "unused")]
    assert found == list(whole)


def test_a_corrected_table_can_be_fed_to_the_shop(shop):
    text = csv_text(("id", "title", "image", "colour"), [("=1", "-20% hat", "images/1.png", "@red")])
    (product,), rejected = read(write(shop, text))
    assert (product.id, product.title, dict(product.attributes)) == ("=1", "-20% hat", {"colour": "@red"})
    assert not rejected
