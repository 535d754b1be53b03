"""Plan shoppers' photos: known products at home, things the shop does not sell, several products together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from catalog.sample.generator.catalogue.plan import SEED, Item, items
from catalog.sample.generator.rendering.clutter import clutter, ground, paint
from catalog.sample.generator.rendering.scenes import (
    Camera,
    Light,
    Scene,
    Surface,
    Thing,
    direction,
    fitted,
    framed_points,
    project,
    stranger_thing,
    wall,
)
from catalog.sample.generator.shapes.materials import Look
from catalog.sample.generator.shapes.out_of_catalogue import STRANGERS
from catalog.sample.generator.shapes.tableware import Rng

PHOTOS, UNKNOWN, SCENES = 240, 60, 40
LIGHTS = ((1.0, 0.80, 0.56), (1.0, 0.92, 0.80), (1.0, 1.0, 1.0), (0.80, 0.90, 1.0))
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Photo:
    """One photo: what it shows (products, or a kind of thing that is not sold) and the seed that decides the rest."""

    name: str
    shown: tuple[Item, ...]
    stranger: str = ""
    seed: int = 0


@cache
def photos() -> tuple[Photo, ...]:
    """Return photos of one known product each, no product twice."""
    chosen = np.sort(np.random.default_rng([SEED, 1]).permutation(len(items()))[:PHOTOS])
    return tuple(Photo(f"p{k + 1:03}", (items()[i],), seed=1000 + k) for k, i in enumerate(chosen))


@cache
def unknown() -> tuple[Photo, ...]:
    """Return photos of things that the shop does not sell."""
    kinds = list(STRANGERS)
    return tuple(Photo(f"u{k + 1:02}", (), kinds[k % len(kinds)], 3000 + k) for k in range(UNKNOWN))


@cache
def scenes() -> tuple[Photo, ...]:
    """Return photos of two or three standing products of similar size, each from another family."""
    rng = np.random.default_rng([SEED, 2])
    standing = [item for item in items() if item.family.view == "stand"]
    sizes = {item.id: max(item.measures) for item in standing}
    found = []
    for k in range(SCENES):
        first = standing[int(rng.integers(len(standing)))]
        shown = [first]
        for index in rng.permutation(len(standing)):
            other = standing[index]
            similar = 0.55 < sizes[other.id] / sizes[first.id] < 1.8
            if similar and other.family.key not in [item.family.key for item in shown]:
                shown.append(other)
            if len(shown) == 2 + k % 2:
                break
        found.append(Photo(f"s{k + 1:02}", tuple(shown), seed=5000 + k))
    return tuple(found)


def _stranger(photo: Photo, rng: Rng) -> Thing:
    looks = STRANGERS[photo.stranger][1]
    look: Look = looks[int(rng.integers(len(looks)))]
    return stranger_thing(photo.stranger, look, photo.seed).turned("z", rng.uniform(-50, 50))


def _row(photo: Photo, rng: Rng) -> list[Thing]:
    """The products side by side on the table."""
    found: list[Thing] = []
    edge = 0.0
    for item in photo.shown:
        thing = item.thing.turned("z", rng.uniform(-25, 25))
        low, high = thing.points.min(axis=0), thing.points.max(axis=0)
        found.append(thing.moved(x=edge - low[0], y=rng.uniform(-0.15, 0.15) * thing.size))
        edge += high[0] - low[0] + rng.uniform(0.08, 0.3) * thing.size
    return found


def _camera(points: np.ndarray, view: str, rng: Rng, several: bool) -> Camera:
    spans = {"stand": (50, 10, 38), "flat": (60, 30, 62), "wall": (36, -6, 22), "hang": (50, -18, 20)}
    turn, low, high = spans[view]
    toward = direction(rng.uniform(-turn, turn) * (0.5 if several else 1), rng.uniform(low, high))
    fov = rng.uniform(32, 52)
    camera = fitted(points, toward, fov, rng.uniform(0.52, 0.82) + 0.1 * several, rng.uniform(-6, 6))
    if several:
        return camera
    distance = float(np.linalg.norm(camera.origin - camera.target))
    reach = 0.12 * distance * np.tan(np.radians(fov / 2))
    shift = np.array([rng.uniform(-reach, reach), 0.0, rng.uniform(-reach, reach)])
    return Camera(camera.origin + shift, camera.target + shift, fov, camera.roll)


def _lights(
    middle: np.ndarray, size: float, camera: Camera, rng: Rng
) -> tuple[tuple[Light, ...], tuple[float, float, float]]:
    """Return a window on one side, sometimes a lamp, and the light of the room."""
    tint = np.array(LIGHTS[int(rng.integers(len(LIGHTS)))])
    # The window is to a side of the camera: to the other one when the camera is far out on one side.
    leaning = float(camera.origin[0] - middle[0]) / size
    side = -float(np.sign(leaning)) if abs(leaning) > 0.6 else float(rng.choice([-1.0, 1.0]))
    place = middle + size * np.array([side * rng.uniform(1.6, 3.2), rng.uniform(-2.6, 0.4), rng.uniform(1.4, 3.2)])
    half = rng.uniform(0.35, 1.1) * size
    power = rng.uniform(9, 15) * (size / half) ** 2 * 0.9
    lights = [Light(place, middle, half, _three(tint * power))]
    if rng.random() < 0.3:
        lamp = np.array(LIGHTS[0])
        over = middle + size * np.array([-side * 1.5, -1.0, 2.6])
        lights.append(Light(over, middle, 0.4 * size, _three(lamp * 28)))
    room = (0.55 + 0.45 * tint[::-1]) * rng.uniform(0.25, 0.6)
    return tuple(lights), _three(room)


def _three(values: np.ndarray) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])


def _stage(view: str, points: np.ndarray, size: float, rng: Rng) -> list[Surface]:
    back = float(points[:, 1].max())
    if view == "wall":
        return [wall(size, paint(rng), back + 0.015 * size, 0.8)]
    behind = wall(size, paint(rng), back + rng.uniform(0.5, 1.6) * size, 0.8)
    return [behind] if view == "hang" else [behind, ground(size, rng)]


def photo_scene(photo: Photo) -> tuple[Scene, list[Box]]:
    """Return the photo as a scene, and the box of each product as fractions: left, top, right, bottom."""
    rng = np.random.default_rng([SEED, photo.seed])
    view = photo.shown[0].family.view if len(photo.shown) == 1 else "stand"
    if photo.stranger:
        things = [_stranger(photo, rng)]
    elif len(photo.shown) == 1:
        turn = rng.uniform(-30, 30) if view in ("stand", "flat") else 0.0
        things = [photo.shown[0].thing.turned("z", turn)]
    else:
        things = _row(photo, rng)
    points = np.vstack([framed_points(thing, view) for thing in things])
    size = float(np.ptp(points, axis=0).max())
    camera = _camera(points, view, rng, len(things) > 1)
    lights, sky = _lights((points.min(axis=0) + points.max(axis=0)) / 2, size, camera, rng)
    others = clutter(points, camera, view, rng, len(things) > 1)
    stage = _stage(view, points, size, rng)
    scene = Scene((*things, *others), tuple(stage), lights, sky, camera, rng.uniform(0.8, 1.2))
    return scene, [_box(framed_points(thing, view), camera) for thing in things]


def _box(points: np.ndarray, camera: Camera) -> Box:
    seen = np.clip(project(points, camera), 0, 1)
    left, top = seen.min(axis=0)
    right, bottom = seen.max(axis=0)
    return round(float(left), 4), round(float(top), 4), round(float(right), 4), round(float(bottom), 4)
