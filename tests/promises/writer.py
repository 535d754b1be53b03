"""A writer that is killed: forks a child for every cycle, which puts and removes products and acknowledges each.

    python -m tests.promises.writer HOME      then a line "SEED OPS" on stdin for each cycle

The child's number, then one line for each acknowledged operation, then "ended" when it is gone, come on stdout. What a
seed does is worked out by `operations`, so whoever kills the child knows what it was doing.
"""

import contextlib
import os
import random
import sys
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import UnknownProduct
from catalog.storage.catalogue import Catalogue
from indexer.generations.store import open_current
from search.engine import SearchEngine
from search.live.product_edit import edit_of
from tests.fake_encoder import FakeEncoder
from tests.promises.server_process import read_shipped_tables
from tests.web.shop_fixtures import picture_bytes

IDS = [f"p{number:02}" for number in range(24)]
COLOURS = [(red, green, 90) for red in (0, 80, 160, 240) for green in (0, 80, 160, 240)]


@dataclass(frozen=True)
class Operation:
    """One write: a whole product to put, or its removal."""

    product_id: str
    title: str = ""
    price: str = ""
    colours: tuple = ()


def operations(seed, count):
    """What the child with that seed does, in order."""
    chance = random.Random(seed)
    done = []
    for number in range(count):
        product_id = chance.choice(IDS)
        if chance.random() < 0.25:
            done.append(Operation(product_id))
        else:
            colours = tuple(chance.sample(COLOURS, chance.choice((1, 1, 1, 2))))
            done.append(Operation(product_id, f"Thing {seed}-{number}", f"{number}.{seed % 100:02}", colours))
    return done


def perform(engine, operation):
    """Do it; that there is nothing to remove is as good as removed."""
    if operation.title:
        pictures = [picture_bytes(colour, (16, 16)) for colour in operation.colours]
        engine.put(edit_of(operation.product_id, {"title": operation.title, "price": operation.price}, pictures))
    else:
        with contextlib.suppress(UnknownProduct):
            engine.remove(operation.product_id)


def main(home):
    read_shipped_tables()
    for line in sys.stdin:
        seed, count = map(int, line.split())
        child = os.fork()
        if child == 0:
            os.write(1, f"{os.getpid()}\n".encode())
            engine = SearchEngine(home, open_current(home), Catalogue.open(home / "catalog.sqlite"), FakeEncoder())
            engine.follow()
            for number, operation in enumerate(operations(seed, count), 1):
                perform(engine, operation)
                os.write(1, f"{number}\n".encode())
            os._exit(0)
        os.waitpid(child, 0)
        os.write(1, b"ended\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
