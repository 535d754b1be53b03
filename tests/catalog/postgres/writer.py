"""A writer that is killed: forks a child for every cycle, which puts and removes products and acknowledges each.

    python -m tests.catalog.postgres.writer ADDRESS      then a line "SEED OPS FAILPOINT" on stdin for each cycle

The child's number, then one line for each acknowledged operation, then "ended" when it is gone, come on stdout. What a
seed does is worked out by `operations`, so whoever kills the child knows what it was doing.
"""

import os
import random
import sys
from decimal import Decimal
from pathlib import Path

from catalog.files.failpoints import VARIABLE
from catalog.postgres.opening import open_shop
from catalog.product import Picture, Product

IDS = [f"p{number:02}" for number in range(24)]


def operations(seed, count):
    """What the child with that seed does, in order: products to put together, or an id to remove."""
    chance = random.Random(seed)
    for number in range(count):
        if chance.random() < 0.25:
            yield chance.choice(IDS)
            continue
        pictures = (Picture(f"/{seed}-{number}.jpg", f"{chance.getrandbits(64):016x}", 2, 3),)
        yield [
            Product(
                name, f"Thing {seed} {number}", pictures, price=Decimal(f"{number}.{seed % 100:02}"), currency="EUR"
            )
            for name in chance.sample(IDS, chance.choice((1, 1, 3)))
        ]


def perform(catalogue, operation):
    if isinstance(operation, str):
        catalogue.remove([operation])
    else:
        catalogue.put(operation)


def main(address):
    for line in sys.stdin:
        seed, count, failpoint = line.split()
        child = os.fork()
        if child == 0:
            os.write(1, f"{os.getpid()}\n".encode())
            if failpoint != "none":
                os.environ[VARIABLE] = f"{failpoint}:exit"
            catalogue = open_shop(address, Path("unused"), create=True)
            for number, operation in enumerate(operations(int(seed), int(count)), 1):
                perform(catalogue, operation)
                os.write(1, f"{number}\n".encode())
            os._exit(0)
        os.waitpid(child, 0)
        os.write(1, b"ended\n")


if __name__ == "__main__":
    main(sys.argv[1])
