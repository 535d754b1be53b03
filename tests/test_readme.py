"""The README's first session is real: its commands are run, and the products it shows come back in that order."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WIDE = {**os.environ, "COLUMNS": "120"}
FEED = ROOT / "catalog/sample/products.csv"


def session() -> list[tuple[str, list[str]]]:
    """The commands of the README's console blocks up to the first heading, each with the lines it prints."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## ")[0].splitlines()
    steps: list[tuple[str, list[str]]] = []
    inside = False
    for line in lines:
        if line.startswith("```"):
            inside = line == "```console"
        elif inside and line.startswith("$ "):
            steps.append((line[2:], []))
        elif inside:
            steps[-1][1].append(line)
    return steps


def ids(printed: list[str]) -> list[str]:
    """The third column of the lines that begin with a rank."""
    rows = (line.split() for line in printed)
    return [row[2] for row in rows if len(row) > 2 and row[0].isdigit() and "." in row[1]]


@pytest.mark.weights
@pytest.mark.timeout(300)
def test_the_first_session_is_what_really_happens(tmp_path):
    searched = 0
    for line, shown in session():
        if line == "make demo":  # what it does before it serves
            arguments = ["-m", "indexer", "build", "--home", str(tmp_path), "--feed", str(FEED)]
        else:
            assert line.startswith("python -m search query --home var/demo ")
            arguments = [*shlex.split(line)[1:], "--home", str(tmp_path)]
            searched += 1
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=WIDE, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
        assert ids(done.stdout.splitlines()) == ids(shown)
    assert searched == 3
