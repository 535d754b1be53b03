"""An update needs memory for what changed, not for the catalogue."""

import os
import sys
from pathlib import Path

import pytest

from tests.indexer.shop_fixtures import write_feed, write_picture
from tests.memory import watch

ROOT = Path(__file__).parents[3]
FEW, MANY = 4_000, 12_000
SHOWN, CHANGED = 100, 60
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # each has buffers of its own
BYTES_A_ROW = 1_800  # 800 to 1,500 were measured; the row's vector alone has 1,024 in its file, 512 in the index


def child(work, home, feed):
    command = [sys.executable, "-m", "tests.indexer.memory_child", work, str(home), str(feed)]
    run = watch(command, cwd=ROOT, env=os.environ | ONE_THREAD)
    assert run.code == 0, run.errors
    return run


def updated(folder, products):
    """Peak of a process's own memory in an update of some pictures of that many products."""
    for number in range(SHOWN):
        path = write_picture(folder / f"{number}.png", (number, 2 * number, 255 - number))
        os.utime(path, (1e9, 1e9))  # files of this very moment would all be read again
    rows = [(f"p{number}", f"thing {number}", f"{number % SHOWN}.png") for number in range(products)]
    child("build", folder / "home", write_feed(folder, rows))
    for number in range(CHANGED):
        write_picture(folder / f"new {number}.png", (number, 255, number))
    rows[:CHANGED] = [(row[0], row[1], f"new {number}.png") for number, row in enumerate(rows[:CHANGED])]
    run = child("update", folder / "home", write_feed(folder, rows))
    assert run.output.split() == [str(CHANGED), str(products - CHANGED), str(products)]
    return run.own_mb


@pytest.mark.timeout(900)
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells a process's own memory on Linux only")
def test_an_updates_memory_does_not_grow_with_the_catalogue(tmp_path):
    few, many = updated(tmp_path / "few", FEW), updated(tmp_path / "many", MANY)
    grown = (many - few) * 2**20 / (MANY - FEW)
    print(f"{few:.1f} MB at {FEW:,} products, {many:.1f} MB at {MANY:,}: {grown:.0f} bytes a product")
    assert grown < BYTES_A_ROW
