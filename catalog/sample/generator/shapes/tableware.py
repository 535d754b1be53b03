"""Shapes for the table and the kitchen. Every builder takes a style (0, 1, 2) and a generator for its measures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catalog.sample.generator.shapes.meshes import Array, Mesh, box, disc, lathe, rod, smooth, solid, tube, vessel

Rng = np.random.Generator


@dataclass(frozen=True)
class Part:
    """One piece of a product; `trim` names what it is made of where that is not the product's own look."""

    mesh: Mesh
    trim: str = ""


def handle(x: float, low: float, high: float, reach: float, thick: float) -> Mesh:
    """A loop handle at radius x on the right, from height `high` down to `low`."""
    rise = high - low
    points = [(x - 0.3, 0, high), (x + reach * 0.75, 0, high - rise * 0.05), (x + reach, 0, high - rise * 0.42),
              (x + reach * 0.6, 0, low + rise * 0.12), (x - 0.3, 0, low)]  # fmt: skip
    return tube(smooth(points, 36), thick, flat=1.35)


def knob(radius: float, height: float) -> Mesh:
    """A small round knob standing on z = 0."""
    return lathe(solid(smooth([(radius * 0.55, 0), (radius * 0.5, height * 0.3), (radius, height * 0.7),
                               (radius * 0.6, height), (0.02, height * 1.02)], 30)))  # fmt: skip


def at(profile: Array, z: float) -> float:
    """The profile's radius at a height."""
    order = np.argsort(profile[:, 1])
    return float(np.interp(z, profile[order, 1], profile[order, 0]))


def mug(style: int, r: Rng) -> list[Part]:
    """A mug: straight, rounded belly, or tapering."""
    h, w = r.uniform(8.5, 11), r.uniform(3.9, 4.6)
    points = {
        0: [(w * 0.9, 0), (w, 0.6), (w, h * 0.5), (w, h)],
        1: [(w * 0.6, 0), (w * 1.12, h * 0.25), (w * 1.12, h * 0.55), (w * 0.88, h)],
        2: [(w * 0.66, 0), (w * 0.78, h * 0.3), (w * 0.96, h * 0.7), (w * 1.15, h)],
    }[style]
    side = smooth(points, 50)
    low, high = h * (0.2 if style != 2 else 0.28), h * 0.84
    x = (at(side, low) + at(side, high)) / 2
    grip = handle(min(at(side, low), at(side, high)) if style == 2 else x, low, high, r.uniform(2.4, 3.2), 0.5)
    return [Part(lathe(vessel(side, 0.38))), Part(grip)]


def tumbler(style: int, r: Rng) -> list[Part]:
    """A drinking glass: straight, flared, or stemmed."""
    h, w = r.uniform(9, 13), r.uniform(3.4, 4.1)
    if style == 2:
        stem = h * 0.55
        cup = smooth([(0.45, stem), (w * 0.75, stem + h * 0.12), (w * 1.05, stem + h * 0.38), (w * 0.85, h * 1.5)], 46)
        foot = smooth([(w * 0.95, 0), (w * 0.85, 0.25), (0.7, 0.7), (0.4, stem * 0.5), (0.5, stem + 0.3)], 40)
        return [Part(lathe(vessel(cup, 0.22, 0.5))), Part(lathe(solid(foot)))]
    points = [(w * 0.92, 0), (w, 0.5), (w, h)] if style == 0 else [(w * 0.7, 0), (w * 0.75, h * 0.3), (w * 1.2, h)]
    return [Part(lathe(vessel(smooth(points, 46), 0.28, 1.0), sides=0.02 * (style == 1), lobes=16 * (style == 1)))]


def bowl(style: int, r: Rng) -> list[Part]:
    """A bowl: deep and round, wide and shallow, or on a foot."""
    w, h = r.uniform(8, 12), r.uniform(6, 8)
    if style == 0:
        points = [(w * 0.4, 0), (w * 0.75, h * 0.25), (w * 0.96, h * 0.65), (w, h)]
    elif style == 1:
        points = [(w * 0.5, 0), (w * 0.9, h * 0.14), (w * 1.25, h * 0.36), (w * 1.45, h * 0.62)]
    else:
        points = [(w * 0.5, 0), (w * 0.36, h * 0.22), (w * 0.42, h * 0.34), (w * 0.85, h * 0.6), (w * 0.98, h * 1.1)]
    return [Part(lathe(vessel(smooth(points, 54), 0.45, 0.6 if style < 2 else h * 0.42)))]


def plate(style: int, r: Rng) -> list[Part]:
    """A plate: coupe, with a broad rim, or scalloped."""
    w = r.uniform(11, 14)
    if style == 1:
        points = [(w * 0.58, 0), (w * 0.66, 1.4), (w * 0.74, 1.9), (w, 2.4)]
    else:
        points = [(w * 0.6, 0), (w * 0.8, 0.7), (w * 0.95, 1.7), (w, 2.6)]
    profile = vessel(smooth(points, 40), 0.42, 0.45)
    return [Part(lathe(profile, segments=150, sides=0.03, lobes=14) if style == 2 else lathe(profile))]


def teapot(style: int, r: Rng) -> list[Part]:
    """A teapot: round, tall, or low and wide, with spout, handle and lid."""
    w = r.uniform(7, 8.2)
    h = w * (1.5, 1.95, 1.1)[style]
    side = smooth([(w * 0.6, 0), (w * 0.98, h * 0.25), (w, h * 0.5), (w * 0.75, h * 0.85), (w * 0.5, h)], 60)
    lid = smooth([(w * 0.52, h - 0.1), (w * 0.45, h + 0.5), (w * 0.25, h + 1.0), (0.02, h + 1.2)], 30)
    x = at(side, h * 0.35)
    path = smooth(
        [(-x + 0.6, 0, h * 0.3), (-x - 2.2, 0, h * 0.42), (-x - 3.4, 0, h * 0.72), (-x - 4.8, 0, h * 0.9)], 30
    )
    spout = tube(path, np.linspace(1.7, 0.75, 30))
    if style == 2:
        top = h + w * 0.95
        bow = smooth([(-w * 0.75, 0, h * 0.8), (-w * 0.7, 0, top * 0.9), (0, 0, top), (w * 0.7, 0, top * 0.9),
                      (w * 0.75, 0, h * 0.8)], 44)  # fmt: skip
        grip = Part(tube(bow, 0.5), "oak")
    else:
        grip = Part(handle(at(side, h * 0.3) - 0.4, h * 0.22, h * 0.86, w * 0.62, 0.6))
    parts = [Part(lathe(solid(side))), Part(lathe(solid(lid))), Part(knob(0.95, 1.6).moved(z=h + 1.0)), Part(spout)]
    return [*parts, grip]


def jug(style: int, r: Rng) -> list[Part]:
    """A jug with a lip: belly, straight or slender."""
    w, h = r.uniform(5.4, 6.4), r.uniform(16, 21)
    points = {
        0: [(w * 0.7, 0), (w * 1.15, h * 0.3), (w * 0.95, h * 0.62), (w * 0.6, h * 0.82), (w * 0.75, h)],
        1: [(w * 0.95, 0), (w, h * 0.1), (w * 0.88, h * 0.6), (w * 0.82, h * 0.9), (w * 0.86, h)],
        2: [(w * 0.5, 0), (w * 0.85, h * 0.3), (w * 0.6, h * 0.75), (w * 0.45, h), (w * 0.6, h * 1.25)],
    }[style]
    side = smooth(points, 60)
    body = lathe(vessel(side, 0.4))
    top = float(side[-1, 1])
    p = body.positions.copy()
    pull = np.clip((p[:, 2] - top * 0.8) / (top * 0.2), 0, 1.2) ** 2
    facing = np.clip(-p[:, 0] / np.maximum(np.hypot(p[:, 0], p[:, 1]), 1e-6), 0, 1) ** 6
    p[:, 0] -= 0.42 * w * pull * facing
    body = Mesh(p, body.normals, body.uvs, body.faces, body.extent)
    low, high = top * 0.3, top * 0.86
    return [Part(body), Part(handle(at(side, high), low, high, w * 0.75, 0.55))]


def bottle(style: int, r: Rng) -> list[Part]:
    """A bottle or carafe: shouldered, teardrop, or square-shouldered with a stopper."""
    w, h = r.uniform(4.2, 5.2), r.uniform(23, 29)
    points = {
        0: [(w * 0.95, 0), (w, 1), (w, h * 0.55), (w * 0.45, h * 0.72), (w * 0.32, h * 0.85), (w * 0.36, h)],
        1: [(w * 0.9, 0), (w * 1.45, h * 0.14), (w * 1.0, h * 0.4), (w * 0.4, h * 0.68), (w * 0.52, h)],
        2: [(w * 1.1, 0), (w * 1.15, 1), (w * 1.12, h * 0.52), (w * 0.9, h * 0.6), (w * 0.34, h * 0.66),
            (w * 0.34, h * 0.82)],
    }[style]  # fmt: skip
    parts = [Part(lathe(vessel(smooth(points, 70), 0.3, 0.8)))]
    if style == 2:
        parts.append(Part(lathe(disc(w * 0.42, 2.2, 0.5)).moved(z=h * 0.82), "oak"))
    return parts


def pan(style: int, r: Rng) -> list[Part]:
    """A pan with a long handle: frying pan, saucepan, or deep skillet with a wooden handle."""
    w, h = r.uniform(11, 13.5), (4.2, 9.5, 6.0)[style]
    w = w * (0.72 if style == 1 else 1)
    side = smooth([(w * 0.82, 0), (w * 0.92, h * 0.2), (w * 0.97, h * 0.6), (w, h)], 40)
    z = h * 0.78
    path = smooth([(w - 0.4, 0, z), (w + 4, 0, z + 1.0), (w + 11, 0, z + 2.0), (w + 17, 0, z + 1.8)], 30)
    grip = tube(path, np.linspace(0.75, 1.05, 30), flat=1.4)
    return [Part(lathe(vessel(side, 0.4))), Part(grip, ("black", "", "oak")[style])]


def casserole(style: int, r: Rng) -> list[Part]:
    """A casserole with two ears and a lid: tall, low, or rounded."""
    w = r.uniform(10, 12)
    h = w * (1.0, 0.62, 0.85)[style]
    side = smooth([(w * 0.86, 0), (w * (0.95, 0.95, 1.08)[style], h * 0.3), (w, h * 0.9), (w, h)], 46)
    dome = (1.6, 1.2, 3.0)[style]
    lid = smooth([(w * 1.03, h), (w * 1.03, h + 0.5), (w * 0.7, h + dome * 0.8), (0.02, h + dome)], 40)
    ears = []
    for sign in (-1, 1):
        z = h * 0.72
        points = [(sign * (w - 0.4), -2.6, z), (sign * (w + 2.0), -1.9, z + 0.3), (sign * (w + 2.0), 1.9, z + 0.3),
                  (sign * (w - 0.4), 2.6, z)]  # fmt: skip
        ears.append(Part(tube(smooth(points, 30), 0.6)))
    top = Part(knob(1.5, 2.4).moved(z=h + dome - 0.3), ("brass", "", "steel")[style])
    return [Part(lathe(solid(side))), Part(lathe(solid(lid))), *ears, top]


def canister(style: int, r: Rng) -> list[Part]:
    """A storage jar: cylinder with a wooden lid, rounded with a knob, or squat."""
    w = r.uniform(4.6, 5.6)
    h = w * (2.7, 2.1, 1.5)[style]
    side = smooth([(w * 0.9, 0), (w * (1, 1.18, 1.1)[style], h * 0.35), (w, h * 0.85), (w * 0.92, h)], 46)
    lid = lathe(disc(w * 0.97, 1.7, 0.45)).moved(z=h - 0.1)
    parts = [Part(lathe(solid(side))), Part(lid, ("oak", "", "walnut")[style])]
    return parts if style == 2 else [*parts, Part(knob(1.2, 1.9).moved(z=h + 1.5), ("oak", "")[style])]


def board(style: int, r: Rng) -> list[Part]:
    """A chopping board standing upright: rectangular with a hole's knob, round with a grip, or a paddle."""
    w, h = r.uniform(19, 24), r.uniform(27, 34)
    if style == 0:
        return [Part(box(w, 2.0, h, 0.6))]
    if style == 1:
        round_part = lathe(disc(w * 0.62, 2.0, 0.5)).turned("x", 90).moved(y=1.0, z=w * 0.62)
        return [Part(round_part), Part(box(4.5, 1.9, 13, 0.9).moved(z=w * 1.18))]
    return [Part(box(w * 0.72, 1.9, h * 0.85, 0.9)), Part(rod((0, 0, h * 0.8), (0, 0, h * 1.22), 1.25, 1.5))]
