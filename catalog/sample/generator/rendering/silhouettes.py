"""Where each thing of a scene is in its picture: exact masks, without a renderer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from catalog.sample.generator.rendering.scenes import Camera, Scene, Thing, project

OVERSAMPLING = 2  # pixels each way in a pixel of the mask
Mask = npt.NDArray[np.uint8]


def silhouettes(scene: Scene, count: int, side: int) -> list[Mask]:
    """Return the visible part of the first `count` things of a scene: uint8 (side, side), 255 where a thing is.

    Of two things, the one whose middle is nearer to the camera is in front.
    """
    masks = [silhouette(thing, scene.camera, side) for thing in scene.things]
    distances = [float(np.linalg.norm(thing.points.mean(axis=0) - scene.camera.origin)) for thing in scene.things]
    visible = []
    for at in range(count):
        nearer = [mask for mask, distance in zip(masks, distances, strict=True) if distance < distances[at]]
        visible.append(np.minimum.reduce([masks[at], *(255 - mask for mask in nearer)]))
    return visible


def silhouette(thing: Thing, camera: Camera, side: int) -> Mask:
    """Return all of a thing's outline, filled: uint8 (side, side)."""
    image = Image.new("L", (side * OVERSAMPLING, side * OVERSAMPLING))
    draw = ImageDraw.Draw(image)
    for part in thing.parts:
        places = project(part.mesh.positions, camera) * side * OVERSAMPLING
        for face in part.mesh.faces:
            draw.polygon([tuple(places[corner]) for corner in face], fill=255, outline=255)
    return np.asarray(image.resize((side, side), Image.Resampling.BOX))
