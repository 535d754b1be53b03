"""Shapes for rooms: seats, tables, shelves, storage, textiles. Each takes a style (0, 1, 2) and a generator."""

from __future__ import annotations

import numpy as np

from catalog.sample.generator.shapes.meshes import (
    Mesh,
    box,
    disc,
    join,
    lathe,
    pillow,
    rod,
    sheet,
    smooth,
    solid,
    tube,
    vessel,
)
from catalog.sample.generator.shapes.tableware import Part, Rng


def legs(count: int, at: float, splay: float, top: float, thick: float, square: float = 0.0) -> Mesh:
    """Legs in a ring (or at the corners of a rectangle `square` times as long as wide), from `top` to the floor."""
    found = []
    for k in range(count):
        a = np.radians(45 + 360 * k / count) if count == 4 else np.radians(90 + 360 * k / count)
        x, y = at * np.cos(a) * (square or 1.0), at * np.sin(a)
        found.append(rod((x, y, top), (x + splay * np.cos(a), y + splay * np.sin(a), 0), thick, thick * 0.72))
    return join(found)


def stool(style: int, r: Rng) -> list[Part]:
    """A stool: round with three legs, round with four and a ring, or an upholstered cube-like seat on legs."""
    w, h = r.uniform(16, 19), r.uniform(42, 48)
    if style == 0:
        return [Part(lathe(disc(w, 3.6, 1.4)).moved(z=h)), Part(legs(3, w * 0.62, 6, h + 0.5, 1.8))]
    if style == 1:
        h = h * 1.35
        z = h * 0.32
        ring = [((w * 0.75) * np.cos(a), (w * 0.75) * np.sin(a), z) for a in np.linspace(0, 2 * np.pi, 80)]
        parts = [Part(lathe(disc(w * 0.9, 3.0, 1.2)).moved(z=h)), Part(legs(4, w * 0.55, 5, h + 0.5, 1.3), "black")]
        return [*parts, Part(tube(np.array(ring), 0.7), "black")]
    return [Part(box(2 * w, 2 * w, 9, 4).moved(z=h * 0.85)), Part(legs(4, w * 1.05, 3, h * 0.85 + 1, 1.7), "oak")]


def _curved_back(w: float, low: float, high: float, lean: float, bow: float) -> Mesh:
    x, z = np.linspace(-1, 1, 30), np.linspace(0, 1, 16)
    zz, xx = np.meshgrid(z, x, indexing="ij")
    edge = 1 - 0.16 * np.abs(xx) ** 4
    height = low + (high - low) * (0.5 + (zz - 0.5) * edge)
    depth = lean * zz - bow * xx**2
    front = np.stack([xx * w, depth, height], -1)
    back = np.stack([xx * w, depth + 1.6, height], -1)
    rim = np.concatenate([front[0], front[1:, -1], front[-1, -2::-1], front[-2:0:-1, 0], front[:1, 0]])
    return join([sheet(back), sheet(front[:, ::-1]), tube(rim + np.array([0, 0.8, 0]), 1.15, segments=12)])


def chair(style: int, r: Rng) -> list[Part]:
    """A chair: curved back on wooden legs, spindles, or upholstered with a high back."""
    w, h = r.uniform(20, 23), r.uniform(43, 46)
    seat = box(2 * w, 2 * w * 0.95, (3.2, 3.2, 8.0)[style], (1.5, 1.5, 3.8)[style]).moved(z=h - (3, 3, 6)[style])
    base = legs(4, w * 1.15, 4, h - 1, 1.7)
    if style == 0:
        posts = [rod((s * w * 0.72, w * 0.82, h - 1), (s * w * 0.78, w * 0.95, h + 30), 1.3) for s in (-1, 1)]
        back = _curved_back(w * 0.98, h + 18, h + 36, 2, 3.0).moved(y=w * 0.95)
        return [Part(seat), Part(back), Part(join([base, *posts]), "oak")]
    if style == 1:
        spindles = []
        for k in range(7):
            x = (k - 3) / 3.0
            spindles.append(rod((x * w * 0.78, w * 0.8, h - 1), (x * w * 0.9, w * 1.05 - 2 * x * x, h + 37), 0.75))
        bow = smooth([(-w * 1.0, w * 0.75, h + 36), (-w * 0.5, w * 1.0, h + 38), (w * 0.5, w * 1.0, h + 38),
                      (w * 1.0, w * 0.75, h + 36)], 40)  # fmt: skip
        return [Part(seat), Part(join([base, *spindles, tube(bow, 1.6, flat=0.8)]))]
    back = box(2 * w * 0.96, 6, 46, 2.9).turned("x", -8).moved(y=w * 0.78, z=h - 3)
    return [Part(seat), Part(back), Part(base, "walnut")]


def side_table(style: int, r: Rng) -> list[Part]:
    """A side table: round with three legs, a pedestal, or square with a lower shelf."""
    w, h = r.uniform(20, 25), r.uniform(45, 55)
    if style == 0:
        return [Part(lathe(disc(w, 2.4, 0.9)).moved(z=h)), Part(legs(3, w * 0.6, 7, h + 0.5, 1.5), "black")]
    if style == 1:
        foot = smooth([(w * 0.75, 0), (w * 0.6, 1.6), (2.6, 4.5), (1.9, h * 0.5), (2.4, h - 2), (w * 0.3, h)], 60)
        return [Part(lathe(disc(w, 2.0, 0.8)).moved(z=h)), Part(lathe(solid(foot)))]
    boards = [box(2 * w, 2 * w, 2.2, 0.6).moved(z=h), box(1.8 * w, 1.8 * w, 1.6, 0.5).moved(z=h * 0.28)]
    posts = [box(2.4, 2.4, h, 0.5).moved(x * w * 0.88, y * w * 0.88) for x in (-1, 1) for y in (-1, 1)]
    return [Part(join(boards)), Part(join(posts))]


def bench(style: int, r: Rng) -> list[Part]:
    """A bench: plank on splayed legs, solid with panel ends, or upholstered."""
    w, h = r.uniform(45, 58), r.uniform(42, 46)
    if style == 0:
        return [Part(box(2 * w, 32, 4, 1.2).moved(z=h)), Part(legs(4, 17, 5, h + 1, 1.9, square=w * 0.058))]
    if style == 1:
        ends = [box(4, 32, h, 0.8).moved(x=s * (w - 4)) for s in (-1, 1)]
        return [Part(join([box(2 * w, 33, 4, 0.9).moved(z=h), *ends, box(2 * w - 10, 3, 9, 0.6).moved(z=h - 14)]))]
    seat = box(2 * w, 38, 11, 5).moved(z=h * 0.75)
    return [Part(seat), Part(legs(4, 19, 3, h * 0.75 + 1, 1.7, square=w * 0.056), "brass")]


def shelf(style: int, r: Rng) -> list[Part]:
    """A shelf unit: open ladder of boards, cube grid, or slim with a metal frame."""
    w, h = r.uniform(28, 36), r.uniform(95, 120)
    if style == 1:
        n = 3
        upright = [box(2, 30, 2 * w + 2, 0.4).moved(x=(2 * k / n - 1) * w) for k in range(n + 1)]
        level = [box(2 * w + 2, 30, 2, 0.4).moved(z=2 * w * k / n) for k in range(n + 1)]
        back = box(2 * w, 1, 2 * w, 0.2).moved(y=14)
        return [Part(join([*upright, *level])), Part(back)]
    n = 4 if style == 0 else 5
    boards = join([box(2 * w, 30, 2.4, 0.5).moved(z=6 + (h - 12) * k / (n - 1)) for k in range(n)])
    if style == 0:
        sides = [box(2.6, 30, h, 0.5).moved(x=s * (w + 1.2)) for s in (-1, 1)]
        return [Part(boards), Part(join(sides))]
    posts = [box(1.8, 1.8, h, 0.4).moved(x * (w - 1), y * 14.0) for x in (-1, 1) for y in (-1, 1)]
    return [Part(boards), Part(join(posts), "black")]


def cushion(style: int, r: Rng) -> list[Part]:
    """A cushion standing up: square, oblong, or round."""
    w, thick = r.uniform(42, 50), r.uniform(13, 17)
    if style == 2:
        puff = smooth([(0.01, -thick * 0.42), (w * 0.2, -thick * 0.5), (w * 0.44, -thick * 0.4), (w * 0.5, 0),
                       (w * 0.44, thick * 0.4), (w * 0.2, thick * 0.5), (0.01, thick * 0.42)], 60)  # fmt: skip
        button = lathe(disc(1.6, 1.2, 0.5)).turned("x", 90).moved(y=-thick * 0.4, z=w * 0.5)
        return [Part(lathe(puff).turned("x", 90).moved(z=w * 0.5)), Part(button)]
    mesh = pillow(w, w * (1.0, 0.62)[style], thick)
    return [Part(mesh.turned("x", -9))]


def rug(style: int, r: Rng) -> list[Part]:
    """A rug on the floor: oblong with fringes, round, or a long runner."""
    w = r.uniform(60, 75)
    if style == 1:
        return [Part(lathe(disc(w, 1.6, 0.8)))]
    long = w * (1.45, 2.1)[style // 2]
    wide = w if style == 0 else w * 0.6
    mesh = box(2 * wide, 2 * long * 0.7, 1.6, 0.7)
    fringe = []
    for k in range(40):
        x = (k / 39 * 2 - 1) * (wide - 1)
        for s in (-1, 1):
            fringe.append(rod((x, s * long * 0.7, 0.6), (x + r.uniform(-0.8, 0.8), s * (long * 0.7 + 6), 0.4), 0.6))
    return [Part(mesh), Part(join(fringe), "rope")]


def pouf(style: int, r: Rng) -> list[Part]:
    """A pouf: round and soft, drum, or with deep pleats."""
    w, h = r.uniform(24, 29), r.uniform(32, 40)
    if style == 1:
        return [Part(lathe(disc(w * 0.9, h, 5.0)))]
    points = [
        (w * 0.62, 0),
        (w * 0.98, h * 0.22),
        (w * 1.04, h * 0.5),
        (w * 0.95, h * 0.8),
        (w * 0.6, h * 0.98),
        (0.02, h),
    ]
    pleats = 14 if style == 2 else 0
    return [Part(lathe(solid(smooth(points, 60)), segments=180 if pleats else 88, sides=0.045, lobes=pleats))]


def basket(style: int, r: Rng) -> list[Part]:
    """A basket: round with two ears, tapered with a tall rim, or oblong with a bow handle."""
    w, h = r.uniform(15, 19), r.uniform(20, 27)
    points = {
        0: [(w * 0.8, 0), (w * 0.98, h * 0.3), (w, h * 0.8), (w * 0.95, h)],
        1: [(w * 0.6, 0), (w * 0.75, h * 0.35), (w * 1.0, h * 1.2)],
        2: [(w * 0.85, 0), (w * 1.05, h * 0.25), (w * 1.12, h * 0.55)],
    }[style]
    side = smooth(points, 44)
    body = lathe(vessel(side, 0.9))
    top, rim = float(side[-1, 1]), float(side[-1, 0])
    band = [(rim * np.cos(a), rim * np.sin(a), top) for a in np.linspace(0, 2 * np.pi, 80)]
    parts = [Part(body), Part(tube(np.array(band), 1.1))]
    if style == 2:
        bow = [(-rim, 0, top), (-rim * 0.9, 0, top + h * 0.7), (0, 0, top + h * 1.05), (rim * 0.9, 0, top + h * 0.7),
               (rim, 0, top)]  # fmt: skip
        return [*parts, Part(tube(smooth(bow, 50), 1.0))]
    for s in (-1, 1) if style == 0 else ():
        ear = [
            (s * rim, -5, top - 0.5),
            (s * rim * 1.04, -3.5, top + 5),
            (s * rim * 1.04, 3.5, top + 5),
            (s * rim, 5, top - 0.5),
        ]
        parts.append(Part(tube(smooth(ear, 30), 0.8)))
    return parts


def lidded_box(style: int, r: Rng) -> list[Part]:
    """A box with a lid: oblong, cube with a knob, or a round hat box."""
    w, h = r.uniform(11, 15), r.uniform(11, 15)
    if style == 2:
        return [Part(lathe(disc(w, h, 0.4))), Part(lathe(disc(w * 1.04, h * 0.34, 0.5)).moved(z=h * 0.85))]
    d = w * (0.66, 1.0)[style]
    h = h * (0.8, 1.3)[style]
    lid = box(2 * w + 0.8, 2 * d + 0.8, h * 0.26, 0.5).moved(z=h)
    pull = lathe(solid(smooth([(0.8, 0), (0.7, 0.6), (1.5, 1.5), (0.9, 2.2), (0.02, 2.3)], 24))).moved(z=h * 1.24)
    return [Part(box(2 * w, 2 * d, h, 0.5)), Part(lid), *([Part(pull, "brass")] if style == 1 else [])]


def floor_lamp(style: int, r: Rng) -> list[Part]:
    """A floor lamp: tripod with a drum shade, straight stem with a cone, or an arc."""
    w, h = r.uniform(20, 24), r.uniform(118, 135)
    if style == 2:
        path = smooth([(0, 0, 2), (0, 0, h * 0.7), (-8, 0, h * 0.98), (-34, 0, h * 1.08), (-52, 0, h * 0.98)], 60)
        dome = smooth([(w * 0.8, 0), (w * 0.72, w * 0.35), (w * 0.35, w * 0.62), (0.5, w * 0.7)], 40)
        shell = np.vstack([dome, (dome - np.array([0.4, 0.3]))[::-1]])
        shell[:, 0] = np.maximum(shell[:, 0], 0)
        return [Part(lathe(disc(w * 0.75, 3, 0.8))), Part(tube(path, 1.1)),
                Part(lathe(shell).moved(x=-52, z=h * 0.98 - w * 0.66))]  # fmt: skip
    low, high = (w, w) if style == 0 else (w * 1.05, w * 0.6)
    side = np.linspace((low, h), (high, h + w * 1.35), 12)
    shade = lathe(np.vstack([side, side[::-1] - np.array([0.4, 0])]))
    if style == 0:
        return [Part(shade, "shade"), Part(legs(3, 3.5, 26, h + 2, 1.6)), Part(lathe(disc(4.5, 2.0)).moved(z=h))]
    return [Part(shade, "shade"), Part(lathe(disc(w * 0.75, 2.6, 0.8))), Part(rod((0, 0, 2), (0, 0, h + 8), 1.1))]
