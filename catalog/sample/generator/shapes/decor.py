"""Shapes for decoration and light. Every builder takes a style (0, 1, 2) and a generator for its measures."""

from __future__ import annotations

import numpy as np

from catalog.sample.generator.shapes.meshes import Mesh, box, disc, join, lathe, rod, sheet, smooth, solid, tube, vessel
from catalog.sample.generator.shapes.tableware import Part, Rng, at


def vase(style: int, r: Rng) -> list[Part]:
    """A vase: round with a narrow neck, tall and slim, or a fluted cylinder."""
    w, h = r.uniform(7, 9.5), r.uniform(19, 27)
    if style == 0:
        points = [(w * 0.5, 0), (w * 1.05, h * 0.25), (w * 0.95, h * 0.5), (w * 0.34, h * 0.75), (w * 0.42, h)]
    elif style == 1:
        points = [(w * 0.4, 0), (w * 0.55, h * 0.4), (w * 0.72, h * 0.95), (w * 0.4, h * 1.25), (w * 0.5, h * 1.4)]
    else:
        points = [(w * 0.72, 0), (w * 0.78, h * 0.3), (w * 0.8, h * 0.7), (w * 0.86, h)]
    flutes = 20 if style == 2 else 0
    return [Part(lathe(vessel(smooth(points, 70), 0.5), segments=200 if flutes else 88, sides=0.025, lobes=flutes))]


def candle_holder(style: int, r: Rng) -> list[Part]:
    """A low holder with a candle in it: a cup, a dish with a ring, or a ball."""
    w, h = r.uniform(3.6, 4.6), r.uniform(5, 7)
    if style == 0:
        side = smooth([(w * 0.8, 0), (w, h * 0.3), (w * 0.95, h)], 40)
        return [Part(lathe(vessel(side, 0.4, 0.8))), Part(lathe(disc(w * 0.72, h * 0.62, 0.4)).moved(z=0.9), "wax")]
    if style == 1:
        dish = smooth([(w * 1.3, 0), (w * 1.5, 0.6), (w * 1.6, 1.5)], 24)
        ring = [(w * 1.5, 0, 0.7), (w * 2.3, 0, 1.8), (w * 2.2, 0, 3.6), (w * 1.4, 0, 2.9), (w * 1.25, 0, 1.4)]
        socket = lathe(vessel(smooth([(1.5, 0.4), (1.5, 3.2)], 12), 0.3))
        candle = lathe(disc(1.15, h * 2.4, 0.3)).moved(z=1.5)
        parts = [Part(lathe(vessel(dish, 0.35))), Part(socket), Part(tube(smooth(ring, 40), 0.35))]
        return [*parts, Part(candle, "wax")]
    ball = smooth([(w * 0.5, 0), (w * 1.1, w * 0.7), (w * 1.1, w * 1.2), (w * 0.45, w * 1.9)], 44)
    return [Part(lathe(solid(ball))), Part(lathe(disc(1.1, h * 2, 0.3)).moved(z=w * 1.7), "wax")]


def candlestick(style: int, r: Rng) -> list[Part]:
    """A tall candlestick: turned, slender, or with stacked beads; a taper candle stands in it."""
    h, w = r.uniform(17, 24), r.uniform(4.2, 5.2)
    if style == 2:
        n = 4
        beads: list[tuple[float, ...]] = [(w, 0), (w * 0.9, 1.2), (1.0, 2.2)]
        for k in range(n):
            z = 2.2 + (h - 3) * k / n
            beads += [(2.1, z + (h - 3) / n * 0.5), (0.8, z + (h - 3) / n)]
        points = [*beads, (1.7, h + 0.6)]
    elif style == 0:
        points = [(w, 0), (w * 0.92, 1.0), (1.1, 2.4), (1.9, h * 0.3), (0.9, h * 0.45), (0.8, h * 0.75), (1.9, h)]
    else:
        points = [(w * 1.1, 0), (w * 1.05, 0.5), (0.7, 1.4), (0.5, h * 0.5), (0.6, h * 0.92), (1.6, h * 1.06)]
    candle = lathe(disc(1.05, r.uniform(9, 14), 0.25)).moved(z=h * (1.04 if style == 1 else 1.0))
    return [Part(lathe(solid(smooth(points, 90)))), Part(candle, "wax")]


def _hand(angle: float, length: float, thick: float) -> Mesh:
    a = np.radians(angle)
    return rod((-0.12 * length * np.sin(a), 0, -0.12 * length * np.cos(a)),
               (length * np.sin(a), 0, length * np.cos(a)), thick)  # fmt: skip


def clock(style: int, r: Rng) -> list[Part]:
    """A wall clock facing -y: slim round, deep rim, or square; with marks and hands."""
    w = r.uniform(13, 17)
    if style == 2:
        face, depth = box(2 * w, 3.6, 2 * w, 1.4).moved(z=-w), 1.9
    elif style == 0:
        face, depth = lathe(disc(w, 3.0, 0.9)).turned("x", 90).moved(y=1.5), 1.6
    else:
        rim = vessel(smooth([(w * 0.96, 0), (w * 1.04, 1), (w, 4.2)], 24), w * 0.07, 1.4)
        face, depth = lathe(rim).turned("x", 90).moved(y=2.0), 0.6
    marks = []
    for k in range(12):
        inner = 0.76 if k % 3 == 0 else 0.82
        a = np.radians(30 * k)
        s, c = w * np.sin(a), w * np.cos(a)
        marks.append(rod((s * inner, -depth, c * inner), (s * 0.9, -depth, c * 0.9), 0.5 if k % 3 == 0 else 0.3))
    hour, minute = r.integers(8, 11) * 30.0 + 5, 50.0 + r.uniform(-8, 20)
    hands = [_hand(hour, w * 0.46, 0.55), _hand(minute, w * 0.68, 0.42)]
    hub = lathe(disc(1.0, 0.9, 0.3)).turned("x", 90)
    metal = join([m.moved(y=-depth - 0.3) for m in [*hands, hub]])
    trim = "brass" if style == 1 else "black"
    return [Part(face), Part(join(marks), trim), Part(metal, trim)]


def _border(w: float, h: float, thick: float, deep: float) -> list[Mesh]:
    return [box(w + 2 * thick, deep, thick, 0.35).moved(z=-h / 2 - thick),
            box(w + 2 * thick, deep, thick, 0.35).moved(z=h / 2),
            box(thick, deep, h + 0.4, 0.35).moved(x=-(w + thick) / 2, z=-h / 2 - 0.2),
            box(thick, deep, h + 0.4, 0.35).moved(x=(w + thick) / 2, z=-h / 2 - 0.2)]  # fmt: skip


def frame(style: int, r: Rng) -> list[Part]:
    """A picture frame on the wall with a print in it: portrait, square, or a broad landscape."""
    w = r.uniform(20, 26)
    h = w * (1.4, 1.0, 0.7)[style]
    thick = (1.8, 3.2, 2.4)[style]
    mount = box(w + 0.5, 0.6, h + 0.5, 0.1).moved(y=0.4, z=-h / 2 - 0.2)
    print_ = box(w * 0.62, 0.6, h * 0.62, 0.05).moved(y=0.2, z=-h * 0.31)
    return [Part(join(_border(w, h, thick, 2.6))), Part(mount, "white"), Part(print_, ("print", "art", "print")[style])]


def mirror(style: int, r: Rng) -> list[Part]:
    """A wall mirror: round, arched (tall with a round top), or rectangular."""
    w = r.uniform(22, 28)
    if style == 2:
        h = w * 1.5
        glass = box(w + 0.4, 0.6, h + 0.4, 0.05).moved(y=0.3, z=-h / 2 - 0.2)
        return [Part(join(_border(w, h, 2.0, 2.6))), Part(glass, "mirror")]
    rise = 0.0 if style == 0 else w * 0.9
    top = [(w * np.cos(a), 0.0, rise + w * np.sin(a)) for a in np.linspace(0, np.pi, 60)]
    low = [(w * np.cos(a), 0.0, -rise + w * np.sin(a)) for a in np.linspace(np.pi, 2 * np.pi, 60)]
    if style == 1:
        low = [(-w, 0.0, z) for z in np.linspace(rise, -rise, 20)] + [(x, 0.0, -rise) for x in np.linspace(-w, w, 30)]
        low += [(w, 0.0, z) for z in np.linspace(-rise, rise, 20)]
    path = np.array([*top, *low[1:], top[1]])
    pane = np.stack([path * np.array([k, 1, k]) + np.array([0, 0.2, 0]) for k in (0.0005, 0.5, 1.0)])
    return [Part(tube(path, 1.3)), Part(sheet(pane[::-1]), "mirror")]


def tray(style: int, r: Rng) -> list[Part]:
    """A tray: round with a rim, oblong with two handles, or a low rectangle."""
    w = r.uniform(15, 19)
    if style == 0:
        return [Part(lathe(vessel(smooth([(w * 0.94, 0), (w * 0.99, 0.5), (w, 3.2)], 30), 0.6, 0.8)))]
    d = w * (0.62, 0.75)[style - 1]
    bars = [box(2 * w, 1.0, 3.6, 0.4).moved(y=-d), box(2 * w, 1.0, 3.6, 0.4).moved(y=d)]
    bars += [box(1.0, 2 * d, 3.6, 0.4).moved(x=-w), box(1.0, 2 * d, 3.6, 0.4).moved(x=w), box(2 * w, 2 * d, 0.9, 0.3)]
    parts = [Part(join(bars))]
    if style == 1:
        for sign in (-1, 1):
            bow = [(sign * w, -5.0, 3.2), (sign * w, -4.2, 6.4), (sign * w, 4.2, 6.4), (sign * w, 5.0, 3.2)]
            parts.append(Part(tube(smooth(bow, 30), 0.55), "brass"))
    return parts


def leaves(r: Rng, reach: float, count: int, base: float) -> Mesh:
    """A tuft of bowed leaves growing from height `base` on the axis."""
    blades = []
    for k in range(count):
        turn, up = 360 * k / count + r.uniform(-20, 20), r.uniform(0.5, 1.2)
        t = np.linspace(0, 1, 16)
        out, high = reach * r.uniform(0.55, 1.0) * t**1.2, reach * up * (1.25 * t - 0.55 * t**2.4)
        wide = reach * 0.17 * np.sin(np.pi * np.clip(t * 0.96 + 0.03, 0, 1)) ** 0.8
        side = np.linspace(-1, 1, 7)
        points = np.stack(
            [np.repeat(out[:, None], 7, 1), wide[:, None] * side, high[:, None] - 0.1 * reach * 0.6 * side**2 + base],
            -1,
        )
        blades.append(sheet(points).turned("z", turn))
    return join(blades)


def planter(style: int, r: Rng) -> list[Part]:
    """A plant pot with a green plant in it: tapered, round, or on wooden legs."""
    w = r.uniform(8, 11)
    h = w * (1.5, 1.35, 1.3)[style]
    points = {
        0: [(w * 0.68, 0), (w * 0.8, h * 0.4), (w, h)],
        1: [(w * 0.6, 0), (w * 1.05, h * 0.35), (w * 1.05, h * 0.6), (w * 0.85, h)],
        2: [(w * 0.9, 0), (w, 1), (w, h)],
    }[style]
    lift = 9.0 if style == 2 else 0.0
    side = smooth(points, 40)
    parts = [Part(lathe(vessel(side, 0.6)).moved(z=lift)),
             Part(lathe(disc(at(side, h * 0.85) - 0.5, 1.0)).moved(z=h * 0.82 + lift), "soil"),
             Part(leaves(r, w * 1.5, 13, h * 0.85 + lift), "leaf")]  # fmt: skip
    for k in range(4 if style == 2 else 0):
        a = np.radians(45 + 90 * k)
        x, y = np.cos(a) * w * 0.85, np.sin(a) * w * 0.85
        parts.append(Part(rod((x, y, lift + 2), (x * 1.15, y * 1.15, 0), 1.0, 0.7), "oak"))
    return parts


def lantern(style: int, r: Rng) -> list[Part]:
    """A lantern: four posts with a roof, round with bars, or low and wide; a candle inside."""
    w, h = r.uniform(6.5, 8), r.uniform(19, 25) * (1, 1, 0.7)[style]
    parts = [Part(lathe(disc(2.4, h * 0.36, 0.4)).moved(z=1.5), "wax")]
    loop = [(-2.2, 0, 0), (-2.4, 0, 3.0), (0, 0, 4.6), (2.4, 0, 3.0), (2.2, 0, 0)]
    if style == 1:
        parts += [Part(lathe(disc(w, 1.4))), Part(lathe(disc(w, 1.4)).moved(z=h))]
        for k in range(10):
            a = np.radians(36 * k)
            x, y = 0.9 * w * np.cos(a), 0.9 * w * np.sin(a)
            parts.append(Part(rod((x, y, 0.8), (x, y, h + 0.6), 0.35)))
        return [*parts, Part(tube(smooth(loop, 40), 0.35).moved(z=h + 1.2))]
    parts += [Part(box(2 * w, 2 * w, 1.4)), Part(box(2 * w, 2 * w, 1.2).moved(z=h))]
    parts += [Part(box(1.1, 1.1, h).moved(x * w * 0.9, y * w * 0.9)) for x in (-1, 1) for y in (-1, 1)]
    roof = lathe([(w * 0.98, 0), (w * 0.3, w * 0.55), (0, w * 0.58)], segments=88)
    return [*parts, Part(roof.moved(z=h + 1.1)), Part(tube(smooth(loop, 40), 0.35).moved(z=h + 1.1 + w * 0.45))]


def _shade(low: float, high: float, z: float, h: float) -> Mesh:
    outside = np.linspace((low, z), (high, z + h), 12)
    return lathe(np.vstack([outside, outside[::-1] - np.array([0.3, 0.0])]))


def table_lamp(style: int, r: Rng) -> list[Part]:
    """A table lamp: turned ceramic foot with a tapered shade, slim stem with a drum, or a mushroom."""
    w, h = r.uniform(6.5, 8.5), r.uniform(20, 26)
    if style == 2:
        foot = smooth([(w * 0.9, 0), (w * 0.55, h * 0.25), (w * 0.4, h * 0.6), (w * 0.4, h * 0.8)], 40)
        cap = smooth(
            [(w * 1.75, h * 0.66), (w * 1.7, h * 0.8), (w * 1.2, h * 1.12), (w * 0.3, h * 1.28), (0.02, h * 1.3)], 50
        )
        return [Part(lathe(solid(foot))), Part(lathe(solid(cap)))]
    if style == 0:
        foot = smooth([(w * 0.6, 0), (w, h * 0.3), (w * 0.85, h * 0.55), (w * 0.3, h * 0.85), (1.0, h)], 56)
        return [Part(lathe(solid(foot))), Part(_shade(w * 1.65, w * 1.05, h * 0.98, h * 0.72), "shade")]
    base = lathe(disc(w * 0.95, 1.6, 0.5))
    stem = rod((0, 0, 1), (0, 0, h * 1.3), 0.8)
    return [Part(base), Part(stem), Part(_shade(w * 1.45, w * 1.45, h * 1.05, h * 0.6), "shade")]


def pendant_lamp(style: int, r: Rng) -> list[Part]:
    """A pendant lamp on a cord: dome, bell, or globe."""
    w = r.uniform(14, 19)
    h = w * (0.75, 1.1, 1.5)[style]
    points = {
        0: [(w, 0), (w * 0.96, h * 0.3), (w * 0.62, h * 0.78), (w * 0.14, h), (w * 0.1, h * 1.1)],
        1: [(w * 0.95, 0), (w * 0.6, h * 0.3), (w * 0.42, h * 0.75), (w * 0.14, h), (w * 0.1, h * 1.1)],
        2: [(w * 0.4, 0), (w * 0.9, h * 0.25), (w * 0.9, h * 0.6), (w * 0.2, h * 0.98), (w * 0.1, h * 1.05)],
    }[style]
    outside = smooth(points, 60)
    inside = (outside - np.array([0.4, 0.2]))[::-1]
    profile = np.vstack([outside, inside[5:]]) if style < 2 else solid(outside)
    cap = lathe(disc(w * 0.13, 3.0, 0.5)).moved(z=h * 1.04)
    return [Part(lathe(profile)), Part(cap, "brass"), Part(rod((0, 0, h), (0, 0, h + w * 1.4), 0.3), "cord")]
