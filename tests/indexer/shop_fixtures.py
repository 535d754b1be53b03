"""Tiny shops made on the spot: one-coloured pictures and a CSV feed."""

import csv

from PIL import Image

from indexer.generations import store

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "yellow": (255, 255, 0)}


def write_picture(path, colour, size=(16, 12)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


def write_feed(folder, rows, name="products.csv"):
    """Rows of (id, title, image); returns the feed's path."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "title", "image"])
        writer.writerows(rows)
    return folder / name


def colour_shop(folder):
    """Four products, "red shirt" and so on, each with a picture of its colour."""
    for name, colour in COLOURS.items():
        write_picture(folder / f"{name}.png", colour)
    return write_feed(folder, [(f"p-{name}", f"{name} shirt", f"{name}.png") for name in COLOURS])


def publish(home, building, manifest):
    """Seal a building folder and make it the current generation, without a catalogue."""
    store.seal(building, store.with_records(building, manifest))
    store.finalise(home, manifest.number)
    store.make_current(home, manifest.number)
