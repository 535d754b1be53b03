"""A small folder like the public datasets, and a shop of coloured shapes."""

import csv

from PIL import Image, ImageDraw

from tests.indexer.encoders.tiny import scene

KINDS = ("Shirt", "Shoe", "Hat")
COLOURS = ("red", "green", "blue")


def write_table(file, *rows):
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows(rows)


def write_picture(file, colour):
    file.parent.mkdir(parents=True, exist_ok=True)
    scene(colour).save(file)


def starter_data(folder, fashion=20):
    """20 fashion products, 3 groceries with 2 photos each, 4 photos of clothes."""
    rows = [("id", "title", "category", "colour", "gender", "image")]
    for i in range(fashion):
        kind, colour = KINDS[i % 3], COLOURS[i // 3 % 3]
        rows.append((i, f"Plain {kind} {colour} {i}", f"Apparel > {kind}", colour.title(), "Men", f"images/{i}.png"))
        write_picture(folder / "fashion" / "images" / f"{i}.png", colour)
    write_table(folder / "fashion" / "products.csv", *rows)
    rows = [("id", "title", "brand", "category", "image")]
    train, val = [("photo", "product_id")], [("photo", "product_id")]
    for i, colour in enumerate(COLOURS):
        rows.append((f"g{i}", f"{colour} juice", "Farm" if i else "", "Juice", f"images/{i}.png"))
        for name in (f"images/{i}.png", f"photos/train/{i}.png", f"photos/val/{i}.png"):
            write_picture(folder / "grocery" / name, colour)
        train.append((f"photos/train/{i}.png", f"g{i}"))
        val.append((f"photos/val/{i}.png", f"g{i}"))
    write_table(folder / "grocery" / "products.csv", *rows)
    write_table(folder / "grocery" / "photos_train.csv", *train)
    write_table(folder / "grocery" / "photos_val.csv", *val)
    for part in ("train", "validation"):
        photos = [("photo", "category")]
        for i in range(4):
            write_picture(folder / "clothing" / "photos" / part / f"{i}.png", COLOURS[i % 3])
            photos.append((f"photos/{part}/{i}.png", ("dress", "hat")[i % 2]))
        write_table(folder / "clothing" / f"photos_{part}.csv", *photos)
    return folder


def sample_shop(folder):
    """Two training products (two pictures and a photo each) and one that is only measured with."""
    feed = [("id", "title", "category", "images", "colour", "title_zh")]
    photos, captions = [("photo", "product_id", "split")], [("query", "product_id", "lang", "split")]
    for colour, split in zip(COLOURS, ("train", "train", "test"), strict=True):
        pictures = [f"images/{colour}-{side}.png" for side in (1, 2)]
        feed.append((colour, f"{colour} mug", "Tableware > Mugs", "|".join(pictures), colour, f"{colour} 杯"))
        photos.append((f"photos/{colour}.png", colour, split))
        captions += [(f"a {colour} cup", colour, "en", split), (f"{colour} 杯子", colour, "zh", split)]
        for name in (*pictures, f"photos/{colour}.png"):
            write_picture(folder / name, colour)
    write_table(folder / "products.csv", *feed)
    write_table(folder / "photos.csv", *photos)
    write_table(folder / "captions.csv", *captions)
    return folder


SHAPES = ("ellipse", "rectangle", "triangle", "ring", "bar")
SHADES = {
    "red": (220, 20, 30),
    "orange": (250, 140, 0),
    "yellow": (250, 230, 30),
    "olive": (110, 120, 20),
    "green": (20, 170, 60),
    "teal": (0, 130, 130),
    "blue": (20, 60, 220),
    "navy": (15, 20, 90),
    "purple": (120, 30, 150),
    "pink": (250, 130, 190),
    "brown": (120, 70, 30),
    "black": (15, 15, 15),
    "grey": (140, 140, 140),
}


def shape_feed(folder, copies=4):
    """13 colours of 5 shapes in a few sizes, with titles like "teal ring 2"; 260 products with 4 copies."""
    rows = [("id", "title", "category", "colour", "image")]
    for colour in SHADES:
        for shape in SHAPES:
            for copy in range(copies):
                name = f"{colour}-{shape}-{copy}"
                rows.append((name, f"{colour} {shape} {copy}", f"Shapes > {shape.title()}", colour, f"{name}.png"))
                folder.mkdir(parents=True, exist_ok=True)
                draw_shape(shape, SHADES[colour], copy).save(folder / f"{name}.png")
    write_table(folder / "products.csv", *rows)
    return folder / "products.csv"


def draw_shape(shape, colour, copy=0):
    picture = Image.new("RGB", (64, 64), "white")
    draw, edge = ImageDraw.Draw(picture), 6 + 3 * (copy % 4)
    box = (edge, edge, 64 - edge, 64 - edge)
    if shape == "ellipse":
        draw.ellipse(box, fill=colour)
    elif shape == "rectangle":
        draw.rectangle(box, fill=colour)
    elif shape == "triangle":
        draw.polygon([(32, edge), (edge, 64 - edge), (64 - edge, 64 - edge)], fill=colour)
    elif shape == "ring":
        draw.ellipse(box, outline=colour, width=7)
    else:
        draw.rectangle((edge, 26, 64 - edge, 38), fill=colour)
    return picture
