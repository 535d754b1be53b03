"""The Makefile, with programs that only note how they were called: what `make` starts, and when it sets up again."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = """#!/bin/sh
case "$*" in
  "-m pip --version") exit ${NO_PIP:-0} ;;
  "-m pip show"*) test "$INSTALLED" = "$5"; exit ;;
esac
echo "$*" >> called
case "$*" in
  "-m pip install"*) exit ${NO_INDEX:-0} ;;
esac
"""
VENV = '#!/bin/sh\necho "$*" >> called\nmkdir -p .venv/bin\ncp python .venv/bin/python\n'
NVIDIA_SMI = "#!/bin/sh\nexit ${NO_GPU:-0}\n"


@pytest.fixture
def make(tmp_path):
    """Runs make in a folder of its own and returns the calls that it led to."""
    if shutil.which("make") is None:
        pytest.skip("needs make")
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "bin").mkdir()
    for path, text in (("python", PYTHON), ("bin/python3", VENV), ("bin/nvidia-smi", NVIDIA_SMI)):
        (tmp_path / path).write_text(text)
        (tmp_path / path).chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WINDOWSHOP", "MAKE", "PORT"))}
    environment = kept | {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "NO_GPU": "1"}

    def run(*arguments, **variables):
        (tmp_path / "called").write_text("")
        subprocess.run(
            ["make", *arguments], cwd=tmp_path, env=environment | variables, check=True, stdout=subprocess.DEVNULL
        )
        return (tmp_path / "called").read_text().splitlines()

    return run


INSTALL = "-m pip install --quiet --disable-pip-version-check -e .[{},dev]"


def test_setup_happens_once(make):
    assert make("setup", NO_PIP="1") == ["-m venv --clear .venv", INSTALL.format("cpu")]
    assert make("setup") == []


def test_a_venv_without_pip_is_made_again(make):
    make("setup", NO_PIP="1")
    assert make("-B", "setup", NO_PIP="1")[0] == "-m venv --clear .venv"
    assert make("-B", "setup") == [INSTALL.format("cpu")]


def test_another_accelerator_gets_its_own_faiss(make):
    make("setup", NO_PIP="1")
    uninstall = "-m pip uninstall --quiet --yes faiss-cpu faiss-gpu"
    assert make("setup", NO_GPU="0", INSTALLED="faiss-cpu") == [uninstall, INSTALL.format("gpu")]
    assert make("setup", NO_GPU="0") == []
    assert make("setup", INSTALLED="faiss-gpu") == [uninstall, INSTALL.format("cpu")]


def test_serve_passes_on_only_what_was_given(make):
    make("setup", NO_PIP="1")
    assert make("serve", WINDOWSHOP_PORT="8080") == ["-m web serve --home var/shop"]
    assert make("serve", "PORT=9", WINDOWSHOP_HOME="/srv/shop") == ["-m web serve --home /srv/shop --port 9"]
    assert make("serve", "HOME_DIR=a b") == ["-m web serve --home a b"]


def test_demo_keeps_out_of_the_shop_that_is_there(make):
    make("setup", NO_PIP="1")
    assert make("demo") == ["-m web demo"]
    assert make("demo", "PORT=9", WINDOWSHOP_HOME="/srv/shop") == ["-m web demo --port 9"]


def test_packages_that_cannot_be_installed_are_explained(make, tmp_path, capfd):
    with pytest.raises(subprocess.CalledProcessError):
        make("setup", NO_PIP="1", NO_INDEX="1")
    assert "package index" in capfd.readouterr().err
    assert make("setup") == [INSTALL.format("cpu")]  # not taken for done


def test_index_takes_an_encoder(make):
    make("setup", NO_PIP="1")
    assert make("index", "FEED=a.csv") == ["-m indexer build --home var/shop --feed a.csv"]
    assert make("index", "FEED=a.csv", "ENCODER=colour") == [
        "-m indexer build --home var/shop --feed a.csv --encoder colour"
    ]


@pytest.mark.parametrize(("task", "command"), [("index", "build"), ("reindex", "update")])
def test_pictures_are_fetched_when_that_is_said(make, task, command):
    make("setup", NO_PIP="1")
    start = f"-m indexer {command} --home var/shop --feed a.csv"
    assert make(task, "FEED=a.csv") == [start]
    assert make(task, "FEED=a.csv", "FETCH=1") == [f"{start} --fetch-pictures"]
    assert make(task, "FEED=a.csv", "FETCH=0", "ENCODER=colour") == [f"{start} --no-fetch-pictures --encoder colour"]


def test_reindex_needs_no_feed(make):
    make("setup", NO_PIP="1")
    assert make("reindex") == ["-m indexer update --home var/shop"]
    assert make("reindex", "FETCH=1") == ["-m indexer update --home var/shop --fetch-pictures"]
