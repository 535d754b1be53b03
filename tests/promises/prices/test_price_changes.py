"""R1 for prices: a writer of price changes is killed at random moments; no change is lost, and none recorded twice.

Puts, removals, imports, restorations and files of past prices are done again on a second catalogue that nothing
disturbs: the histories are the same, up to the times.
"""

import random
from contextlib import closing
from dataclasses import replace

import pytest

from catalog.storage.catalogue import Catalogue
from tests.promises.price_writer import IDS, perform
from tests.promises.reliability.test_acknowledged_writes import Writer

SEED = 31_000
OPS = 24


def state(catalogue):
    """The products with their histories; the times of what was imported alone."""
    histories = {
        product_id: [change if change.imported else replace(change, at=0) for change in changes]
        for product_id, changes in catalogue.price_history.of_all()
    }
    return [product for _, product in catalogue.iterate()], histories


def killed_and_compared(folder, cycles, seed):
    path, twin_path = folder / "catalog.sqlite", folder / "twin.sqlite"
    writer, chance, total = Writer(path, "tests.promises.price_writer", OPS), random.Random(seed), 0
    try:
        with closing(Catalogue.open(twin_path)) as twin:
            for cycle in range(cycles):
                acknowledged = writer.cycle(seed + cycle, chance)
                for number in range(acknowledged):
                    perform(twin, seed + cycle, number)
                with closing(Catalogue.open(path)) as catalogue:
                    found = state(catalogue)
                    faults = [*catalogue.price_history.faults(), *catalogue.price_history.deep_faults()]
                    if found != state(twin) and acknowledged < OPS:  # committed, and killed before it said so
                        perform(twin, seed + cycle, acknowledged)
                    assert found == state(twin), f"seed {seed}, cycle {cycle}, {acknowledged} acknowledged"
                    assert catalogue.seq == twin.seq and faults == []
                total += acknowledged
            assert total > cycles * OPS / 4 and set(found[1]) <= set(IDS)
            assert sum(map(len, found[1].values())) > 50
    finally:
        writer.close()


@pytest.mark.promise("R1")
def test_no_change_of_a_price_is_lost_or_doubled_by_a_kill(tmp_path):
    killed_and_compared(tmp_path, 10, SEED)


@pytest.mark.torture
@pytest.mark.timeout(6000)
@pytest.mark.promise("R1")
def test_no_change_of_a_price_is_lost_or_doubled_by_five_hundred_kills(tmp_path):
    killed_and_compared(tmp_path, 500, SEED + 1_000)
