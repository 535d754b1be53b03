"""A wheel built from the tree installs into an empty environment and works there, as a library and as a command."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("catalog", "indexer", "search", "web")
PICTURES = {str(ROOT / "catalog" / "sample" / name) for name in ("images", "photos")}

pytestmark = pytest.mark.timeout(1500)


def run(*command, cwd):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    return done.stdout


def left_out(folder, names):
    return [name for name in names if name == "__pycache__" or str(Path(folder) / name) in PICTURES]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """An environment that holds the wheel alone, beside the packages that Windowshop depends on."""
    work = tmp_path_factory.mktemp("wheel")
    source = work / "source"
    for room in ROOMS:
        shutil.copytree(ROOT / room, source / room, ignore=left_out)
    for file in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / file, source / file)
    offline = ("--quiet", "--no-deps", "--no-index", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "wheel", *offline, "--no-build-isolation", "-w", work, source, cwd=work)
    (wheel,) = work.glob("windowshop-*.whl")
    venv.create(work / "env", with_pip=False)
    python = work / "env" / "bin" / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=work).strip())
    run(sys.executable, "-m", "pip", "--python", python, "install", *offline, wheel, cwd=work)
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
    for room in ("indexer", "search", "web"):
        assert "Usage" in run(installed / "python", "-m", room, "--help", cwd=tmp_path)


def test_the_demo_says_that_a_wheel_has_no_sample_shop(installed, tmp_path):
    done = subprocess.run([installed / "windowshop", "demo"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "windowshop index --feed" in done.stderr


def test_a_shop_can_be_indexed_and_searched_from_the_wheel(installed, tmp_path):
    feed = ROOT / "catalog" / "sample" / "products.csv"
    lines = feed.read_text(encoding="utf-8").splitlines()[:6]
    (tmp_path / "feed").mkdir()
    (tmp_path / "feed" / "products.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    shutil.copytree(feed.parent / "images", tmp_path / "feed" / "images")
    shop = ("--home", tmp_path / "shop")
    feed = tmp_path / "feed" / "products.csv"
    run(installed / "windowshop", "index", *shop, "--feed", feed, "--encoder", "colour", cwd=tmp_path)
    photo = next((tmp_path / "feed" / "images").glob("mug-*"), None) or next((tmp_path / "feed" / "images").iterdir())
    assert '"hits"' in run(installed / "windowshop", "search", *shop, "--image", photo, "--json", cwd=tmp_path)
