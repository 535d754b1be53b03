"""Object proposals: boxes around the objects of a picture, by a small trained head on the starter's feature maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from catalog.images.crop import MARGIN_SHARE, crop_picture
from indexer.detection.head import Detections, shipped_head
from indexer.detection.maps import detector_maps
from indexer.encoders.base import BaseEncoder, Encoder
from indexer.types import FeatureMaps, Floats

MAX_BOXES = 6
MIN_CENTRE = 0.1  # estimate from which a cell is the centre of an object, in a picture of several
SECOND_CENTRE = 0.3  # estimate that a second object needs for a picture to show several: see docs/decisions
MAX_OVERLAP = 0.35  # intersection over union, above which two boxes are one
MAX_INSIDE = 0.6  # share of the smaller box, above which it is part of the other

Rect = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a picture in fractions of its width and height, and its score (higher is better)."""

    left: float
    top: float
    right: float
    bottom: float
    score: float = 0.0

    @property
    def sides(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom, as `catalog.images.decoder.decode` takes them."""
        return self.left, self.top, self.right, self.bottom


@dataclass(frozen=True, slots=True)
class Proposals:
    """Boxes around objects, best first."""

    boxes: tuple[Box, ...] = ()

    @property
    def several(self) -> bool:
        """Whether the picture clearly shows two objects or more."""
        return len(self.boxes) > 1 and self.boxes[1].score >= SECOND_CENTRE


def picture_maps(encoder: Encoder, picture: Image.Image) -> FeatureMaps | None:
    """Return the encoder's feature maps of one picture; None when it has none."""
    return encoder.feature_maps([picture]) if isinstance(encoder, BaseEncoder) else None


def propose_objects(encoder: Encoder, picture: Image.Image) -> Proposals:
    """Return at most MAX_BOXES objects of a picture; none when the encoder has no feature maps."""
    maps = detector_maps(encoder, picture)
    return Proposals() if maps is None else proposals_of(shipped_head()(maps))


def proposals_of(found: Detections, threshold: float = MIN_CENTRE) -> Proposals:
    """Return a box for each cell that is the centre of an object, without those that show a part of another."""
    rows, columns = found.centres.shape
    padded = np.pad(found.centres, 1)
    around = [padded[down : down + rows, across : across + columns] for down in range(3) for across in range(3)]
    down, across = np.nonzero((found.centres >= np.max(around, axis=0)) & (found.centres >= threshold))
    scores = found.centres[down, across]
    order = np.lexsort((across, down, -scores))
    down, across, scores = down[order], across[order], scores[order]
    middle = np.stack([across, down, across, down], axis=1) + 0.5
    edges = middle + found.sides[down, across] * (-1, -1, 1, 1)
    boxes = np.clip(edges / (columns, rows, columns, rows), 0.0, 1.0).astype(np.float32)
    chosen = _suppress(boxes)
    best = np.column_stack([boxes[chosen], scores[chosen]])
    return Proposals(tuple(Box(*map(float, row)) for row in best))


def crop_object(picture: Image.Image, box: Box | Rect, margin: float = MARGIN_SHARE) -> Image.Image:
    """Crop the object in a box of a picture, with the context that `expand_crop` adds."""
    return crop_picture(picture, box.sides if isinstance(box, Box) else box, margin)


def _suppress(boxes: Floats) -> list[int]:
    """Choose boxes, best first, none of which overlaps or lies in another (non-maximum suppression)."""
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    chosen: list[int] = []
    for i, (left, top, right, bottom) in enumerate(boxes):
        rivals = boxes[chosen]
        wide = np.minimum(rivals[:, 2], right) - np.maximum(rivals[:, 0], left)
        high = np.minimum(rivals[:, 3], bottom) - np.maximum(rivals[:, 1], top)
        shared = np.maximum(wide, 0.0) * np.maximum(high, 0.0)
        joined = shared > MAX_OVERLAP * (area[chosen] + area[i] - shared)
        inside = shared > MAX_INSIDE * np.minimum(area[chosen], area[i])
        if area[i] > 0 and not (joined | inside).any():
            chosen.append(i)
    return chosen[:MAX_BOXES]
