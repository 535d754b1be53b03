"""Model the surroundings in a shopper's photo: tables, walls, books, fruit, plants, parcels."""

from __future__ import annotations

import numpy as np

from catalog.sample.generator.rendering.scenes import Camera, Surface, Thing
from catalog.sample.generator.shapes.decor import leaves
from catalog.sample.generator.shapes.materials import COLOURS, TILE, Look, texture
from catalog.sample.generator.shapes.meshes import Array, box, disc, lathe, sheet, smooth, solid
from catalog.sample.generator.shapes.tableware import Part, Rng

COVERS = ("red", "navy", "mustard", "forest", "ivory", "charcoal", "teal", "coral", "plum", "sky", "white", "chocolate")
FRUIT = ("red", "lemon", "sage", "coral", "mustard", "forest")
WALLS = ("white", "ivory", "sand", "sage", "sky", "blush", "grey", "teal", "navy", "terracotta", "charcoal", "lilac")


def _stone(rng: Rng) -> Array:
    """Polished stone or concrete, light or dark, with clouds and veins."""
    f = np.fft.fftfreq(TILE)
    radius = np.hypot(f[None, :], f[:, None]) + 1 / TILE
    clouds = np.fft.ifft2(np.fft.fft2(rng.standard_normal((TILE, TILE))) / radius**1.5).real
    clouds = clouds / clouds.std()
    veins = np.exp(-((clouds / 0.07) ** 2)) * rng.uniform(0, 0.5)
    tint = COLOURS[str(rng.choice(["white", "grey", "charcoal", "sand", "ivory"]))].linear
    return np.asarray(np.clip(tint * (1 + 0.12 * clouds - veins)[..., None], 0.01, 0.9))


def _planks(rng: Rng) -> Array:
    """A table or floor of boards, each a little different."""
    pixels, _ = texture(
        Look("wood", str(rng.choice(["oak", "walnut", "ash", "cherry", "ebony"]))), int(rng.integers(9999))
    )
    pixels = np.repeat(np.repeat(pixels, 2, axis=0), 2, axis=1)
    wide = pixels.shape[1] // 4
    for k in range(4):
        board = slice(k * wide, (k + 1) * wide)
        pixels[:, board] = np.roll(pixels[:, board], int(rng.integers(TILE)), axis=0) * rng.uniform(0.85, 1.1)
        pixels[:, k * wide : k * wide + 2] *= 0.45
    return np.clip(pixels, 0, 0.9)


def ground(size: float, rng: Rng) -> Surface:
    """The table or floor that things stand on: boards, stone or cloth."""
    kind = rng.choice(["planks", "planks", "stone", "cloth"])
    half = 14 * size
    points = np.array([[(x, y, 0.0) for x in (-half, half)] for y in (-half, half)])
    if kind == "planks":
        pixels, tiles, rough = _planks(rng), 16.0, rng.uniform(0.3, 0.6)
    elif kind == "stone":
        pixels, tiles, rough = _stone(rng), 12.0, rng.uniform(0.15, 0.7)
    else:
        colour = str(rng.choice(["ivory", "sand", "navy", "sage", "coral", "grey"]))
        look = Look("fabric", colour, str(rng.choice(["plain", "stripes", "checks"])), "white")
        pixels, tiles, rough = texture(look, 1)[0], 60.0, 1.0
    mesh = sheet(points).turned("z", rng.uniform(-25, 25))
    mesh = type(mesh)(mesh.positions, mesh.normals, mesh.uvs * tiles, mesh.faces, mesh.extent)
    return Surface(mesh, pixels, float(rough))


def paint(rng: Rng) -> Array:
    """A wall's paint, faintly uneven."""
    tint = COLOURS[str(rng.choice(WALLS))].linear
    rough = rng.standard_normal((8, 8))
    return np.asarray(np.clip(tint * (1 + 0.05 * np.kron(rough, np.ones((8, 8))))[..., None] * 0.9, 0.01, 0.85))


def _books(size: float, rng: Rng) -> Thing:
    parts, z = [], 0.0
    for _ in range(int(rng.integers(1, 4))):
        thick = size * rng.uniform(0.1, 0.2)
        book = box(size * rng.uniform(0.8, 1.0), size * rng.uniform(0.55, 0.7), thick, size * 0.015)
        parts.append(Part(book.turned("z", rng.uniform(-15, 15)).moved(z=z)))
        z += thick
    return Thing(tuple(parts), Look("lacquer", str(rng.choice(COVERS))), int(rng.integers(9999)))


def _fruit(size: float, rng: Rng) -> Thing:
    r = size * 0.3
    ball = lathe(solid(smooth([(0.01, 0), (r * 0.75, r * 0.3), (r, r), (r * 0.7, r * 1.7), (0.01, r * 1.8)], 40)))
    spots = [(0.0, 0.0), (2.0 * r, 0.5 * r), (0.9 * r, -1.8 * r)][: int(rng.integers(1, 4))]
    return Thing(tuple(Part(ball.moved(x, y)) for x, y in spots), Look("glazed", str(rng.choice(FRUIT))), 3)


def _plant(size: float, rng: Rng) -> Thing:
    tuft = leaves(rng, size * 0.55, int(rng.integers(8, 13)), 0.02 * size)
    return Thing((Part(tuft),), Look("matte", str(rng.choice(["forest", "olive", "sage"]))), 4)


def _parcel(size: float, rng: Rng) -> Thing:
    parts = (Part(box(size * 0.7, size * 0.5, size * rng.uniform(0.3, 0.6), size * 0.02)),)
    return Thing(parts, Look("painted", str(rng.choice(COVERS))), 5)


def _tin(size: float, rng: Rng) -> Thing:
    tin = lathe(disc(size * 0.25, size * rng.uniform(0.4, 0.8), size * 0.02))
    pattern = str(rng.choice(["plain", "stripes"]))
    return Thing((Part(tin),), Look("matte", str(rng.choice(COVERS)), pattern, "ivory"), 6)


_MAKERS = (_books, _books, _fruit, _plant, _parcel, _tin)


def clutter(points: Array, camera: Camera, view: str, rng: Rng, several: bool) -> list[Thing]:
    """Return things behind, next to and (mostly for single products) in front of the photo's subject."""
    low, high = points.min(axis=0), points.max(axis=0)
    middle, size = (low + high) / 2, float((high - low).max())
    things: list[Thing] = []
    if view == "hang":
        return things
    if view == "wall":
        board = box(size * 8, size * 0.6, size * 0.1, 0.01 * size).moved(y=-size * 0.25, z=low[2] - size * 0.12)
        things.append(Thing((Part(board),), Look("wood", str(rng.choice(["oak", "walnut", "ash"]))), 8))
    floor = low[2] - 0.02 * size if view == "wall" else 0.0
    toward = camera.origin - middle
    toward = np.array([toward[0], toward[1], 0.0]) / np.linalg.norm(toward[:2])
    across = np.array([-toward[1], toward[0], 0.0])
    half = float(np.abs((points - middle) @ across).max())
    deep = float(np.abs((points - middle) @ toward).max())
    for _ in range(int(rng.integers(0, 4))):
        maker, side = _MAKERS[int(rng.integers(len(_MAKERS)))], float(rng.choice([-1.0, 1.0]))
        thing = maker(size * rng.uniform(0.35, 0.8), rng).turned("z", rng.uniform(-180, 180))
        reach = side * (half + thing.size * rng.uniform(0.55, 1.0))
        place = middle + across * reach - toward * rng.uniform(-0.1, 0.6) * size
        place[1] = min(place[1], high[1] + 0.4 * size) if view != "wall" else -0.3 * size
        things.append(thing.moved(float(place[0]), float(place[1]), float(floor + 0.001)))
    if rng.random() < (0.15 if several else 0.4) and view != "wall":
        maker, side = _MAKERS[int(rng.integers(len(_MAKERS)))], float(rng.choice([-1.0, 1.0]))
        thing = maker(size * rng.uniform(0.25, 0.4), rng).turned("z", rng.uniform(-180, 180))
        place = middle + across * side * half * rng.uniform(0.75, 1.0) + toward * (deep + 0.65 * thing.size)
        things.append(thing.moved(float(place[0]), float(place[1]), 0.001))
    return things
