"""The README's session and Python example, and every curl line of the documents, do what the pages show."""

import csv
import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import pytest
from click.testing import CliRunner

from catalog.home import ShopHome
from indexer.training import label_heads
from search.listings import fit_heads
from tests.web.test_main import ask, output_of, serving, wait_until_ready
from web.cli.windowshop import main as windowshop
from web.middleware.auth import Keys

ROOT = Path(__file__).parents[2]
WIDE = {**os.environ, "COLUMNS": "120"}
BIN = Path(sys.executable).parent
MARK = "===== answered ====="

pytestmark = [pytest.mark.weights, pytest.mark.timeout(1500)]


def session(text):
    """The commands of a text's console blocks, each with the lines it prints."""
    steps: list[tuple[str, list[str]]] = []
    inside = False
    for line in text.splitlines():
        if line.startswith("```"):
            inside = line == "```console"
        elif inside and line.startswith("$ "):
            steps.append((line[2:], []))
        elif inside and unfinished(steps[-1][0]):
            steps[-1] = (f"{steps[-1][0]}\n{line}", [])
        elif inside:
            steps[-1][1].append(line)
    return steps


def unfinished(command):
    try:
        shlex.split(command)
    except ValueError:  # within quotes
        return True
    return command.endswith("\\")


def page(name):
    return (ROOT / name).read_text(encoding="utf-8")


def section(heading, until):
    return page("README.md").partition(heading)[2].partition(until)[0]


def ids(printed: list[str]) -> list[str]:
    """The third column of the lines that begin with a rank."""
    rows = (line.split() for line in printed)
    return [row[2] for row in rows if len(row) > 2 and row[0].isdigit() and "." in row[1]]


@dataclass(frozen=True)
class FirstRun:
    """What was seen of `make demo` in an empty folder, from its start until it was stopped."""

    home: Path
    photos: list[tuple[str, str]]  # addresses on the front page: of the results of a photo, and of its picture
    answers: list[tuple[int, bytes]]  # of the pictures and of the results of two photos
    learning: str
    printed: str


@pytest.fixture(scope="module")
def first_run(tmp_path_factory):
    home = tmp_path_factory.mktemp("demo") / "shop"
    with serving(home, what="demo") as (process, port):
        wait_until_ready(port, 1_200)
        front = ask(port, "GET", "/")[1].decode()
        photos = re.findall(r'<a href="(/\?photo=[^"]+)"><img src="(/try/[^"]+)"', front)
        answers = [ask(port, "GET", unescape(address)) for photo in photos[:2] for address in reversed(photo)]
        operator = {"Authorization": f"Bearer {Keys(ShopHome(home).api_keys).create('admin')[1]}"}
        learning = json.loads(ask(port, "GET", "/api/v1/ops", headers=operator)[1])["label_heads"]["state"]
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=300)
        return FirstRun(home, photos, answers, learning, output_of(process))


@pytest.fixture
def demo(first_run):
    """The shop of `make demo`."""
    return first_run.home


def test_make_demo_leads_from_nothing_to_results_and_again_within_seconds(first_run):
    assert len(first_run.photos) == 12
    assert [status for status, _ in first_run.answers] == [200] * 4
    assert all(body.count(b'<li class="card"') >= 3 for _, body in first_run.answers[1::2])  # items, of ten variants
    assert first_run.learning in ("waiting", "learning")  # the page did not wait for it
    assert "Indexing" in first_run.printed and "Five things to try" in first_run.printed
    current = (first_run.home / "current").read_text()
    with serving(first_run.home, what="demo") as (process, port):
        wait_until_ready(port, 300)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=300)
        assert "Indexing" not in output_of(process)
    assert (first_run.home / "current").read_text() == current


def test_the_first_session_is_what_really_happens(demo, monkeypatch):
    monkeypatch.chdir(ROOT)
    (first, _), *searches = session(section("# Windowshop", "\n## "))
    assert first == "make demo" and len(searches) == 3
    for number, (line, shown) in enumerate(searches):
        assert line.startswith("windowshop search --home var/demo ")
        arguments = [*shlex.split(line)[1:], "--home", str(demo)]
        printed = as_a_command(arguments) if number == 0 else here(arguments)
        assert ids(printed.splitlines()) == ids(shown)


def as_a_command(arguments):
    command = [BIN / "windowshop", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=WIDE, capture_output=True, text=True, timeout=1_200, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def here(arguments):
    """What a command prints in this process, which has the models' and languages' files in memory by then."""
    done = CliRunner(env={"COLUMNS": WIDE["COLUMNS"]}).invoke(windowshop, arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_python_example_runs(demo, tmp_path):
    shutil.copytree(demo / "cache", tmp_path / "shop" / "cache")  # of the same pictures: they are encoded once
    code = page("README.md").partition("```python\n")[2].partition("```")[0]
    assert len(code.splitlines()) <= 8
    code = code.replace("var/readme", str(tmp_path / "shop"))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=1_200, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[1] == "pendant-lamp-3c"


@pytest.mark.parametrize("name", ["docs/python-api.md", "docs/contributing.md"])
def test_the_python_of_the_documents_runs(tmp_path, name):
    blocks = [part.partition("```")[0] for part in page(name).split("```python\n")[1:]]
    assert blocks
    for code in blocks:
        code = code.replace("var/", f"{tmp_path}/")
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def learnt(home, monkeypatch):
    """The label heads that a bulk job would learn first, in the little time that other tests leave to it.

    Their thresholds are of one part of the products, not of five: that is a third of the time.
    """
    monkeypatch.setattr(label_heads, "CROSS_VALIDATED", 0)
    fit_heads.learn(home)
    return ShopHome(home).label_heads


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine; apt-get install curl")
def test_every_curl_line_is_answered(demo, tmp_path, monkeypatch):
    (tmp_path / ".curlrc").write_text("fail-with-body\nshow-error\n")  # an answer of 400 or more ends the script
    commands = [line for line, _ in session(page("docs/http-api.md") + page("docs/merchant.md"))]
    monkeypatch.setenv("WINDOWSHOP_TIMEOUT_MS", "20000")  # other tests may be running beside this one
    heads = learnt(demo, monkeypatch).rename(tmp_path / "heads")
    job = next(number for number, line in enumerate(commands) if "/jobs" in line)
    copied = [f"cp {heads} {ShopHome(demo).label_heads}"]  # the lines before are answered by a shop without
    with serving(demo) as (_, port):
        wait_until_ready(port)
        shown = [f"{line}\necho; echo '{MARK}'" for line in commands]
        script = "\n".join(["set -euo pipefail", *shown[:job], *copied, *shown[job:], ""])
        script = script.replace("127.0.0.1:8000", f"127.0.0.1:{port}").replace("var/demo", str(demo))
        path = f"{BIN}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=ROOT,
            env={**WIDE, "PATH": path, "CURL_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=1_200,  # a bulk job starts a process of its own
            check=False,
        )
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr
    outputs = done.stdout.split(f"\n{MARK}\n")[:-1]
    assert len(outputs) == len(commands)

    def answer(*parts):
        """The answer of the first command that has all of these parts; the documents may get further commands."""
        found = next(out for line, out in zip(commands, outputs, strict=True) if all(part in line for part in parts))
        return json.loads(found) if found.strip() else None

    assert answer('text="in green"')["hits"][0]["id"] == "pendant-lamp-3c"
    assert [hit["id"][:3] for hit in answer("speckled mug")["hits"]] == ["mug"] * 3
    narrowed = answer("not striped")
    prices = [float(hit["price"]) for hit in narrowed["hits"]]
    assert prices and prices == sorted(prices) and prices[-1] <= 40 and narrowed["facets"]
    assert all(hit["category"].startswith("Tableware") and hit["in_stock"] for hit in narrowed["hits"])
    refined = answer("refine=")
    assert refined["hits"][0]["id"].startswith("mug") and all(float(hit["price"]) <= 15 for hit in refined["hits"])
    assert answer("suggest?q=red")["words"][0]["text"] == "red teapot"
    assert answer("suggest?q=%E9")["kinds"][0]["name"] == "马克杯"
    spoken = answer("audio=@")
    assert answer("curl -s 'http://", "/speech'")["mode"] == "server"
    assert spoken["text"] == "red teapot" and spoken["search"]["hits"]
    assert answer("mug-1a/reviews")["summary"]["count"] > 0 and answer("mug-1a/reviews -d")["request_id"]
    reply = answer("/assistant")
    assert reply["reply"]["code"] == "search_found" and {hit["category"][-4:] for hit in reply["products"]} == {"Mugs"}
    feed = answer("/feed?", "k=20")
    assert len(feed["items"]) == 20 and not feed["personalised"]
    assert [shelf["surface"] for shelf in answer("surface=home")["shelves"]][:2] == ["for_you", "buy_again"]
    assert answer("bought_together")["surface"] == "bought_together"
    put, changed = answer("-X PUT", "12.90 EUR"), answer("-X PUT", "9.90")
    assert (put["id"], put["price"], changed["price"], changed["in_stock"]) == ("mug-99", "12.90", "9.90", False)
    suggested = answer("listings/suggest")
    assert suggested["category"]["answer"].startswith("Tableware") and suggested["duplicates"][0]["id"] == "mug-99"
    assert answer("-X DELETE", "mug-99") is None
    assert (answer("/rules", "pin")["rule"]["target"], answer('$OWNER" http')["total"]) == ("mug-1a", 1)
    sent, begun, finished = answer("file?offset=0"), answer('"waiting"'), answer("until api")
    assert (sent["received"], begun["total"], finished["failed"]) == (sent["bytes"], 2, 0)
    rows, decided = answer("rows?show=all"), answer("$JOB/decisions")
    assert [row["id"] for row in rows["rows"]] == ["p006", "p159"] and rows["products"]
    assert [row["kind"] for row in decided["rows"]] == ["accepted", "declined"]
    published, back = answer("$JOB/publish"), answer("$JOB/unpublish")
    assert (published["created"], published["job"]["published"], back["removed"], back["left"]) == (1, 1, 1, 0)
    (listed,) = csv.DictReader(io.StringIO((demo / "listings.csv").read_text()))
    assert (listed["id"], listed["title"], listed["category"]) == ("p006", "Navy mug", "Tableware > Mugs")
    assert len(outputs[-1].splitlines()) == 3
