"""The report reads well, and its CSV is safe in a spreadsheet."""

import csv
import json

import pytest

from catalog.product import Rejected
from indexer.types import IndexRecord, Recall
from indexer.build.report import (
    BuildReport,
    Step,
    print_rejections,
    rejected_csv,
    rejected_path,
    report_path,
    save_report,
)


def make_report(rejected=()):
    return BuildReport(
        generation=3,
        encoder="fake",
        products=1200,
        pictures=1300,
        indexed=1400,
        encoded=1000,
        reused=300,
        rejected=tuple(rejected),
        steps=(Step("decode", 1000, 2.0), Step("words", 0, 0.0)),
        seconds=10.0,
        peak_memory_mb=512.0,
        index=IndexRecord("ivf_sq8", 512, 16, 4),
        recall=Recall(0.991, 0.996, 600),
        words_gate=1.0,
    )


def test_the_table_says_what_was_done():
    table = make_report([Rejected("a.csv", 2, "no title")]).table()
    for part in ("000003", "1,200 products with 1,400 pictures", "1 rejected", "300 reused", "500 a second", "0.991"):
        assert part in table
    assert "16 of 512 lists" in table


def test_saved_as_json_and_csv(tmp_path):
    save_report(tmp_path, make_report([Rejected("a.csv", 2, "no title"), Rejected("a.csv", 5, "\ud800 broken")]))
    body = json.loads(report_path(tmp_path, 3).read_text())
    assert (body["rejected"], body["reused"], body["pictures_per_second"]) == (2, 300, 130.0)
    assert body["steps"]["decode"] == {"items": 1000, "seconds": 2.0, "per_second": 500.0}
    assert body["recall"]["picture"] == 0.991
    with rejected_path(tmp_path, 3).open(newline="") as file:
        assert list(csv.reader(file))[:2] == [["source", "line", "reason"], ["a.csv", "2", "no title"]]


def test_no_rejected_file_when_nothing_was_rejected(tmp_path, capsys):
    save_report(tmp_path, make_report())
    assert not rejected_path(tmp_path, 3).exists()
    print_rejections(make_report().rejected, rejected_path(tmp_path, 3))
    assert capsys.readouterr() == ("", "")


def test_a_long_list_is_cut_and_says_where_the_rest_is(tmp_path, capsys):
    print_rejections([Rejected("a.csv", i, "no title") for i in range(25)], tmp_path / "r.csv")
    text = capsys.readouterr().err
    assert text.count("a.csv:") == 10
    assert "15 more" in text
    assert "r.csv" in text


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_what_a_spreadsheet_would_run_is_quoted(start):
    out = rejected_csv([Rejected(f"{start}x", 1, f"{start}HYPERLINK(1)")])
    assert list(csv.reader(out.splitlines(keepends=True), strict=True))[1][0].startswith("'")
    assert f"'{start}HYPERLINK" in out
