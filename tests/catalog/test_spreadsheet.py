"""What we write for spreadsheets runs nothing there, whatever a feed held."""

import csv
import re
from pathlib import Path

import pytest

from catalog.feed import read_feed
from catalog.product import Rejected
from catalog.spreadsheet import csv_text, harmless
from indexer.report import rejected_csv
from tests.catalog.feeds import write

ROOT = Path(__file__).parents[2]
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
    assert harmless(attack) in cells(text, ",")


@pytest.mark.promise("S9")
@pytest.mark.parametrize("text", ["-5", "+3", "-1.50", "-1,5", "12.90 EUR", "a = b", "x-y", "", "'=1", "red; blue"])
def test_what_is_no_formula_stays(text):
    assert harmless(text) == text


@pytest.mark.promise("S9")
@pytest.mark.parametrize("text", ["-", "+", "-5+1", "--5", "-1.2.3", "-5 EUR", "- 5", "-1e9", "-٣"])
def test_what_only_begins_like_a_number_does_not(text):
    assert harmless(text) == f"'{text}"


@pytest.mark.promise("S9")
def test_rejected_rows_of_a_hostile_feed_run_nothing(shop):
    rows = "".join('"{}",Hat,"{}"\n'.format(f"p{i}", attack.replace('"', '""')) for i, attack in enumerate(ATTACKS))
    feed = write(shop, f"id,title,image\n{rows}", "=calc()-products.csv")
    rejected = [item for item in read_feed(feed) if isinstance(item, Rejected)]
    assert len(rejected) >= len(ATTACKS) - 1
    rejected += [Rejected(attack, 7, attack) for attack in ATTACKS]
    text = rejected_csv(rejected)
    for mark in (",", ";"):
        assert not [cell for cell in cells(text, mark) if cell.startswith(STARTS)]
    assert cells(text, ",")[3] == "'=calc()-products.csv"


@pytest.mark.promise("S9")
def test_nothing_writes_tables_past_this():
    """The sample shop's tables are our own words, and feeds are read by programs."""
    writers = [
        path.relative_to(ROOT).as_posix()
        for room in ("catalog", "indexer", "search", "web")
        for path in (ROOT / room).rglob("*.py")
        if re.search(r"csv\.(writer|DictWriter)\b|from csv import", path.read_text(encoding="utf-8"))
    ]
    assert sorted(writers) == ["catalog/sample/tables.py", "catalog/spreadsheet.py"]
