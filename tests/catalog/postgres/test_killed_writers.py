"""R1, R2 in PostgreSQL: what was acknowledged is there after a kill, once and whole, and no lock is left."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import closing

import pytest

from catalog.files.failpoints import VARIABLE
from tests.catalog.postgres.writer import operations

OPERATIONS = 30
KILLS = 8
PUTS_FIRST = (0, 2, 5, 6, 7)  # seeds whose first operation puts products
# Each step of a write, and whether what was being written is there when it was the last.
POINTS = {
    "postgres.created": False,
    "postgres.prices-recorded": False,
    "postgres.products-put": False,
    "postgres.before-commit": False,
    "postgres.committed": True,
}


class Kennel:
    """The process that forks writers."""

    def __init__(self, address):
        environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
        command = [sys.executable, "-m", "tests.catalog.postgres.writer", address]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def run(self, seed, failpoint="none", kill_after=None):
        """Run a writer, killed after so many acknowledgements; return how many it gave."""
        self.process.stdin.write(f"{seed} {OPERATIONS} {failpoint}\n")
        self.process.stdin.flush()
        child, acknowledged = int(self.process.stdout.readline()), 0
        while (line := self.process.stdout.readline()) != "ended\n":
            acknowledged = int(line)
            if acknowledged == kill_after:
                time.sleep(random.Random(seed).random() * 0.005)  # about as long as an operation takes
                os.kill(child, signal.SIGKILL)
        return acknowledged

    def close(self):
        with self.process:  # waits, and closes the pipes
            self.process.stdin.close()


@pytest.fixture
def kennel(address):
    kennel = Kennel(address)
    yield kennel
    kennel.close()


def apply(expected, done):
    """The products by id after some operations."""
    for operation in done:
        if isinstance(operation, str):
            expected.pop(operation, None)
        else:
            expected.update((product.id, product) for product in operation)
    return expected


def check(opener, before, seed, acknowledged, at_most=1):
    """The shop has the acknowledged operations, and at most one more; return its products."""
    done = list(operations(seed, OPERATIONS))
    allowed = [apply(dict(before), done[: acknowledged + more]) for more in range(at_most + 1)]
    with closing(opener()) as catalogue:
        products = {product.id: product for _, product in catalogue.iterate()}
        assert products in allowed
        assert [change.seq for change in catalogue.changes()] == list(range(1, catalogue.seq + 1))
        assert catalogue.faults() == list(catalogue.price_history.faults()) == []
        assert list(catalogue.price_history.deep_faults()) == []
    return products


@pytest.mark.promise("R1", f"{KILLS} kills of a writer in PostgreSQL")
def test_acknowledged_writes_are_there_once_after_a_kill(kennel, opener):
    products = {}
    for seed in range(KILLS):
        acknowledged = kennel.run(seed, kill_after=random.Random(seed).randrange(1, OPERATIONS // 2))
        assert acknowledged
        products = check(opener, products, seed, acknowledged)


@pytest.mark.promise("R2", "every step of a write in PostgreSQL")
def test_every_step_may_be_the_last(kennel, opener):
    products = {}
    for seed, (point, is_there) in zip(PUTS_FIRST, POINTS.items(), strict=True):
        acknowledged = kennel.run(seed, point)
        assert acknowledged == 0
        done = list(operations(seed, 1 if is_there else 0))
        products = apply(products, done)
        assert check(opener, products, seed, 0, at_most=0) == products
