"""python -m web demo: from nothing to a shop with photos to try; and one clear line where that cannot be."""

import json
import re
import signal
import socket
from collections import namedtuple
from html import unescape
from pathlib import Path

import pytest
from click.testing import CliRunner

from catalog import sample
from catalog.home import ShopHome
from tests.web.test_main import ask, output_of, serving, wait_until_ready
from web.__main__ import main
from web.cli import demo
from web.middleware.auth import Keys
from web.try_photos import read_try_photos

pytestmark = pytest.mark.skipif(
    not (sample.SAMPLE_FOLDER / "try.csv").exists(), reason="the sample shop is not made yet"
)


@pytest.fixture
def built(monkeypatch):
    """The homes that were built, without building them."""
    homes = []
    monkeypatch.setattr(demo, "index", lambda home: homes.append(home) or 7)
    return homes


def run(*arguments):
    return CliRunner().invoke(main, ["demo", *map(str, arguments)])


def test_a_port_that_is_taken_is_told_before_anything_is_built(built, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = run("--home", tmp_path, "--port", taken.getsockname()[1])
    assert result.exit_code == 1 and built == []
    assert "Address already in use" in result.output and "PORT=8001" in result.output


def test_a_full_disk_is_told_before_anything_is_built(built, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage(10**9, 10**9, 3 << 20))
    result = run("--home", tmp_path / "new" / "shop", "--port", 0)
    assert result.exit_code == 1 and built == []
    assert result.output.count("\n") == 1
    assert "3 MiB free" in result.output and "need 400" in result.output


def test_an_index_that_cannot_be_built_ends_it_with_the_indexers_code(built, tmp_path):
    assert run("--home", tmp_path, "--port", 0).exit_code == 7
    assert built == [tmp_path]


def test_the_shop_that_the_environment_names_is_left_alone(built, tmp_path, monkeypatch):
    monkeypatch.setenv("WINDOWSHOP_HOME", str(tmp_path / "real"))
    monkeypatch.chdir(tmp_path)
    run("--port", 0)
    assert [str(home) for home in built] == ["var/demo"]


def test_what_it_offers_is_there():
    offered = read_try_photos(sample.SAMPLE_FOLDER / "try.csv")
    assert len(offered) == 12 and demo.EXAMPLE_PHOTO in offered
    assert all(photo.file.is_file() and photo.shows for photo in offered.values())
    greeting = demo.things_to_try(Path("var/demo"), "127.0.0.1:8000")
    assert len(re.findall(r"http://127\.0\.0\.1:8000/", greeting)) == 6
    assert all(f"http://127.0.0.1:8000/{page}\n" in greeting for page in ("merchant", "ops", "docs"))
    assert "windowshop key create --home var/demo --scope admin" in greeting


def operator(home):
    """The headers of the shop's operator."""
    return {"Authorization": f"Bearer {Keys(ShopHome(home).api_keys).create('admin')[1]}"}


@pytest.mark.weights
@pytest.mark.timeout(1800)
def test_from_nothing_to_results_and_again_within_seconds(tmp_path):
    with serving(tmp_path / "demo", what="demo") as (process, port):
        wait_until_ready(port, 1_500)
        front = ask(port, "GET", "/")[1].decode()
        photos = re.findall(r'<a href="(/\?photo=[^"]+)"><img src="(/try/[^"]+)"', front)
        assert len(photos) == 12
        for page, picture in photos[:2]:
            assert ask(port, "GET", picture)[0] == 200
            status, body = ask(port, "GET", unescape(page))
            assert status == 200 and body.count(b'<li class="card"') >= 3  # items, of ten variants
        _, body = ask(port, "GET", "/api/v1/ops", headers=operator(tmp_path / "demo"))
        assert json.loads(body)["label_heads"]["state"] in ("waiting", "learning")  # the page did not wait for it
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=300)
        assert "Three things to try" in output_of(process)
    first = (tmp_path / "demo" / "current").read_text()
    with serving(tmp_path / "demo", what="demo") as (process, port):
        wait_until_ready(port, 300)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=300)
        assert "Indexing" not in output_of(process)
    assert (tmp_path / "demo" / "current").read_text() == first
