"""A process that changes prices and is killed: forks a child for every cycle, which acknowledges each operation.

    python -m tests.promises.price_writer CATALOGUE      then a line "SEED OPS" on stdin for each cycle

As `tests.promises.writer`, of the catalogue alone. `perform` does the same in another process: what a seed does depends
on nothing but the state of the catalogue.
"""

import os
import random
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from catalog.price_history.price_change import PriceChange
from catalog.product import Product
from catalog.storage.catalogue import Catalogue

IDS = [f"p{number:02}" for number in range(12)]
PAST = 1_500_000_000


def product(chance):
    """A product at one of a few prices, so that some puts change nothing."""
    price = chance.choice((None, "0", "4.50", "5.00", "5.50"))
    reduced = price == "4.50" and chance.random() < 0.5
    return Product(
        chance.choice(IDS),
        "Mug",
        (),
        price=None if price is None else Decimal(price),
        currency=chance.choice(("EUR", "EUR", "EUR", "USD")),
        in_stock=chance.random() < 0.8,
        list_price=Decimal("5.00") if reduced else None,
    )


def products(chance):
    return list({each.id: each for each in (product(chance) for _ in range(6))}.values())


def put(catalogue, chance):
    catalogue.put(products(chance))


def remove(catalogue, chance):
    catalogue.remove(chance.sample(IDS, 2))


def replace_all(catalogue, chance):
    catalogue.replace(replace(each, title="Cup") for each in products(chance))


def import_some(catalogue, chance):
    with catalogue.applying(products(chance), chance.sample(IDS, 1), 1):
        pass


def restore(catalogue, chance):
    with catalogue.history.restoring(int(catalogue.seq * chance.random()), 1):
        pass


def import_past(catalogue, chance):
    times = sorted(chance.sample(range(PAST, PAST + 10), 3))
    past = [PriceChange(at, Decimal(chance.randrange(3, 6)), currency="EUR", imported=True) for at in times]
    catalogue.price_history.merge({chance.choice(IDS): past})


OPERATIONS = (put, put, put, remove, replace_all, import_some, restore, import_past)


def perform(catalogue, seed, number):
    """Do the operation of that number, one transaction."""
    chance = random.Random(f"{seed} {number}")
    chance.choice(OPERATIONS)(catalogue, chance)


def main(path):
    for line in sys.stdin:
        seed, count = map(int, line.split())
        child = os.fork()
        if child == 0:
            os.write(1, f"{os.getpid()}\n".encode())
            catalogue = Catalogue.open(path)
            for number in range(count):
                perform(catalogue, seed, number)
                os.write(1, f"{number + 1}\n".encode())
            os._exit(0)
        os.waitpid(child, 0)
        os.write(1, b"ended\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
