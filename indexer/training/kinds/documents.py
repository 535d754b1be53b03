"""Draw pages of text, screenshots and charts."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from indexer.training.kinds.strokes import SIDE, Rng, colour_of, fill_lines, font_of, size_of, texture, theme, words


def text_page(rng: Rng) -> Image.Image:
    """Return a letter, a book's page or a receipt; half of them as paper on a table."""
    paper, ink = theme(rng)
    width, height = size_of(rng)
    picture = Image.new("RGB", (width, height), paper)
    d = ImageDraw.Draw(picture)
    margin = int(rng.uniform(0.02, 0.12) * SIDE)
    size = int(rng.choice([7, 9, 11, 14, 19, 26]))
    top = margin
    if rng.random() < 0.5:
        d.text((margin, margin), words(rng, 3), fill=ink, font=font_of(size * 1.8))
        top += size * 3
    columns = int(rng.choice([1, 1, 1, 2, 3]))
    wide = (width - margin * (columns + 1)) // columns
    for column in range(columns):
        left = margin + column * (wide + margin)
        fill_lines(d, (left, top, left + wide, height - margin), rng, ink, size)
    if rng.random() < 0.5:
        return picture
    table = Image.fromarray(texture(rng, width, height, colour_of(rng, 30, 220)))
    scale = rng.uniform(0.6, 0.9)
    small = picture.resize((int(width * scale), int(height * scale))).convert("RGBA")
    small = small.rotate(float(rng.normal(0, 12)), Image.Resampling.BILINEAR, expand=True)
    table.paste(small, ((width - small.width) // 2, (height - small.height) // 2), small)
    return table


def screen(rng: Rng) -> Image.Image:
    """Return a screenshot: bars, panels, buttons, bubbles or a table."""
    back, ink = theme(rng)
    width, height = size_of(rng)
    picture = Image.new("RGB", (width, height), back)
    d = ImageDraw.Draw(picture)
    bar = int(rng.integers(14, 40))
    d.rectangle((0, 0, width, bar), fill=colour_of(rng))
    d.text((8, 3), words(rng, 2), fill=colour_of(rng), font=font_of(11))
    size = int(rng.choice([8, 10, 12, 15]))
    y = bar + 8
    while y < height - 12:
        tall = int(rng.integers(16, 80))
        form = rng.random()
        if form < 0.3:  # a bubble or a button
            left = int(rng.uniform(0, 0.4) * width)
            box = (left, y, left + int(rng.uniform(0.3, 0.6) * width), y + tall)
            fill = colour_of(rng)
            d.rounded_rectangle(box, int(rng.integers(2, 14)), fill=fill)
            fill_lines(
                d, (box[0] + 6, y + 3, box[2] - 6, y + tall), rng, ink if sum(fill) > 380 else (250, 250, 250), size
            )
        elif form < 0.5:  # rows of a table
            for column in range(int(rng.integers(2, 6))):
                left = 6 + column * width // 5
                d.rectangle((left, y, left + width // 5, y + tall), outline=colour_of(rng, 120, 220))
                d.text((left + 3, y + 2), words(rng, 1), fill=ink, font=font_of(size))
        elif form < 0.6:
            d.line((0, y, width, y), fill=colour_of(rng, 100, 220))
            tall = 4
        else:
            fill_lines(d, (8, y, width - 8, y + tall), rng, ink, size)
        y += tall + int(rng.integers(2, 14))
    return picture


def chart(rng: Rng) -> Image.Image:
    """Return a chart of bars, lines, points or slices, or a diagram of boxes and arrows."""
    back, ink = theme(rng)
    width, height = size_of(rng)
    picture = Image.new("RGB", (width, height), back)
    d = ImageDraw.Draw(picture)
    left, top, right, bottom = 30, 24, width - 14, height - 24
    form = int(rng.integers(5))
    if form < 3:
        d.line((left, top, left, bottom, right, bottom), fill=ink, width=2)
        for y in np.linspace(top, bottom, 6).tolist():
            d.line((left, y, right, y), fill=colour_of(rng, 150, 230))
            d.text((4, y - 5), str(rng.integers(999)), fill=ink, font=font_of(8))
    count = int(rng.integers(4, 16))
    xs = np.linspace(left + 8, right - 8, count)
    for _ in range(int(rng.integers(1, 4))):
        ys = rng.uniform(top, bottom, count) if rng.random() < 0.5 else bottom - np.cumsum(rng.random(count)) * 12
        colour = colour_of(rng)
        if form == 0:
            wide = (right - left) / count * 0.35
            for x, y in zip(xs.tolist(), np.minimum(ys, bottom - 1).tolist(), strict=True):
                d.rectangle((x - wide, y, x + wide, bottom), fill=colour)
        elif form == 1:
            d.line([*zip(xs.tolist(), ys.tolist(), strict=True)], fill=colour, width=int(rng.integers(1, 5)))
        elif form == 2:
            for x, y in rng.uniform((left, top), (right, bottom), (60, 2)).tolist():
                d.ellipse((x - 3, y - 3, x + 3, y + 3), fill=colour)
        elif form == 3:
            start, size = 0.0, min(width, height) * 0.4
            for part in rng.dirichlet(np.ones(count)).tolist():
                box = (width / 2 - size, height / 2 - size, width / 2 + size, height / 2 + size)
                d.pieslice(box, start, start + part * 360, fill=colour_of(rng), outline=back)
                start += part * 360
        else:
            for x, y in rng.uniform((0, 0), (width * 0.8, height * 0.85), (4, 2)).tolist():
                d.rectangle((x, y, x + 60, y + 26), outline=ink, fill=colour_of(rng, 180, 256))
                d.text((x + 4, y + 6), words(rng, 1), fill=ink, font=font_of(10))
                d.line((x + 60, y + 13, *rng.uniform(0, width, 2).tolist()), fill=ink)
    d.text((left, 4), words(rng, 4), fill=ink, font=font_of(12))
    return picture
