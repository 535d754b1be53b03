"""A wheel built from the tree installs into an empty environment and works there, as a library and as a command."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import urllib.request
import venv
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from tests.promises.free_ports import free_port

ROOT = Path(__file__).parents[1]
ROOMS = ("catalog", "indexer", "search", "web")
OFFLINE = ("--quiet", "--no-deps", "--no-index", "--disable-pip-version-check")
MAX_BYTES = 25_000_000
HELP_OF_EACH_ROOM = """
from importlib import import_module

import click


def commands(group):
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        yield command
        if isinstance(command, click.Group):
            yield from commands(command)


for room in ("indexer", "search", "web"):
    main = import_module(f"{room}.__main__").main
    main(["--help"], standalone_mode=False)
    assert all(command.help for command in commands(main))  # each is imported, also those within another
"""

pytestmark = pytest.mark.timeout(1500)


def run(*command, cwd):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    work = tmp_path_factory.mktemp("wheel")
    source = work / "source"
    for room in ROOMS:
        shutil.copytree(ROOT / room, source / room, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / file, source / file)
    run(sys.executable, "-m", "pip", "wheel", *OFFLINE, "--no-build-isolation", "-w", work, source, cwd=work)
    (wheel,) = work.glob("windowshop-*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel):
    """An environment that holds the wheel alone, and the packages that Windowshop depends on."""
    work = wheel.parent
    venv.create(work / "env", with_pip=False)
    python = work / "env" / "bin" / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=work).strip())
    run(sys.executable, "-m", "pip", "--python", python, "install", *OFFLINE, "--no-compile", wheel, cwd=work)
    # Python searches a path that a .pth file names, but does not read .pth files there, such as this checkout's own.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return work / "env" / "bin"


def test_the_library_works_from_the_wheel(installed, tmp_path):
    code = "import windowshop as ws, catalog; print(catalog.__file__); print(all(getattr(ws, n) for n in ws.__all__))"
    place, complete = run(installed / "python", "-c", code, cwd=tmp_path).split()
    assert complete == "True"
    assert Path(place).is_relative_to(installed.parent)


def test_the_command_works_from_the_wheel(installed, tmp_path):
    printed = run(installed / "windowshop", "--help", cwd=tmp_path)
    assert all(command in printed for command in ("index", "update", "search", "serve", "demo", "learn", "doctor"))
    assert run(installed / "python", "-c", HELP_OF_EACH_ROOM, cwd=tmp_path).count("Usage: ") == 3


def test_the_wheel_is_small_and_has_every_data_file(wheel):
    assert wheel.stat().st_size <= MAX_BYTES
    with zipfile.ZipFile(wheel) as opened:
        packed = set(opened.namelist())
    sample = ROOT / "catalog" / "sample"
    data = {
        file.relative_to(ROOT).as_posix()
        for room in ROOMS
        for file in (ROOT / room).rglob("*")
        if file.is_file() and file.suffix not in (".py", ".pyc", ".md") and sample not in file.parents
    }
    assert data - packed == {"web/openapi/base.json"} - packed
    with (sample / "try.csv").open(encoding="utf-8", newline="") as file:
        shown = {f"catalog/sample/{row['photo']}" for row in csv.DictReader(file)}
    tables = {f"catalog/sample/{name}.csv" for name in ("products", "try", "reviews", "orders")}
    assert shown | tables <= packed
    images = {f"catalog/sample/images/{file.name}" for file in (sample / "images").iterdir()}
    assert images <= packed


@pytest.mark.torture
@pytest.mark.weights
def test_the_demo_runs_from_the_wheel(installed, tmp_path):
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    log = (tmp_path / "log").open("wb")
    command = [installed / "windowshop", "demo", "--port", str(port)]
    shop = subprocess.Popen(command, cwd=tmp_path, env=environment | {"OMP_NUM_THREADS": "1"}, stderr=log)
    try:
        page = ""
        while '<li class="card"' not in page:  # 503 until the shop is open
            assert shop.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.2)
            with suppress(OSError), urllib.request.urlopen(f"{address}/?q=speckled+mug") as answer:
                page = answer.read().decode()
        assert "mug" in page
    finally:
        shop.send_signal(signal.SIGTERM)
        shop.wait(60)
        log.close()
    assert (tmp_path / "var" / "demo" / "current").is_file()


def test_a_shop_can_be_indexed_and_searched_from_the_wheel(installed, tmp_path):
    feed = ROOT / "catalog" / "sample" / "products.csv"
    lines = feed.read_text(encoding="utf-8").splitlines()[:6]
    (tmp_path / "feed").mkdir()
    (tmp_path / "feed" / "products.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "feed" / "images").mkdir()
    for name in {name for row in csv.DictReader(lines) for name in row["images"].split("|")}:
        shutil.copy(feed.parent / name, tmp_path / "feed" / name)
    shop = ("--home", tmp_path / "shop")
    feed = tmp_path / "feed" / "products.csv"
    run(installed / "windowshop", "index", *shop, "--feed", feed, "--encoder", "colour", cwd=tmp_path)
    photo = next((tmp_path / "feed" / "images").iterdir())
    assert '"hits"' in run(installed / "windowshop", "search", *shop, "--image", photo, "--json", cwd=tmp_path)
