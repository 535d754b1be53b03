"""Smooth meshes from a few numbers: lathed profiles, tubes, rounded boxes, pillows and sheets. Centimetres, z up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Faces = npt.NDArray[np.uint32]
Point = tuple[float, ...]

SEGMENTS = 88
CORNER = np.cos(np.radians(38))


@dataclass(frozen=True)
class Mesh:
    """Triangles with smooth normals; `uvs` run 0..1 over a surface that is `extent` centimetres wide and long."""

    positions: Array
    normals: Array
    uvs: Array
    faces: Faces
    extent: tuple[float, float] = (30.0, 30.0)

    def moved(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Mesh:
        """The same mesh, elsewhere."""
        return replace(self, positions=self.positions + np.array([x, y, z]))

    def turned(self, axis: str, degrees: float) -> Mesh:
        """The same mesh, turned about the x, y or z axis through the origin."""
        a = np.radians(degrees)
        i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
        matrix = np.eye(3)
        matrix[i, i] = matrix[j, j] = np.cos(a)
        matrix[i, j], matrix[j, i] = -np.sin(a), np.sin(a)
        return replace(self, positions=self.positions @ matrix.T, normals=self.normals @ matrix.T)

    def scaled(self, factor: float) -> Mesh:
        """The same mesh, larger or smaller."""
        wide, long = self.extent
        return replace(self, positions=self.positions * factor, extent=(wide * factor, long * factor))


def _unit(vectors: Array) -> Array:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-12))


def smooth(points: Sequence[Point], samples: int = 48) -> Array:
    """A smooth curve through the points (centripetal Catmull-Rom), in any number of dimensions."""
    p = np.asarray(points, dtype=float)
    p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    knots = np.concatenate([[0], np.cumsum(np.maximum(np.linalg.norm(np.diff(p, axis=0), axis=1), 1e-9) ** 0.5)])
    out = []
    for t in np.linspace(knots[1], knots[-2], samples):
        i = int(np.clip(np.searchsorted(knots, t, side="right") - 1, 1, len(p) - 3))
        k, q = knots[i - 1 : i + 3], p[i - 1 : i + 3]
        a = [(k[j + 1] - t) / (k[j + 1] - k[j]) * q[j] + (t - k[j]) / (k[j + 1] - k[j]) * q[j + 1] for j in range(3)]
        b = [(k[j + 2] - t) / (k[j + 2] - k[j]) * a[j] + (t - k[j]) / (k[j + 2] - k[j]) * a[j + 1] for j in range(2)]
        out.append((k[2] - t) / (k[2] - k[1]) * b[0] + (t - k[1]) / (k[2] - k[1]) * b[1])
    return np.array(out)


def _grid_faces(rows: int, columns: int, start: int = 0) -> Faces:
    i, j = np.meshgrid(np.arange(rows - 1), np.arange(columns - 1), indexing="ij")
    a = (i * columns + j).ravel() + start
    quads = np.stack([a, a + columns, a + columns + 1, a + 1], axis=1)
    return np.vstack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.uint32)


def sheet(points: Array, extent: tuple[float, float] | None = None, wrapped: bool = False) -> Mesh:
    """A surface through a grid of points (rows, columns, 3); `wrapped` when the last column meets the first."""
    rows, columns = points.shape[:2]
    down = np.gradient(points, axis=0)
    across = np.gradient(points, axis=1)
    if wrapped:
        across[:, 0] = across[:, -1] = points[:, 1] - points[:, -2]
    normals = _unit(np.cross(down, across))
    v, u = np.meshgrid(np.linspace(0, 1, rows), np.linspace(0, 1, columns), indexing="ij")
    if extent is None:
        wide = np.linalg.norm(np.diff(points, axis=1), axis=2).sum(axis=1).max()
        long = np.linalg.norm(np.diff(points, axis=0), axis=2).sum(axis=0).max()
        extent = (float(wide), float(long))
    uvs = np.stack([u, v], axis=-1).reshape(-1, 2)
    return Mesh(points.reshape(-1, 3), normals.reshape(-1, 3), uvs, _grid_faces(rows, columns), extent)


def _runs(profile: Array) -> list[Array]:
    """The profile cut where it turns sharply, so that corners stay crisp and curves stay smooth."""
    steps = _unit(np.diff(profile, axis=0))
    sharp = [0, *[i + 1 for i in range(len(steps) - 1) if steps[i] @ steps[i + 1] < CORNER], len(profile) - 1]
    return [profile[a : b + 1] for a, b in pairwise(sharp)]


def _turned(run: Array, angle: Array) -> Array:
    tangent = _unit(np.gradient(run, axis=0))
    flat, up = tangent[:, 1:], np.repeat(-tangent[:, :1], len(angle), axis=1)
    return np.stack([flat * np.cos(angle), flat * np.sin(angle), up], axis=-1).reshape(-1, 3)


def lathe(profile: Sequence[Point] | Array, segments: int = SEGMENTS, sides: float = 0.0, lobes: int = 0) -> Mesh:
    """A profile of (radius, height), outside upwards, turned about z; `lobes` ripples of depth `sides` make flutes."""
    line = np.asarray(profile, dtype=float)
    line = line[np.concatenate([[True], np.linalg.norm(np.diff(line, axis=0), axis=1) > 1e-6])]
    angle = np.linspace(0, 2 * np.pi, segments + 1)
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    meshes, begin = [], 0
    for run in _runs(line):
        radius = run[:, :1] * (1 + (sides * np.cos(lobes * angle)[None, :] if lobes else 0))
        points = np.stack(
            [radius * np.cos(angle), radius * np.sin(angle), np.repeat(run[:, 1:], segments + 1, axis=1)], axis=-1
        )
        mesh = sheet(points, wrapped=True)
        normals = _turned(run, angle)
        if lobes:
            whole = np.linalg.norm(mesh.normals, axis=1) > 0.5
            normals[whole] = -mesh.normals[whole]
        uvs = mesh.uvs.copy()
        uvs[:, 1] = np.repeat(along[begin : begin + len(run)] / along[-1], segments + 1)
        meshes.append(replace(mesh, normals=normals, uvs=uvs, faces=mesh.faces[:, ::-1]))
        begin += len(run) - 1
    return join(meshes, (2 * np.pi * float(line[:, 0].max()), float(along[-1])))


def join(meshes: Sequence[Mesh], extent: tuple[float, float] | None = None) -> Mesh:
    """Several meshes as one."""
    starts = np.concatenate([[0], np.cumsum([len(m.positions) for m in meshes])])
    faces = np.vstack([m.faces + np.uint32(s) for m, s in zip(meshes, starts, strict=False)])
    stacked = [np.vstack([getattr(m, name) for m in meshes]) for name in ("positions", "normals", "uvs")]
    return Mesh(stacked[0], stacked[1], stacked[2], faces.astype(np.uint32), extent or meshes[0].extent)


def vessel(outside: Array, wall: float, floor: float | None = None) -> Array:
    """An open vessel's closed profile: base, the outside, a round rim, and the inside down to its floor."""
    floor = wall * 1.4 if floor is None else floor
    tangent = _unit(np.gradient(outside, axis=0))
    inward = outside + wall * np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
    inward[:, 0] = np.maximum(inward[:, 0], 0.0)
    low = outside[0, 1] + floor
    inside = inward[inward[:, 1] > low][::-1]
    top = (outside[-1] + inward[-1]) / 2
    side = (outside[-1] - inward[-1]) / 2
    up = np.array([-side[1], side[0]])
    bow = [top + side * np.cos(a) + up * np.sin(a) for a in np.linspace(0, np.pi, 9)[1:-1]]
    end = inside[-1]
    bend = min(1.2 * wall, end[0] * 0.4)
    foot = outside[0]
    base = [(0.0, foot[1]), (max(foot[0] - 0.25 * wall, 0.0), foot[1])]
    rest = [(max(end[0] - bend * 0.3, 0), low + 0.1), (end[0] - bend, low), (0, low)]
    return np.vstack([base, outside, bow, inside, rest])


def solid(outside: Sequence[Point] | Array) -> Array:
    """A solid's closed profile: from the axis out to the first point, along them, and back to the axis."""
    line = np.asarray(outside, dtype=float)
    return np.vstack([[(0.0, line[0, 1])], line, [(0.0, line[-1, 1])]])


def disc(radius: float, height: float, edge: float = 0.3) -> Array:
    """The profile of a round slab whose edges are rounded."""
    e = min(edge, height / 2, radius / 2)
    turn = np.linspace(0, np.pi / 2, 6)
    low = [(radius - e + e * np.sin(a), e - e * np.cos(a)) for a in turn]
    high = [(radius - e + e * np.cos(a), height - e + e * np.sin(a)) for a in turn]
    return solid(np.array(low + high))


def tube(path: Array, radius: float | Array, segments: int = 20, flat: float = 1.0) -> Mesh:
    """A round rod along a path of 3-d points with rounded ends; `flat` squeezes its section (handles, straps)."""
    tangent = _unit(np.gradient(path, axis=0))
    radii = np.full(len(path), radius, dtype=float) if np.isscalar(radius) else np.asarray(radius, dtype=float)
    side = _unit(np.cross(tangent[0], [0.0, 0.0, 1.0]) + 1e-6 * np.array([1.0, 0.3, 0.0]))
    sides = []
    for t in tangent:
        side = _unit(side - (side @ t) * t)
        sides.append(side)
    s = np.array(sides)
    other = np.cross(tangent, s)
    turn = np.linspace(0, np.pi / 2, 5)[1:]
    centres, r = [path], [radii]
    head = [(path[0] - tangent[0] * radii[0] * 0.6 * np.sin(a), radii[0] * np.cos(a)) for a in turn[::-1]]
    tail = [(path[-1] + tangent[-1] * radii[-1] * 0.6 * np.sin(a), radii[-1] * np.cos(a)) for a in turn]
    centres = [np.array([c for c, _ in head]), path, np.array([c for c, _ in tail])]
    r = [np.array([q for _, q in head]), radii, np.array([q for _, q in tail])]
    s = np.vstack([np.repeat(s[:1], 4, axis=0), s, np.repeat(s[-1:], 4, axis=0)])
    other = np.vstack([np.repeat(other[:1], 4, axis=0), other, np.repeat(other[-1:], 4, axis=0)])
    angle = np.linspace(0, 2 * np.pi, segments + 1)
    ring = np.cos(angle)[None, :, None] * s[:, None, :] * flat + np.sin(angle)[None, :, None] * other[:, None, :]
    points = np.vstack(centres)[:, None, :] + ring * np.maximum(np.concatenate(r), 1e-4)[:, None, None]
    mesh = sheet(points, wrapped=True)
    outward = np.sum(mesh.normals * ring.reshape(-1, 3), axis=1).sum()
    return mesh if outward > 0 else replace(mesh, normals=-mesh.normals, faces=mesh.faces[:, ::-1])


def rod(start: Point, end: Point, radius: float, thin: float | None = None) -> Mesh:
    """A straight rod between two points, tapering to `thin` at its end."""
    t = np.linspace(0, 1, 8)[:, None]
    path = np.asarray(start) * (1 - t) + np.asarray(end) * t
    return tube(path, np.linspace(radius, radius if thin is None else thin, 8))


def box(width: float, depth: float, height: float, edge: float = 0.4) -> Mesh:
    """A box with rounded edges, standing on z = 0, centred on x and y; its uvs are centimetres over 100."""
    half = np.array([width, depth, height]) / 2
    e = min(edge, float(half.min()) * 0.98)
    meshes = []
    for axis in range(3):
        i, j = (axis + 1) % 3, (axis + 2) % 3
        for sign in (-1.0, 1.0):
            arc = e * (1 - np.cos(np.linspace(0, np.pi / 2, 5)))
            a, b = (np.concatenate([-half[k] + arc, half[k] - arc[::-1]]) for k in (i, j))
            cube = np.zeros((len(a), len(b), 3))
            cube[..., axis] = sign * half[axis]
            cube[..., i], cube[..., j] = np.meshgrid(a, b, indexing="ij")
            inner = np.clip(cube, -(half - e), half - e)
            normals = _unit(cube - inner)
            points = inner + e * normals
            grain = cube[..., [j, i]] if half[j] < half[i] else cube[..., [i, j]]
            uvs = (grain + half[axis] * 0.37 + axis * 13.0).reshape(-1, 2) / 100
            faces = _grid_faces(len(a), len(b))
            faces = faces if sign > 0 else faces[:, ::-1]
            meshes.append(Mesh(points.reshape(-1, 3), normals.reshape(-1, 3), uvs, faces, (100.0, 100.0)))
    return join(meshes).moved(z=float(half[2]))


def pillow(width: float, height: float, thickness: float, rings: int = 45) -> Mesh:
    """A filled cushion lying in the x-z plane, facing -y, its corners drawn out a little; bottom on z = 0."""
    t = np.sin(np.linspace(-np.pi / 2, np.pi / 2, rings))
    z, x = np.meshgrid(t, t, indexing="ij")
    swell = np.clip((1 - x**2) * (1 - z**2), 0, 1) ** 0.42
    pull = 1 - 0.07 * (1 - np.abs(z) ** 2), 1 - 0.07 * (1 - np.abs(x) ** 2)
    meshes = []
    for sign in (-1.0, 1.0):
        points = np.stack([x * pull[0] * width / 2, sign * swell * thickness / 2, z * pull[1] * height / 2], axis=-1)
        face = sheet(points, (width, height))
        flip = face.normals[len(face.normals) // 2, 1] * sign < 0
        meshes.append(replace(face, normals=-face.normals, faces=face.faces[:, ::-1]) if flip else face)
    return join(meshes).moved(z=height / 2)
