"""Bulk jobs with the real engine: durable through kills, cancelled, resumed, decided on, downloaded."""

import csv
import io
import os
import shutil
import sqlite3
import subprocess
import sys
import time
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from catalog.errors import BadQuery
from catalog.files.failpoints import KILLED, VARIABLE
from indexer.__main__ import main as indexer
from indexer.build.build import build_index
from indexer.encoders.registry import open_encoder
from search import ops
from search.__main__ import main
from search.bulk import exports, job_rows, review, worker
from search.bulk import job_store as jobs_module
from search.bulk.job_rows import Outcome
from search.bulk.job_store import DONE, Job, JobStore, UnknownJob
from search.bulk.publication import SELECT_EARLIER
from search.bulk.review import RowDecision
from search.bulk.supervisor import WorkerSupervisor
from search.bulk.worker import Worker
from search.engine import SearchEngine
from search.listings.decision_store import DecisionStore
from search.listings.feedback_suggester import SuggesterCache
from tests.search.bulk_jobs import KINDS, begun, bulk_zip, make_desk_shop, picture_bytes

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return make_desk_shop(tmp_path_factory.mktemp("desk") / "shop")


@pytest.fixture
def home(built, tmp_path):
    return Path(shutil.copytree(built, tmp_path / "shop"))


def work(home, job):
    with SearchEngine.open(home) as engine:
        return list(Worker(engine).steps(job))


@pytest.fixture(scope="module")
def worked_on(built, tmp_path_factory):
    """A zip, and a shop that has a finished job for it."""
    folder = tmp_path_factory.mktemp("done")
    home = Path(shutil.copytree(built, folder / "shop"))
    work(home, begun(home, bulk_zip(folder / "a.zip", 12)))
    return folder


@pytest.fixture
def done(worked_on, home, tmp_path):
    """A copy of that job in the test's shop, and of its zip."""
    shutil.copytree(worked_on / "shop" / "jobs", home / "jobs")
    shutil.copy(worked_on / "a.zip", tmp_path)
    (job,) = JobStore(home).all()
    return job


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr("search.bulk.worker.BATCH_ROWS", 8)


def wait_until(true, seconds=300):
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_job_suggests_for_every_row(home, tmp_path, small_batches):
    source = bulk_zip(tmp_path / "a.zip", 20)
    job = begun(home, source)
    assert job.status()["total"] == 20 and job.status()["state"] == "waiting"
    assert work(home, job) == [8, 8, 4]
    status = job.status()
    assert (status["state"], status["done"], status["failed"]) == (DONE, 20, 0)
    rows = job.rows(limit=200)
    assert [row["suggestion"]["category"]["top"][0]["name"] for row in rows] == [list(KINDS)[n % 3] for n in range(20)]
    assert all(row["thumbnail"] and row["confidence"] > 0.5 for row in rows)
    assert [row["number"] for row in job.rows(after=10, limit=3)] == [11, 12, 13]


@pytest.mark.promise("S8")
def test_a_bad_picture_is_one_failed_row(home, tmp_path):
    feed = tmp_path / "in"
    feed.mkdir()
    (feed / "good.jpg").write_bytes((home / "feed" / "mugs-0.jpg").read_bytes())
    (feed / "bad.jpg").write_bytes(b"no picture")
    (feed / "list.csv").write_text("id,image\n1,good.jpg\n2,bad.jpg\n3,none.jpg\n4,\n")
    job = JobStore(home).create("list", 1, feed, feed / "list.csv")
    job.set_meta(size=(feed / "list.csv").stat().st_size)
    job.begin()
    work(home, job)
    failed = job.rows("failed")
    assert [row["id"] for row in failed] == ["2", "3", "4"] and all(row["reason"] for row in failed)
    assert job.status()["done"] == 4


@pytest.mark.promise("R4")
@pytest.mark.timeout(1500)
def test_kills_in_the_middle_lose_no_row(home, tmp_path):
    count, batch = 75, worker.BATCH_ROWS
    job = begun(home, bulk_zip(tmp_path / "a.zip", count))
    before = {}
    for batches, done in ((2, batch), (4, batch + 3)):  # the row at which a worker ended is worked on alone
        process = subprocess.Popen(
            [sys.executable, "-m", "search.bulk.worker", str(home), "auto"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            env=os.environ | {VARIABLE: f"job.batch*{batches}:exit"},
        )
        assert process.wait(300) == KILLED
        process.stdin.close()
        now = {row["number"]: row["suggestion"] for row in all_rows(job) if row["state"] == "made"}
        assert before.items() <= now.items() and len(now) == done
        before = now
    work(home, job)
    rows = all_rows(job)
    assert [row["number"] for row in rows] == list(range(1, count + 1))
    assert all(row["state"] == "made" for row in rows)
    assert [row["id"] for row in rows] == [f"new-{n}" for n in range(count)]


def all_rows(job):
    rows = []
    while part := job.rows(after=rows[-1]["number"] if rows else 0, limit=200):
        rows += part
    return rows


@pytest.mark.timeout(600)
def test_a_desk_works_beside_the_server_and_starts_again_what_died(home, tmp_path, monkeypatch):
    monkeypatch.setattr("search.bulk.supervisor.RESTART_DELAY_S", 0.05)
    job = begun(home, bulk_zip(tmp_path / "a.zip", 6))
    with closing(WorkerSupervisor(home)) as desk:
        with job.db(write=True):  # so that the worker cannot end its work before it is killed
            desk.ensure()
            wait_until(lambda: desk._process is not None)
            first, own = desk._process, os.getpriority(os.PRIO_PROCESS, 0)
            wait_until(lambda: os.getpriority(os.PRIO_PROCESS, first.pid) > own)
            first.kill()
        wait_until(lambda: job.status()["state"] == DONE)
        assert desk._process is not first and job.status()["done"] == 6


@pytest.mark.timeout(600)
def test_a_server_lets_its_worker_learn_without_a_job_and_reports_learning_that_fails(tmp_path, monkeypatch):
    monkeypatch.setattr("search.bulk.supervisor.RESTART_DELAY_S", 0.05)
    home = make_desk_shop(tmp_path / "shop", each=20, learnt=False)
    seen = []
    with closing(WorkerSupervisor(home)) as desk, SearchEngine.open(home) as engine:
        (home / "labels.safetensors").write_bytes(b"no heads")
        desk.learn()
        wait_until(lambda: desk.learning.state == "failed")
        assert ops.heads_status(engine, desk.learning)["state"] == "failed"
        wait_until(lambda: not desk._watching.is_alive())  # it is not tried again and again
        (home / "labels.safetensors").unlink()
        assert ops.heads_missing(engine) and ops.heads_status(engine, desk.learning)["state"] == "failed"
        suggesters = SuggesterCache(home)
        before = suggesters.get(engine)
        desk.learn()
        wait_until(lambda: seen.append(ops.heads_status(engine, desk.learning)) or desk.learning.state == "ready")
        assert not ops.heads_missing(engine) and suggesters.get(engine) is not before
        assert ops.heads_status(engine, desk.learning)["state"] == "ready"
        desk.learn()  # there is nothing to do
        wait_until(lambda: desk.learning.state == "ready")
    states = [status["state"] for status in seen]
    assert states[0] == "waiting" and "learning" in states
    steps = [status["done"] for status in seen if status["state"] == "learning"]
    assert steps == sorted(steps) and all(status["done"] <= status["total"] for status in seen)
    assert JobStore(home).all() == []


@pytest.mark.timeout(600)
def test_few_pictures_are_not_learnt_from(tmp_path):
    home = make_desk_shop(tmp_path / "shop", learnt=False)
    with closing(WorkerSupervisor(home)) as desk, SearchEngine.open(home) as engine:
        desk.learn()
        wait_until(lambda: desk.learning.state == "ready")
        assert ops.heads_status(engine, desk.learning)["state"] == "too_few"
        assert not (home / "labels.safetensors").exists()


@pytest.mark.timeout(600)
def test_the_process_ends_with_its_server(home, tmp_path):
    begun(home, bulk_zip(tmp_path / "a.zip", 60))
    process = subprocess.Popen([sys.executable, "-m", "search.bulk.worker", str(home), "auto"], cwd=ROOT, stdin=-1)
    process.stdin.close()
    assert process.wait(300) == 0


def test_a_row_that_ends_the_worker_is_given_up_and_its_neighbours_are_not(home, tmp_path):
    job = begun(home, bulk_zip(tmp_path / "a.zip", 5))
    assert [task.number for task in job.take(3)] == [1, 2, 3]  # and the worker dies
    for number in (1, 2):
        (task,) = job.take(3)  # one at a time now
        assert task.number == number
        job.finish([Outcome(number, reason="x")], 1.0)
    for _ in range(2):  # the third dies with it again and again
        assert [task.number for task in job.take(3)] == [3]
    assert [task.number for task in job.take(3)] == [4, 5]
    assert "ended 3 times" in job.rows("failed")[2]["reason"]


def test_cancel_goes_on_and_delete(home, tmp_path, small_batches):
    job = begun(home, bulk_zip(tmp_path / "a.zip", 20))
    with SearchEngine.open(home) as engine:
        steps = Worker(engine).steps(job)
        assert next(steps) == 8
        job.cancel()
        assert list(steps) == []
        assert (job.status()["state"], job.status()["done"]) == ("cancelled", 8)
        assert JobStore(home).next() is None
        job.begin()
        assert JobStore(home).next().id == job.id
        steps = Worker(engine).steps(job)
        next(steps)
        JobStore(home).delete(job.id)
        with pytest.raises(UnknownJob):
            list(steps)
    assert not job.folder.exists()
    for odd in ("../x", "", job.id, "x" * 21):
        with pytest.raises(UnknownJob):
            JobStore(home).get(odd)


def test_a_file_is_received_in_parts_that_may_come_twice(home, tmp_path):
    data = bulk_zip(tmp_path / "a.zip", 3).read_bytes()
    job = JobStore(home).create("a", len(data))
    assert job.receive(0, data[:100]) == 100
    assert job.receive(50, data[50:300]) == 300
    for offset, part in ((301, b"x"), (-1, b"x"), (300, data)):
        with pytest.raises(BadQuery):
            job.receive(offset, part)
    with pytest.raises(BadQuery, match="300 of"):
        job.begin()
    job.receive(300, data[300:])
    job.begin()
    assert job.status()["total"] == 3
    with pytest.raises(BadQuery):
        job.receive(0, data)


def test_jobs_are_bounded(home, monkeypatch):
    monkeypatch.setattr(jobs_module, "MAX_JOBS", 1)
    JobStore(home).create("a", 10)
    with pytest.raises(BadQuery, match="already"):
        JobStore(home).create("b", 10)
    for size in (0, -1, 2**40):
        with pytest.raises(BadQuery):
            JobStore(home).create("c", size)


def test_decisions_are_kept_undone_and_outlive_the_job(home, done):
    top = done.rows()[0]["suggestion"]["category"]["top"][0]["name"]
    assert review.decide(
        home, done, [RowDecision(1, accept=True), RowDecision(2, values={"category": "New > Thing"}), RowDecision(3)]
    )
    assert [row["kind"] for row in done.rows()[:4]] == ["accepted", "corrected", "declined", ""]
    assert done.rows()[0]["decided"] == {"category": top}
    assert DecisionStore(home).counts() == {"accepted": 1, "corrected": 1, "declined": 1}
    assert len(review.accept_above(home, done, 0.3)) == 9
    assert review.undo(home, done) == list(range(4, 13))
    assert DecisionStore(home).counts()["accepted"] == 1
    assert review.undo(home, done) == [1, 2, 3] and review.undo(home, done) == []
    assert DecisionStore(home).counts() == {"accepted": 0, "corrected": 0, "declined": 0}
    review.decide(home, done, [RowDecision(1, accept=True)])
    JobStore(home).delete(done.id)
    assert DecisionStore(home).counts()["accepted"] == 1


def test_a_row_is_decided_on_once_in_a_step(home, done):
    with pytest.raises(BadQuery, match="Row 1 has two decisions"):
        review.decide(home, done, [RowDecision(1, values={"title": "X"}), RowDecision(2), RowDecision(1, accept=True)])
    assert done.status()["decided"] == 0


def test_a_step_of_before_that_has_a_row_twice_is_undone_to_its_beginning(home, done):
    with done.db(write=True) as db:
        db.execute("INSERT INTO past VALUES (1, 1, '', '{}'), (1, 1, 'accepted', '{\"category\": \"x\"}')")
        db.execute("UPDATE rows SET kind = 'declined' WHERE number = 1")
    assert review.undo(home, done) == [1]
    assert (done.rows()[0]["kind"], done.rows()[0]["decided"]) == ("", {})


def test_all_that_is_sure_is_accepted_as_by_hand_in_one_step(home, tmp_path):
    listed = (home / "feed" / "mugs-3.jpg").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for n, colour in enumerate(KINDS.values()):
            file.writestr(f"{n}.jpg", picture_bytes(colour, 60 + n))
        file.writestr("3.jpg", listed)  # which is to be looked at
    job = begun(home, tmp_path / "a.zip")
    work(home, job)
    assert [row["sure"] for row in job.rows()] == [True, True, True, False]
    review.decide(
        home, job, [RowDecision(1, values={"category": "Wear > Hats"}), RowDecision(2, values={"title": "Two"})]
    )
    review.decide(home, job, [RowDecision(3, accept=True)])
    by_hand = job.rows()[2]["decided"]
    assert review.undo(home, job) == [3]
    assert review.accept_sure(home, job) == [2, 3] and review.accept_sure(home, job) == []
    rows = job.rows()
    assert [row["kind"] for row in rows] == ["corrected", "accepted", "accepted", ""]
    assert rows[0]["decided"] == {"category": "Wear > Hats"} and rows[2]["decided"] == by_hand
    assert rows[1]["decided"]["title"] == "Two" and rows[1]["decided"]["category"]
    assert DecisionStore(home).counts()["accepted"] == len(by_hand) + len(rows[1]["decided"]) - 1
    assert review.undo(home, job) == [2, 3]


def test_a_crash_between_deciding_and_keeping_is_made_good(home, done, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(review, "record_decisions", lambda *_: None)
        review.decide(home, done, [RowDecision(1, accept=True)])
    assert DecisionStore(home).counts()["accepted"] == 0
    review.record_decisions(home, Job(done.folder))
    assert DecisionStore(home).counts()["accepted"] == 1


@pytest.mark.parametrize("field", ["title", "category"])
@pytest.mark.parametrize("value", ["Navy\0mug", "Navy\nmug", "\x1b[1m", "a\u2028b", "\ud800"])
def test_no_value_holds_control_characters(home, done, field, value):
    with pytest.raises(BadQuery, match=f"'{field}' holds a line break or another control character.*Remove it"):
        review.decide(home, done, [RowDecision(1, accept=True, values={field: value})])
    assert done.status()["decided"] == 0


@pytest.mark.parametrize("values", [{"nothing": "x"}, {"category": ""}, {"category": "x" * 501}])
def test_what_cannot_be_decided_is_refused_and_changes_nothing(home, done, values):
    with pytest.raises(BadQuery):
        review.decide(home, done, [RowDecision(1, accept=True), RowDecision(2, values=values)])
    with pytest.raises(BadQuery):
        review.decide(home, done, [RowDecision(99, accept=True)])
    assert done.status()["decided"] == 0


@pytest.mark.promise("S9")
def test_the_corrected_table_is_safe_and_complete(home, done):
    review.decide(home, done, [RowDecision(1, accept=True), RowDecision(2, values={"category": "@new"})])
    rows = list(csv.DictReader(io.StringIO("".join(exports.corrected_csv(done)))))
    assert len(rows) == 12
    assert rows[0]["title"] == "'=1+0" and rows[0]["status"] == "accepted"
    assert rows[0]["category"] == rows[0]["suggested_category"] == "Wear > Scarves"
    assert rows[1]["category"] == "'@new" and rows[1]["status"] == "corrected"
    assert rows[2]["category"] == "" and rows[2]["suggested_category"]


def test_first_five_decisions_make_a_new_category(home, tmp_path):
    with zipfile.ZipFile(tmp_path / "hats.zip", "w") as file:
        for n in range(6):
            file.writestr(f"h{n}.jpg", picture_bytes((200 + n, 200, 30), 30 + n))
    job = begun(home, tmp_path / "hats.zip")
    work(home, job)
    assert job.rows()[5]["suggestion"]["category"]["top"][0]["name"] in KINDS
    review.decide(home, job, [RowDecision(n, values={"category": "Wear > Hats"}) for n in range(1, 6)])
    again = begun(home, tmp_path / "hats.zip")
    work(home, again)
    found = again.rows()[5]["suggestion"]["category"]
    assert found["top"][0]["name"] == "Wear > Hats" == found["answer"]
    assert found["top"][0]["neighbours"][0].startswith("decided:")
    with SearchEngine.open(home) as engine:
        assert "Wear > Hats" in SuggesterCache(home).get(engine).choices()["category"]


def test_the_command_goes_on_where_it_stopped(home, tmp_path, monkeypatch, small_batches):
    source, out = bulk_zip(tmp_path / "a.zip", 20), tmp_path / "out.csv"
    command = ["categorise", "--home", str(home), "--bulk", str(source), "--out", str(out), "--accept", "0.3"]
    monkeypatch.setenv("WINDOWSHOP_FAILPOINT", "job.batch*2:raise")
    assert CliRunner().invoke(main, command).exit_code == 1
    (job,) = JobStore(home).all()
    assert job.status()["done"] == 8 and not out.exists()
    monkeypatch.delenv("WINDOWSHOP_FAILPOINT")
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0 and "20 rows, 0 failed, 0 need review" in result.stderr
    assert len(JobStore(home).all()) == 1
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert [row["id"] for row in rows] == [f"new-{n}" for n in range(20)]
    assert {row["status"] for row in rows} == {"accepted"}
    assert CliRunner().invoke(main, command[:3]).exit_code == 2


def test_rows_that_repeat_a_listing_or_a_row_are_left_to_be_looked_at(home, tmp_path):
    listed, new = (home / "feed" / "mugs-3.jpg").read_bytes(), picture_bytes((30, 45, 210), 60)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for name, data in (("0.jpg", listed), ("1.jpg", new), ("2.jpg", new)):
            file.writestr(name, data)
    job = begun(home, tmp_path / "a.zip")
    work(home, job)
    result = [(row["suggestion"]["duplicates"], row["suggestion"]["repeats_row"]) for row in job.rows()]
    assert [[(one["id"], one["kind"]) for one in listed] for listed, _ in result] == [[("mugs-3", "same_file")], [], []]
    assert [row for _, row in result] == [0, 0, 2]
    assert [row["sure"] for row in job.rows()] == [False, True, False]
    assert review.accept_above(home, job, 0.3) == [2]
    rows = list(csv.DictReader(io.StringIO("".join(exports.corrected_csv(job)))))
    assert [row["duplicate_of"] for row in rows] == ["mugs-3", "", "row 2"]
    assert [(one.number, one.name) for one in job.unique_rows()] == [(1, "0.jpg"), (2, "1.jpg")]


def test_a_listings_own_row_and_variants_of_one_picture_repeat_nothing(home, tmp_path):
    listed, new = (home / "feed" / "mugs-3.jpg").read_bytes(), picture_bytes((30, 45, 210), 60)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("mug.jpg", listed)
        file.writestr("lips.jpg", new)
        rows = ["id,title,image", "mugs-3,mugs 3,mug.jpg"]
        rows += [f"l{n},{title},lips.jpg" for n, title in enumerate(("Lipstick 05", "Lipstick 07", "Lipstick"))]
        file.writestr("list.csv", "\n".join(rows))
    job = begun(home, tmp_path / "a.zip")
    work(home, job)
    result = [(row["suggestion"]["duplicates"], row["suggestion"]["repeats_row"]) for row in job.rows()]
    assert result == [([], 0), ([], 0), ([], 0), ([], 2)]
    assert review.accept_above(home, job, 0.3) == [1, 2, 3]


TOLD = {"category": "Wear > Hats", "category_zh": "", "colour": "red", "colour_zh": "粉", "kind_zh": "圆"}
SAID = {"category_zh": {"Wear": "服装", "Hats": "帽子"}, "colour_zh": {"red": "红", "blue": "蓝"}}


@pytest.mark.parametrize(
    ("chosen", "kind", "kept"),
    [
        ({}, "accepted", {"category_zh": "服装 > 帽子", "colour_zh": "红"}),
        ({"colour": "blue"}, "corrected", {"category_zh": "服装 > 帽子", "colour": "blue", "colour_zh": "蓝"}),
        ({"category": "Wear > Capes"}, "corrected", {"category": "Wear > Capes", "colour_zh": "红"}),
        ({"colour": "mud"}, "corrected", {"category_zh": "服装 > 帽子", "colour": "mud"}),
        ({"colour_zh": "朱"}, "corrected", {"category_zh": "服装 > 帽子", "colour_zh": "朱"}),
        ({"kind_zh": "方"}, "corrected", {"category_zh": "服装 > 帽子", "colour_zh": "红", "kind_zh": "方"}),
    ],
)
def test_what_is_decided_in_one_language_is_filled_in_in_both(chosen, kind, kept):
    named = {"category": "Wear > Hats", "colour": "red", "kind_zh": "圆"}
    assert review._decision(TOLD, RowDecision(1, accept=True, values=chosen), SAID) == (kind, {**named, **kept})


def test_the_worker_notes_what_the_shop_calls_its_values(home, tmp_path):
    feed = (home / "feed" / "products.csv").read_text().splitlines()
    chinese = {"Wear > Scarves": "服装 > 围巾", "Wear > Gloves": "服装 > 手套"}
    lines = [feed[0] + ",category_zh", *(f"{line},{chinese.get(line.split(',')[2], '')}" for line in feed[1:])]
    (home / "feed" / "products.csv").write_text("\n".join(lines) + "\n")
    build_index(home, home / "feed" / "products.csv", open_encoder("colour"))
    job = begun(home, bulk_zip(tmp_path / "a.zip", 3))
    work(home, job)
    review.accept_above(home, job, 0.3)
    rows = list(csv.DictReader(io.StringIO("".join(exports.corrected_csv(job)))))
    assert [row["category_zh"] for row in rows] == ["服装 > 围巾", "服装 > 手套", ""]
    assert [row["suggested_category_zh"] for row in rows] == ["服装 > 围巾", "服装 > 手套", ""]
    assert "category_zh" not in job.rows()[2]["decided"]


def table_of(pieces):
    return list(csv.DictReader(io.StringIO("".join(pieces))))


def with_table(home, tmp_path, table):
    """A job that is done, for a zip of this table and four pictures a.jpg, b.jpg, c.jpg and d.jpg."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for n, (name, colour) in enumerate(zip("abcd", [*KINDS.values(), (30, 45, 210)], strict=True)):
            file.writestr(f"{name}.jpg", picture_bytes(colour, 50 + n))
        if table:
            file.writestr("list.csv", table)
    job = begun(home, tmp_path / "a.zip")
    work(home, job)
    return job


def test_listings_are_a_feed_of_what_was_accepted(home, done, tmp_path):
    review.decide(
        home, done, [RowDecision(1, accept=True), RowDecision(2, values={"category": "@new"}), RowDecision(3)]
    )
    feed = tmp_path / "unpacked"
    with zipfile.ZipFile(tmp_path / "a.zip") as file:
        file.extractall(feed)
    (feed / "listings.csv").write_text("".join(exports.listings_csv(done)), newline="")
    header, *lines = (feed / "listings.csv").read_text().splitlines()
    assert header.split(",")[:4] == ["id", "title", "image", "category"] and len(lines) == 2
    assert "suggested" not in header and "'=1+0" in lines[0]  # safe in a spreadsheet all the same
    result = CliRunner().invoke(indexer, ["add", "--home", str(home), "--feed", str(feed / "listings.csv")])
    assert result.exit_code == 0, result.output
    with SearchEngine.open(home) as engine:
        added = engine.find([f"new-{n}" for n in range(12)])
    assert {one: (product.title, product.category) for one, product in added.items()} == {
        "new-0": ("=1+0", "Wear > Scarves"),
        "new-1": ("=1+1", "@new"),
    }
    assert set(added["new-1"].attributes) <= {"material"}


def test_listings_keep_the_tables_own_columns_and_have_those_that_a_feed_needs(home, tmp_path):
    table = "sku,name,photo,status,size,category\nx1,One,a.jpg,live,XL,old\nx2,,b.jpg,,,\nx3,Three,c.jpg,,,kept\n"
    job = with_table(home, tmp_path, table)
    review.decide(home, job, [RowDecision(2, accept=True, values={"title": "Two"}), RowDecision(1, accept=True)])
    review.decide(home, job, [RowDecision(3, values={"category": "New"})])
    rows = table_of(exports.listings_csv(job))
    own = ["sku", "name", "status", "size", "category"]  # "photo" would be an attribute
    assert list(rows[0]) == [*own, "id", "title", "image"]
    assert [(row["id"], row["title"], row["image"]) for row in rows] == [
        ("x1", "One", "a.jpg"),
        ("x2", "Two", "b.jpg"),
        ("x3", "Three", "c.jpg"),
    ]
    assert (rows[0]["status"], rows[0]["size"], rows[0]["category"]) == ("live", "XL", "Wear > Scarves")
    assert (rows[2]["category"], rows[2]["name"]) == ("New", "Three")
    reviewed = table_of(exports.corrected_csv(job))
    assert [row["name"] for row in reviewed] == ["One", "Two", "Three"]


@pytest.mark.parametrize(
    ("own", "ours"),
    [
        ([], ["confidence", "duplicate_of", "status"]),
        (["status"], ["confidence", "duplicate_of", "review_status"]),
        (["confidence", "duplicate_of"], ["review_confidence", "review_duplicate_of", "status"]),
        (["review_status"], ["confidence", "duplicate_of", "review_review_status"]),
    ],
)
def test_columns_of_ours_take_the_name_of_none_and_are_known_again(home, tmp_path, own, ours):
    table = "".join(
        ",".join(["id", "title", "image", *values]) + "\n"
        for id, values in (("id", own), ("1", [f"my {name}" for name in own]))
    ).replace("\nid,title,image", "\n1,One,a.jpg")
    job = with_table(home, tmp_path, table)
    review.accept_sure(home, job)
    for _ in range(2):
        (row,) = table_of(exports.corrected_csv(job))
        assert list(row)[-3:] == ours and not [
            name for name in row if name.startswith("review") and name not in [*own, *ours]
        ]
        assert {name: row[name] for name in own} == {name: f"my {name}" for name in own}
        assert row[ours[2]] == "accepted" and 0 < float(row[ours[0]]) <= 1
        (listing,) = table_of(exports.listings_csv(job))
        assert {name: listing.get(name) for name in own} == {name: f"my {name}" for name in own}
        assert not {*ours, "suggested_category"} & set(listing)
        job = with_table(home, tmp_path, "".join(exports.corrected_csv(job)))  # handed in once more
        (row,) = table_of(exports.corrected_csv(job))
        assert row[ours[2]] == "suggested"
        review.accept_sure(home, job)


def test_all_pictures_of_a_listing_come_where_a_feed_reads_them(home, tmp_path):
    table = "id,title,image,picture,photos\n1,One,a.jpg,b.jpg,c.jpg; d.jpg\n2,Two,,b.jpg,\n3,Three,c.jpg,,\n"
    job = with_table(home, tmp_path, table)
    review.decide(home, job, [RowDecision(n, accept=True) for n in (1, 2, 3)])
    rows = table_of(exports.listings_csv(job))
    assert not {"picture", "photos"} & set(rows[0])
    assert [set(row["image"].split("|")) for row in rows] == [
        {"a.jpg", "b.jpg", "c.jpg", "d.jpg"},
        {"b.jpg"},
        {"c.jpg"},
    ]


@pytest.mark.parametrize("table", [exports.corrected_csv, exports.listings_csv])
def test_a_table_is_of_one_moment(home, done, table):
    review.decide(home, done, [RowDecision(1, accept=True)])
    pieces = table(done)
    header = next(pieces)
    review.decide(home, done, [RowDecision(2, accept=True), RowDecision(1, values={"category": "New"})])
    rows = table_of([header, *pieces])
    assert [row["id"] for row in rows if row["category"]] == ["new-0"] and rows[0]["category"] == "Wear > Scarves"


def test_without_a_table_listings_have_id_title_and_image(home, tmp_path):
    job = with_table(home, tmp_path, "")
    assert "".join(exports.listings_csv(job)).split() == ["id,title,image"]
    review.decide(home, job, [RowDecision(1, accept=True, values={"title": "A"})])
    (row,) = table_of(exports.listings_csv(job))
    assert list(row)[:4] == ["id", "title", "image", "category"]
    assert (row["id"], row["title"], row["image"]) == ("a", "A", "a.jpg")
    assert [one["id"] for one in table_of(exports.listings_csv(job, confident=True))] == ["a", "b", "c", "d"]
    assert job.rows()[1]["kind"] == ""


def test_a_title_is_decided_by_itself_and_nothing_is_learnt_of_it(home, tmp_path):
    job = with_table(home, tmp_path, "id,image\n1,a.jpg\n2,b.jpg\n3,none.jpg\n4,c.jpg\n")
    assert job.status()["untitled"] == 0
    assert review.decide(
        home, job, [RowDecision(1, values={"title": "One"}), RowDecision(3, values={"title": "Three"})]
    ) == [
        1,
        3,
    ]
    assert [(row["kind"], row["decided"]) for row in job.rows()[:3]] == [
        ("", {"title": "One"}),
        ("", {}),
        ("", {"title": "Three"}),
    ]
    assert DecisionStore(home).counts() == {"accepted": 0, "corrected": 0, "declined": 0}
    review.accept_above(home, job, 0.1)
    assert job.rows()[0]["decided"]["title"] == "One"
    assert job.status()["untitled"] == 2
    review.decide(home, job, [RowDecision(2, accept=True, values={"title": "Two"}), RowDecision(4)])
    assert [row["kind"] for row in job.rows()] == ["accepted", "accepted", "", "declined"]
    assert job.status()["untitled"] == 0
    review.decide(home, job, [RowDecision(1, accept=True)])  # the title stays
    for pieces in (exports.corrected_csv(job), exports.listings_csv(job)):
        assert [row["title"] for row in table_of(pieces)][:2] == ["One", "Two"]
    assert review.undo(home, job) == [1] and review.undo(home, job) == [2, 4]
    assert job.status()["untitled"] == 2
    assert DecisionStore(home).counts()["accepted"] == 3
    with pytest.raises(BadQuery):
        review.decide(home, job, [RowDecision(3, accept=True, values={"title": "x"})])
    with pytest.raises(BadQuery):
        review.decide(home, job, [RowDecision(1, values={"title": "x" * 501})])


def test_the_rows_own_title_takes_a_decided_one_back(home, done):
    review.decide(home, done, [RowDecision(1, accept=True, values={"title": "New"})])
    assert done.rows()[0]["decided"]["title"] == "New"
    review.decide(home, done, [RowDecision(1, values={"title": "=1+0"})])
    row = done.rows()[0]
    assert "title" not in row["decided"] and row["kind"] == "accepted" and row["decided"]["category"]


def test_an_empty_title_takes_a_decided_one_back_where_the_row_has_none(home, tmp_path):
    job = with_table(home, tmp_path, "id,title,image\n1,,a.jpg\n2,Two,b.jpg\n")
    review.decide(home, job, [RowDecision(1, accept=True, values={"title": "One"})])
    review.decide(home, job, [RowDecision(1, accept=True, values={"title": ""})])
    row = job.rows()[0]
    assert "title" not in row["decided"] and row["kind"] == "accepted" and job.status()["untitled"] == 1
    review.decide(home, job, [RowDecision(1, values={"title": ""})])
    for accept in (True, False):
        with pytest.raises(BadQuery, match="title of row 2 is empty"):
            review.decide(home, job, [RowDecision(2, accept=accept, values={"title": ""})])


def test_a_title_that_is_decided_before_the_row_is_reached_is_used(home, tmp_path):
    job = begun(home, bulk_zip(tmp_path / "a.zip", 3))
    review.decide(home, job, [RowDecision(2, values={"title": 'A "mug"'})])
    assert [task.title for task in job.take(3)] == ["=1+0", 'A "mug"', "=1+2"]


def test_a_file_of_before_is_brought_up_to_date_by_the_first_that_writes(home, tmp_path):
    job = with_table(home, tmp_path, "id,title,image\n1,One,a.jpg\n1,,b.jpg\n,,c.jpg\n")
    with closing(sqlite3.connect(job.folder / "job.sqlite")) as db:
        db.executescript("DROP INDEX by_id; DROP INDEX by_own_id; DROP INDEX by_kind; PRAGMA user_version = 0")
        db.execute("DELETE FROM about WHERE name = 'double_ids'")
        db.commit()
    assert job.status()["double_ids"] == 0 and len(job.rows()) == 3
    for _ in range(2):
        review.decide(home, job, [RowDecision(1, accept=True)])
        assert job.status()["double_ids"] == 1
        with job.db() as db:
            assert {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'index'")} >= {
                "by_state",
                "by_id",
                "by_own_id",
                "by_kind",
            }


def test_rows_are_counted_and_doubles_found_by_indexes_alone(home, done):
    def plan(query, **values):
        with done.db() as db:
            return [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {query}", values)]

    (counted,) = plan(job_rows.SELECT_GROUPS)
    assert counted.endswith("INDEX by_kind")
    earlier = [step for step in plan(f"SELECT {job_rows.ROW_COLUMNS} FROM rows") if "earlier" in step]
    assert earlier == ["SEARCH earlier USING COVERING INDEX by_id (id=? AND rowid<?)"]
    published = [step for step in plan(SELECT_EARLIER, id="1", own='"id": "1"', number=9) if " rows" in step]
    assert published == [
        "SEARCH rows USING INDEX by_id (id=? AND rowid<?)",
        "SEARCH rows USING INDEX by_own_id (<expr>>? AND <expr><?)",
    ]


def test_no_double_is_looked_for_among_rows_without_an_id(home, tmp_path):
    job = with_table(home, tmp_path, "title,image\nOne,a.jpg\nTwo,b.jpg\nThree,c.jpg\n")
    with closing(sqlite3.connect(job.folder / "job.sqlite")) as db:
        steps = []
        db.execute("DROP INDEX by_id")
        db.execute(
            "INSERT INTO rows (id, pictures) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
            " WHERE i < 20000) SELECT '', '[]' FROM n"
        )
        db.set_progress_handler(lambda: steps.append(1), 1_000)
        found = db.execute(f"SELECT {job_rows.ROW_COLUMNS} FROM rows ORDER BY number DESC LIMIT 20").fetchall()
    assert [row[-1] for row in found] == [None] * 20
    assert len(steps) < 20  # thousands of operations: a look at 20,000 rows is more


def test_a_job_tells_of_titles_ids_and_sure_rows_to_look_after(home, tmp_path):
    job = with_table(home, tmp_path, "id,title,image\n1,One,a.jpg\n1,,b.jpg\n,,c.jpg\n,x,d.jpg\n1,y,none.jpg\n")
    rows = job.rows()
    assert [row["same_id_as"] for row in rows] == [0, 1, 0, 0, 1]
    assert [row["same_id_as"] for row in review.rows_of(job, [5, 1])] == [1, 0]
    status = job.status()
    sure = sum(row["sure"] for row in rows)
    assert sure and (status["double_ids"], status["untitled"], status["sure_left"]) == (2, 0, sure)
    assert status["needs_review"] == 4 - sure
    review.decide(home, job, [RowDecision(n, accept=True) for n in range(1, 5)])
    status = job.status()
    assert (status["double_ids"], status["untitled"], status["sure_left"]) == (2, 2, 0)
    review.decide(home, job, [RowDecision(2, values={"title": 'Say "title":'}), RowDecision(3)])
    assert job.status()["untitled"] == 0


def test_the_command_says_by_its_exit_code_that_rows_failed_and_writes_a_feed(home, tmp_path):
    feed = tmp_path / "in"
    feed.mkdir()
    (feed / "good.jpg").write_bytes(picture_bytes((203, 33, 33), 77))
    (feed / "list.csv").write_text("id,title,image\n1,Scarf,good.jpg\n2,x,none.jpg\n")
    listings = tmp_path / "listings.csv"
    command = ["categorise", "--home", str(home), "--bulk", str(feed / "list.csv"), "--out", str(tmp_path / "out.csv")]
    result = CliRunner().invoke(main, [*command, "--listings", str(listings)])
    assert result.exit_code == 3 and "line 3: '2'" in result.stderr
    (row,) = csv.DictReader(io.StringIO(listings.read_text()))
    assert (row["id"], row["title"], row["category"]) == ("1", "Scarf", "Wear > Scarves")
    result = CliRunner().invoke(main, [*command, "--listings", str(listings), "--accept", "1"])
    assert result.exit_code == 3 and listings.read_text().split() == ["id,title,image"]
    assert CliRunner().invoke(main, ["categorise", "--photos", str(feed / "list.csv"), *command[-2:]]).exit_code == 2
    assert "exit code is 3" in " ".join(CliRunner().invoke(main, ["categorise", "--help"]).output.split())
