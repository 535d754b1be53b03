"""A shop that was built and then updated, with rows that were rejected each time: for the operator's page."""

import csv

from indexer.build.build import build_index, update_index
from tests.fake_encoder import FakeEncoder
from tests.web.shop_fixtures import picture_bytes, write_keys

KINDS = {"Wear > Scarves": (200, 30, 30), "Wear > Hats": (30, 30, 200), "Home > Mugs": (30, 180, 30), "": (90, 90, 90)}
EACH = 8
FORMULA = "=HYPERLINK('x').png"  # named as a picture, so that it is told as a reason


def make_ops_shop(folder):
    """Generation 1 of 32 products, then 2, which has one product less and other titles; one and two rows rejected."""
    home, feed = folder / "home", folder / "feed"
    feed.mkdir(parents=True)
    rows = []
    for category, colour in KINDS.items():
        for number in range(EACH):
            name = f"{category.rpartition(' ')[2] or 'thing'}-{number}"
            shade = tuple(min(255, part + 5 * number) for part in colour)
            (feed / f"{name}.jpg").write_bytes(picture_bytes(shade))
            row = {"id": name, "title": f"{name} red", "image": f"{name}.jpg", "category": category, "price": "5 EUR"}
            rows.append(
                row | {"title_zh": f"红色 {number}", "category_zh": "服装 > 围巾" if "Scarves" in category else ""}
            )
    bad = {"id": "bad", "title": "bad", "image": "gone.jpg", "category": "", "price": ""}
    build_index(home, _written(feed, [*rows, bad]), FakeEncoder())
    rows[0]["title"] = "blue"
    _written(feed, [*rows[:-1], bad, bad | {"id": "worse", "image": FORMULA}])
    update_index(home, FakeEncoder())
    write_keys(home)
    return home


def _written(folder, rows):
    path = folder / "products.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
