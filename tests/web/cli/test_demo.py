"""python -m web demo: what it offers, and one clear line where it cannot serve; test_readme.py lets it serve."""

import re
import socket
from collections import namedtuple
from pathlib import Path

import pytest
from click.testing import CliRunner

from catalog import sample
from catalog.home import ShopHome
from web.__main__ import main
from web.cli import demo
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
    assert len(re.findall(r"http://127\.0\.0\.1:8000/", greeting)) == 8
    assert all(f"http://127.0.0.1:8000/{page}\n" in greeting for page in ("merchant", "ops", "docs"))
    assert "windowshop key create --home var/demo --scope admin" in greeting


def test_the_shop_gets_policies_unless_it_has_its_own(tmp_path):
    policies = tmp_path / "policies"
    ShopHome(tmp_path).reviews.touch()  # none are imported
    demo.write_service_files(tmp_path)
    assert {"returns.md", "returns.zh.md", "delivery.md"} <= {path.name for path in policies.iterdir()}
    (policies / "delivery.md").unlink()
    demo.write_service_files(tmp_path)
    assert not (policies / "delivery.md").exists()
