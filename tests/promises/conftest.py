"""What the promise tests share: seeds that a failure prints and a run can repeat, and children that can be killed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def seed(request):
    """The seed of this test: WINDOWSHOP_SEED if set. Printed, so that a failure shows how to repeat it."""
    number = int(os.environ.get("WINDOWSHOP_SEED", "20261125"))
    print(f"seed {number}: repeat with WINDOWSHOP_SEED={number} pytest '{request.node.nodeid}'")
    return number


class Kennel:
    """A process that has everything imported and forks a child for each piece of work, which may die of it."""

    def __init__(self):
        command = [sys.executable, "-m", "tests.promises.server_process"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, work, failpoint="", **words):
        """Let a child do it; returns its exit code, 137 when a failpoint ended it, and what it printed."""
        self.start(work, failpoint, **words)
        return self.result()

    def start(self, work, failpoint="", **words):
        order = {"work": work, "failpoint": failpoint, "words": {key: str(value) for key, value in words.items()}}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def result(self):
        answer = json.loads(self._process.stdout.readline())
        return answer["code"], answer["said"]

    def close(self):
        self._process.communicate("")


@pytest.fixture(scope="session")
def kennel():
    kennel = Kennel()
    yield kennel
    kennel.close()
