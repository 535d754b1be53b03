"""The report reads well, and its CSV is safe in a spreadsheet."""

import csv
import json

import pytest

from catalog.home import ShopHome
from catalog.product import Rejected
from indexer.build.report import (
    BUILD,
    UPDATE,
    IndexReport,
    newest_report,
    print_rejections,
    rejected_table,
    save_report,
)
from indexer.feed_changes import ADDED, Changes
from indexer.generations.gates import PASSED, Gate
from indexer.generations.manifest import Manifest
from indexer.run_warnings import RunWarnings
from indexer.step_times import Step
from indexer.types import Block, EncoderSpec, IndexRecord, Recall

MANIFEST = Manifest(
    number=3,
    created="2026-01-01T00:00:00+00:00",
    encoder=EncoderSpec("fake", "fake", "mean-colour", "none", ("look",), "Apache-2.0"),
    fingerprint="fa" * 32,
    preprocessing={},
    blocks=(Block("look", 3),),
    rows=1400,
    products=1200,
    seq=7,
    index=IndexRecord("ivf_sq8", 512, 16, 4),
    weights={},
    words_gate=1.0,
    recall=Recall(0.991, 0.996, 600),
    files={},
)


def make_report(rejected=(), kind=BUILD, made=True):
    changes = Changes()
    changes.count(ADDED, "p1")
    return IndexReport(
        kind=kind,
        generation=3,
        made=made,
        changes=changes,
        manifest=MANIFEST if made else None,
        pictures=1300,
        encoded=1000,
        reused=300,
        titles=5,
        copied=20,
        rejected=tuple(rejected),
        gates=(Gate("overlap", PASSED, 1.0, 0.5, "all as before"),),
        steps=(Step("decode", 1000, 2.0, 1.5, 400.0), Step("words", 0, 0.0)),
        seconds=10.0,
        peak_memory_mb=512.0,
    )


def test_the_table_says_what_was_done():
    table = make_report([Rejected("a.csv", 2, "no title")]).table()
    for part in ("000003", "1,200 products with 1,400 pictures", "1 rejected", "300 reused", "500 a second", "0.991"):
        assert part in table
    assert "16 of 512 lists" in table


def test_saved_as_json_and_csv(tmp_path):
    save_report(
        tmp_path,
        make_report([Rejected("a.csv", 2, "no title", "p7"), Rejected("a.csv", 5, "\ud800 broken")]),
        RunWarnings(),
    )
    body = json.loads(ShopHome(tmp_path).report(3).read_text())
    assert (body["rejected"], body["reused"], body["pictures_per_second"]) == (2, 300, 130.0)
    assert body["steps"]["decode"] == {
        "items": 1000,
        "seconds": 2.0,
        "per_second": 500.0,
        "cpu_seconds": 1.5,
        "peak_memory_mb": 400.0,
    }
    assert body["recall"]["picture"] == 0.991
    with ShopHome(tmp_path).rejected(3).open(newline="") as file:
        assert list(csv.reader(file))[:2] == [
            ["source", "line", "reason", "id"],
            ["a.csv", "2", "no title", "p7"],
        ]


def test_no_rejected_file_when_nothing_was_rejected(tmp_path, capsys):
    save_report(tmp_path, make_report(), RunWarnings())
    assert not ShopHome(tmp_path).rejected(3).exists()
    print_rejections(make_report().rejected, ShopHome(tmp_path).rejected(3))
    assert capsys.readouterr() == ("", "")


def test_a_long_list_is_cut_and_says_where_the_rest_is(tmp_path, capsys):
    print_rejections([Rejected("a.csv", i, "no title") for i in range(25)], tmp_path / "r.csv")
    text = capsys.readouterr().err
    assert text.count("a.csv:") == 10
    assert "15 more" in text
    assert "r.csv" in text


GATES = [{"name": "overlap", "outcome": "passed", "value": 1.0, "least": 0.5, "told": "all as before"}]


def test_the_file_of_a_build_keeps_its_fields(tmp_path):
    save_report(tmp_path, make_report(), RunWarnings())
    body = json.loads(ShopHome(tmp_path).report(3).read_text())
    assert " ".join(body) == (
        "generation encoder products pictures indexed encoded reused rejected steps seconds peak_memory_mb index recall"
        " words_gate gates pictures_per_second retained notes warnings"
    )
    assert (body["encoder"], body["products"], body["indexed"], body["words_gate"]) == ("fake", 1200, 1400, 1.0)
    settings = {"lists": 512, "nprobe": 16, "overfetch": 4, "seed": 0, "filled_nprobe": 0}
    settings |= {"cosine_gap": 0.0, "filled_cosine_gap": 0.0}
    assert body["index"] == {"kind": "ivf_sq8", **settings}
    assert body["recall"] == {"picture": 0.991, "text": 0.996, "queries": 600} and body["gates"] == GATES
    assert not ShopHome(tmp_path).update_report.exists()


@pytest.mark.parametrize("made", [True, False])
def test_the_files_of_an_update_keep_their_fields(tmp_path, made):
    save_report(tmp_path, make_report([Rejected("a.csv", 2, "no title")], UPDATE, made), RunWarnings())
    body = json.loads(ShopHome(tmp_path).update_report.read_text())
    assert " ".join(body) == (
        "generation made would_make changes encoded titles copied rows rejected gates seconds peak_memory_mb retained"
        " notes warnings"
    )
    assert (body["rows"], body["rejected"], body["gates"]) == (1400 if made else 0, 1, GATES)
    assert body["changes"]["added"] == {"count": 1, "ids": ["p1"]} and body["changes"]["words"]["count"] == 0
    assert ShopHome(tmp_path).update_rejected.read_text().splitlines()[1] == "a.csv,2,no title,"
    assert ShopHome(tmp_path).report(3).exists() == made and not ShopHome(tmp_path).rejected(3).exists()


def test_the_newest_report_is_read_back(tmp_path):
    assert newest_report(tmp_path) is None
    save_report(tmp_path, make_report(), RunWarnings())
    report = newest_report(tmp_path)
    assert (report.kind, report.rejected_path) == (BUILD, ShopHome(tmp_path).rejected(3))
    save_report(tmp_path, make_report(kind=UPDATE), RunWarnings())
    report = newest_report(tmp_path)
    assert (report.kind, report.rejected_path) == (UPDATE, ShopHome(tmp_path).update_rejected)
    ShopHome(tmp_path).update_report.write_text("[")
    report = newest_report(tmp_path)
    assert (report.kind, report.rejected_path) == (UPDATE, ShopHome(tmp_path).update_rejected)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_what_a_spreadsheet_would_run_is_quoted(start):
    out = rejected_table([Rejected(f"{start}x", 1, f"{start}HYPERLINK(1)")])
    assert list(csv.reader(out.splitlines(keepends=True), strict=True))[1][0].startswith("'")
    assert f"'{start}HYPERLINK" in out
