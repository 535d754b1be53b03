"""What a picture shows, as plain records: things on a stage, a camera and lights. Needs no renderer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from catalog.sample.generator.shapes.families import FAMILIES
from catalog.sample.generator.shapes.materials import Look
from catalog.sample.generator.shapes.meshes import Array, Mesh, sheet
from catalog.sample.generator.shapes.out_of_catalogue import STRANGERS
from catalog.sample.generator.shapes.tableware import Part

Colour3 = tuple[float, float, float]


@dataclass(frozen=True)
class Thing:
    """A product (or clutter) as placed: its parts, its look, and the seed of its texture."""

    parts: tuple[Part, ...]
    look: Look
    seed: int = 0

    @property
    def points(self) -> Array:
        """All its vertices."""
        return np.vstack([part.mesh.positions for part in self.parts])

    @property
    def size(self) -> float:
        """Its largest measure in centimetres."""
        return float(np.ptp(self.points, axis=0).max())

    def moved(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Thing:
        """The same thing, elsewhere."""
        return replace(self, parts=tuple(Part(p.mesh.moved(x, y, z), p.trim) for p in self.parts))

    def turned(self, axis: str, degrees: float) -> Thing:
        """The same thing, turned about an axis through the origin."""
        return replace(self, parts=tuple(Part(p.mesh.turned(axis, degrees), p.trim) for p in self.parts))

    def scaled(self, factor: float) -> Thing:
        """The same thing, larger or smaller."""
        return replace(self, parts=tuple(Part(p.mesh.scaled(factor), p.trim) for p in self.parts))


@dataclass(frozen=True)
class Surface:
    """A piece of the stage: a mesh with a look of its own, tinted."""

    mesh: Mesh
    texture: Array
    roughness: float = 0.9


@dataclass(frozen=True)
class Light:
    """A square soft box: where it is, where it points, half its width, and its radiance."""

    origin: Array
    target: Array
    half: float
    radiance: Colour3


@dataclass(frozen=True)
class Camera:
    """Where the picture is taken from; `roll` tilts it by degrees."""

    origin: Array
    target: Array
    fov: float
    roll: float = 0.0


@dataclass(frozen=True)
class Scene:
    """One picture to be taken."""

    things: tuple[Thing, ...]
    stage: tuple[Surface, ...]
    lights: tuple[Light, ...]
    sky: Colour3
    camera: Camera
    exposure: float = 1.0


def product_thing(family: str, style: int, shape_seed: int, look: Look, seed: int) -> Thing:
    """A product of the shop, standing on z = 0 (wall things: centred on the origin, facing -y)."""
    parts = FAMILIES[family].build(style, np.random.default_rng([shape_seed, style]))
    return _grounded(Thing(tuple(parts), look, seed), FAMILIES[family].view)


def stranger_thing(kind: str, look: Look, seed: int) -> Thing:
    """A thing that the shop does not sell."""
    return _grounded(Thing(tuple(STRANGERS[kind][0](np.random.default_rng(seed))), look, seed), "stand")


def _grounded(thing: Thing, view: str) -> Thing:
    low, high = thing.points.min(axis=0), thing.points.max(axis=0)
    middle = (low + high) / 2
    return thing.moved(-middle[0], -middle[1], -middle[2] if view == "wall" else -low[2])


def direction(azimuth: float, elevation: float) -> Array:
    """The unit vector from a thing to the camera; azimuth 0 is in front (-y), positive to the right."""
    a, e = np.radians(azimuth), np.radians(elevation)
    return np.array([np.sin(a) * np.cos(e), -np.cos(a) * np.cos(e), np.sin(e)])


def axes(camera: Camera) -> Array:
    """The camera's right, up and forward as rows."""
    forward = camera.target - camera.origin
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right = right / np.linalg.norm(right)
    up = np.cross(right, forward)
    a = np.radians(camera.roll)
    return np.array([right * np.cos(a) + up * np.sin(a), up * np.cos(a) - right * np.sin(a), forward])


def project(points: Array, camera: Camera) -> Array:
    """Where points fall in the square picture, as fractions from its left and top."""
    view = (points - camera.origin) @ axes(camera).T
    flat = view[:, :2] / np.maximum(view[:, 2:], 1e-6) / np.tan(np.radians(camera.fov / 2))
    return np.stack([0.5 + flat[:, 0] / 2, 0.5 - flat[:, 1] / 2], axis=1)


def fitted(points: Array, toward: Array, fov: float, fill: float, roll: float = 0.0) -> Camera:
    """A camera in that direction whose picture the points fill to the given fraction, in the middle."""
    target = (points.min(axis=0) + points.max(axis=0)) / 2
    distance = float(np.ptp(points, axis=0).max()) / np.tan(np.radians(fov / 2))
    for _ in range(12):
        camera = Camera(target + toward * distance, target, fov, roll)
        seen = project(points, camera)
        low, high = seen.min(axis=0), seen.max(axis=0)
        shift = ((low + high) / 2 - 0.5) * 2 * np.tan(np.radians(fov / 2)) * distance
        right, up, _forward = axes(camera)
        target = target + right * shift[0] - up * shift[1]
        distance *= float((high - low).max()) / fill
    return Camera(target + toward * distance, target, fov, roll)


def sweep(size: float, texture: Array, roughness: float = 0.95, behind: float = 1.5) -> Surface:
    """A studio's seamless paper: floor, bend and back in one."""
    back, bend = behind * size, 1.6 * size
    turn = np.linspace(0, np.pi / 2, 24)
    line = [
        (-14 * size, 0.0),
        *[(back + bend * np.sin(a), bend * (1 - np.cos(a))) for a in turn],
        (back + bend, 16 * size),
    ]
    points = np.array([[(x, y, z) for x in (-16 * size, 0.0, 16 * size)] for y, z in line])
    return Surface(sheet(points, (32 * size, 32 * size)), texture, roughness)


def wall(size: float, texture: Array, y: float, roughness: float = 0.95) -> Surface:
    """A wall facing the camera at depth y."""
    points = np.array([[(x, y, z) for x in (-16 * size, 16 * size)] for z in (-16 * size, 16 * size)])
    return Surface(sheet(points[::-1], (32 * size, 32 * size)), texture, roughness)


def flat_texture(rgb: Sequence[float]) -> Array:
    """A texture of one linear colour."""
    return np.broadcast_to(np.asarray(rgb, dtype=float), (4, 4, 3)).copy()


VIEWS: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "stand": ((0.0, 9.0), (36.0, 26.0)),
    "flat": ((0.0, 48.0), (32.0, 30.0)),
    "wall": ((0.0, 2.0), (30.0, 10.0)),
    "hang": ((0.0, -4.0), (30.0, 14.0)),
}


def studio(thing: Thing, view: str, angle: int, paper: Colour3) -> Scene:
    """A shop's studio picture: angle 0 from the front, 1 three-quarter."""
    size = thing.size
    azimuth, elevation = VIEWS[view][angle]
    camera = fitted(framed_points(thing, view), direction(azimuth, elevation), 22.0, 0.78)
    middle = (thing.points.min(axis=0) + thing.points.max(axis=0)) / 2
    key = Light(middle + size * np.array([-2.4, -1.9, 2.6]), middle, 1.25 * size, (6.2, 6.0, 5.75))
    over = Light(middle + size * np.array([0.4, 1.1, 3.0]), middle, 0.9 * size, (2.4, 2.4, 2.4))
    back = float(thing.points[:, 1].max())
    texture = flat_texture(paper)
    stage = wall(size, texture, back + 0.02 * size) if view == "wall" else sweep(size, texture)
    if view == "hang":
        stage = wall(size, texture, back + 0.9 * size)
    return Scene((thing,), (stage,), (key, over), (0.5, 0.51, 0.53), camera)


def framed_points(thing: Thing, view: str) -> Array:
    """The points that the picture should hold: all, but only a little of a hanging lamp's cord."""
    if view != "hang":
        return thing.points
    shade = thing.parts[0].mesh.positions
    top = shade[:, 2].max() + 0.25 * np.ptp(shade[:, 2])
    points = thing.points
    return np.asarray(points[points[:, 2] <= top])
