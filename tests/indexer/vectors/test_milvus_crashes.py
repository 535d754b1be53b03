"""A build on Milvus is killed at each of its steps: the shop stays whole, and what was left in Milvus is removed."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from catalog.files.failpoints import KILLED
from indexer.build.build import UpdateOptions, build_index, update_index
from indexer.generations import store
from indexer.generations.publishing import recover_pending
from indexer.vectors.milvus.address import MilvusAddress
from indexer.vectors.milvus.collections import CollectionRecord
from indexer.vectors.milvus.connection import MilvusConnection
from tests.fake_encoder import FakeEncoder
from tests.indexer.shop_fixtures import colour_shop, write_feed

ROOT = Path(__file__).parents[3]
UPDATE = """
import sys
from pathlib import Path
from indexer.build.build import UpdateOptions, update_index
from tests.fake_encoder import FakeEncoder
update_index(Path(sys.argv[1]), FakeEncoder(), UpdateOptions(Path(sys.argv[2])))
"""


@pytest.mark.promise("R22", "a build on Milvus killed at 4 steps")
@pytest.mark.parametrize("point", ["milvus.created", "milvus.filled", "milvus.indexed", "pointer.moved"])
def test_a_killed_build_leaves_the_shop_whole(milvus_server, tmp_path, monkeypatch, point):
    monkeypatch.setenv("WINDOWSHOP_VECTORS", milvus_server.address)
    home, feed = tmp_path / "home", tmp_path / "feed"
    build_index(home, colour_shop(feed), FakeEncoder())
    rows = np.asarray(store.open_current(home).rows[:])
    later = write_feed(feed, [("p-red", "red hat", "red.png"), ("p-blue", "blue hat", "blue.png")], "later.csv")
    environment = os.environ | {"WINDOWSHOP_FAILPOINT": f"{point}:exit", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", UPDATE, str(home), str(later)]
    assert subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == KILLED

    recover_pending(home)  # as a server does when it opens
    generation = store.open_current(home)
    assert generation.number == (2 if point == "pointer.moved" else 1)
    assert generation.number == 2 or (np.asarray(generation.rows[:]) == rows).all()
    assert current_collection(milvus_server, home) == collection_of(home, generation.number)
    update_index(home, FakeEncoder(), UpdateOptions(colour_shop(feed), force=True))
    number = store.current_number(home)
    assert current_collection(milvus_server, home) == collection_of(home, number)
    named = {collection_of(home, number) for number in store.numbers(home)}
    prefix = min(named)[:19]
    listed = MilvusConnection(MilvusAddress.parse(milvus_server.address)).write("list_collections")
    assert {name for name in listed if name.startswith(prefix)} == named


def collection_of(home, number):
    return CollectionRecord.read(store.ShopHome(home).generation(number)).collection


def current_collection(server, home):
    connection = MilvusConnection(MilvusAddress.parse(server.address))
    alias = f"{collection_of(home, store.numbers(home)[0])[:19]}_current"
    return connection.write("describe_alias", alias)["collection_name"]
