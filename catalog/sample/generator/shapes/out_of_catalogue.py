"""Shapes that the sample shop does not sell: for photos whose right answer is "we have nothing like that"."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from catalog.sample.generator.shapes.materials import Look
from catalog.sample.generator.shapes.meshes import box, disc, join, lathe, rod, smooth, solid, tube
from catalog.sample.generator.shapes.tableware import Part, Rng


def pawn(r: Rng) -> list[Part]:
    """A chess pawn."""
    points = [
        (3.2, 0),
        (3.3, 0.9),
        (2.2, 1.8),
        (1.2, 4),
        (1.0, 5.4),
        (1.9, 6.2),
        (1.0, 6.6),
        (1.9, 8),
        (1.2, 9.6),
        (0.02, 9.9),
    ]
    return [Part(lathe(solid(smooth(points, 90))))]


def skittle(r: Rng) -> list[Part]:
    """A bowling pin."""
    points = [(2.6, 0), (5.6, 9), (5.7, 13), (2.4, 24), (3.0, 30), (3.0, 33), (1.8, 36.5), (0.02, 37.5)]
    return [Part(lathe(solid(smooth(points, 80)))), Part(lathe(disc(2.65, 1.4, 0.3)).moved(z=23.6), "black")]


def dumbbell(r: Rng) -> list[Part]:
    """A dumbbell lying on the floor."""
    plate = [lathe(disc(w, 3.2, 0.8)).turned("y", 90).moved(x=x) for w, x in ((7, 6), (5.6, 9.4), (7, -9), (5.6, -12))]
    return [Part(join(plate).moved(z=7)), Part(rod((-15, 0, 7), (15, 0, 7), 1.5), "steel")]


def hourglass(r: Rng) -> list[Part]:
    """An hourglass."""
    glass = smooth([(3.2, 2), (5.2, 6), (3.2, 11), (0.8, 13.5), (3.2, 16), (5.2, 21), (3.2, 25)], 80)
    posts = [rod((6 * np.cos(a), 6 * np.sin(a), 1), (6 * np.cos(a), 6 * np.sin(a), 26), 0.6) for a in (0.5, 2.6, 4.7)]
    ends = join([lathe(disc(7.4, 2, 0.6)), lathe(disc(7.4, 2, 0.6)).moved(z=25)])
    sand = lathe(solid(smooth([(4.4, 3), (4.4, 5), (0.6, 9)], 20)))
    return [Part(join([ends, *posts])), Part(lathe(solid(glass)), "glass"), Part(sand, "rope")]


def bell(r: Rng) -> list[Part]:
    """A hand bell."""
    points = [(7, 0), (6.2, 1.4), (4.6, 6), (3.6, 9.4), (1.6, 11.2), (0.7, 11.6)]
    grip = lathe(solid(smooth([(0.8, 11.2), (1.4, 14), (1.1, 17), (1.7, 19.5), (0.02, 20.6)], 50)))
    return [Part(lathe(solid(smooth(points, 70)))), Part(grip, "walnut")]


def cone(r: Rng) -> list[Part]:
    """A traffic cone."""
    body = lathe([(12, 2), (2.2, 42), (0, 42)])
    bands = [lathe([(12.1 - 0.245 * (z - 2), z), (12.1 - 0.245 * (z + 4), z + 6)]) for z in (14.0, 27.0)]
    return [Part(join([body, box(32, 32, 2.4, 0.8)])), Part(join(bands), "white")]


def die(r: Rng) -> list[Part]:
    """A big die."""
    dots = []
    for x, z in ((-3, 3), (3, 3), (0, 0), (-3, -3), (3, -3)):
        dots.append(lathe(disc(1.1, 0.5, 0.2)).turned("x", 90).moved(x=x, y=-7.3, z=7.5 + z))
    for x, y in ((-3, -3), (0, 0), (3, 3)):
        dots.append(lathe(disc(1.1, 0.5, 0.2)).moved(x=x, y=y, z=14.8))
    return [Part(box(15, 15, 15, 2)), Part(join(dots), "white")]


def top(r: Rng) -> list[Part]:
    """A spinning top on its point, leaning."""
    points = [(0.3, 0), (1.2, 1.6), (5.8, 5.4), (6.4, 7), (5.6, 8), (1.6, 8.8), (0.8, 10), (0.7, 13), (0.02, 13.3)]
    return [Part(lathe(solid(smooth(points, 80))).turned("x", 16))]


def rings(r: Rng) -> list[Part]:
    """A child's tower of stacking rings."""
    found, names = [], ("", "oak", "")
    for k, w in enumerate((7.5, 6.6, 5.7, 4.8, 3.9)):
        a = np.linspace(0, 2 * np.pi, 70)
        ring = tube(np.stack([w * 0.72 * np.cos(a), w * 0.72 * np.sin(a), 0 * a + 2.2 + 3.7 * k], -1), 2.0, segments=24)
        found.append(Part(ring, names[k % 2]))
    ball = lathe(solid(smooth([(0.3, 19.5), (2.6, 22), (0.02, 24.6)], 30)))
    return [*found, Part(lathe(disc(8, 1.2, 0.5))), Part(ball, "brass")]


def birdhouse(r: Rng) -> list[Part]:
    """A bird house on a post."""
    roof = [box(19, 20, 1.4, 0.4).turned("y", s * 38).moved(x=s * 6.2, z=47.5 - 0.5) for s in (-1, 1)]
    hole = lathe(disc(2.6, 0.6, 0.1)).turned("x", 90).moved(y=-7.4, z=37)
    gable = box(11, 13.6, 10, 0.3).turned("y", 45).moved(z=40)
    return [Part(join([box(15, 15, 18, 0.4).moved(z=28), gable])), Part(join(roof), "walnut"),
            Part(hole, "black"), Part(rod((0, 0, 0), (0, 0, 29), 1.8), "oak")]  # fmt: skip


def trophy(r: Rng) -> list[Part]:
    """A cup that was won."""
    cup = smooth([(0.9, 8), (1.2, 11), (5.4, 15), (6.4, 20), (6.8, 25)], 60)
    ears = []
    for s in (-1, 1):
        ear = [(s * 6.3, 0, 23.5), (s * 10.5, 0, 23), (s * 10, 0, 18), (s * 5.2, 0, 15.5)]
        ears.append(tube(smooth(ear, 40), 0.5))
    foot = lathe(solid(smooth([(4.4, 5), (3, 6.2), (0.9, 8.2)], 24)))
    return [Part(join([lathe(solid(cup)), foot, *ears])), Part(box(11, 11, 5, 0.5), "black")]


def ladder(r: Rng) -> list[Part]:
    """A folding step ladder."""
    found = []
    for s in (-1, 1):
        found += [rod((s * 20, -26, 0), (s * 15, 0, 100), 1.7), rod((s * 20, 26, 0), (s * 15, 2, 100), 1.5)]
    steps = [box(40 - 2.0 * k, 11, 2.2, 0.5).moved(y=-26 + 5.2 * (k + 1) * 1.0, z=20 * (k + 1)) for k in range(4)]
    return [Part(join([*found, *steps])), Part(box(36, 18, 3, 0.8).moved(z=100))]


STRANGERS: dict[str, tuple[Callable[[Rng], list[Part]], tuple[Look, ...]]] = {
    "pawn": (pawn, (Look("wood", "ebony"), Look("wood", "ash"), Look("glazed", "red"))),
    "skittle": (skittle, (Look("glazed", "white"), Look("painted", "red"), Look("wood", "oak"))),
    "dumbbell": (dumbbell, (Look("lacquer", "black"), Look("matte", "coral"), Look("matte", "teal"))),
    "hourglass": (hourglass, (Look("wood", "walnut"), Look("metal", "brass"), Look("painted", "navy"))),
    "bell": (bell, (Look("metal", "brass"), Look("metal", "copper"), Look("metal", "steel"))),
    "cone": (cone, (Look("matte", "coral"), Look("matte", "red"), Look("matte", "lemon"))),
    "die": (die, (Look("glazed", "red"), Look("glazed", "navy"), Look("painted", "black"))),
    "top": (top, (Look("painted", "red"), Look("wood", "oak"), Look("matte", "cobalt", "stripes", "white"))),
    "rings": (rings, (Look("painted", "red"), Look("painted", "sky"), Look("painted", "mustard"))),
    "birdhouse": (birdhouse, (Look("wood", "ash"), Look("painted", "sky"), Look("painted", "red"))),
    "trophy": (trophy, (Look("metal", "brass"), Look("metal", "steel"), Look("metal", "copper"))),
    "ladder": (ladder, (Look("wood", "oak"), Look("metal", "steel"), Look("painted", "red"))),
}
