"""List every picture of the sample shop as a job that renders it to a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from catalog.sample.generator.catalogue.plan import SEED, Item, items, paper
from catalog.sample.generator.catalogue.shopper_photos import Photo, photo_scene, photos, scenes, unknown
from catalog.sample.generator.catalogue.training_scenes import training_scenes
from catalog.sample.generator.rendering.camera_effects import shopper_file, studio_file
from catalog.sample.generator.rendering.scenes import studio

SIZE = 320
STUDIO_SAMPLES, PHOTO_SAMPLES = 9, 9


@dataclass(frozen=True)
class Job:
    """One picture: a studio view (`angle` 0 or 1) of a product, or a shopper's photo."""

    path: str
    subject: Item | Photo
    angle: int = 0

    @property
    def belongs_to(self) -> str:
        """The name by which `--only` selects it: a product's id or a photo's name."""
        return self.subject.id if isinstance(self.subject, Item) else self.subject.name

    def take(self, size: int = SIZE, effort: float = 1.0) -> bytes:
        """Render it and return its JPEG file; needs Mitsuba, after `render.use`."""
        from catalog.sample.generator.rendering.render import take

        seed = int(np.random.default_rng([SEED, *self.path.encode()]).integers(2**31))
        if isinstance(self.subject, Item):
            item = self.subject
            scene = studio(item.thing, item.family.view, self.angle, paper(item))
            return studio_file(take(scene, size, max(1, round(STUDIO_SAMPLES * effort)), seed))
        scene, _ = photo_scene(self.subject)
        pixels = take(scene, size, max(1, round(PHOTO_SAMPLES * effort)), seed)
        return shopper_file(pixels, np.random.default_rng(seed))


def jobs() -> Iterator[Job]:
    """Yield all pictures: the products' studio views, then the photos."""
    for item in items():
        for angle in (0, 1):
            yield Job(f"images/{item.id}-{angle + 1}.jpg", item, angle)
    for photo in (*photos(), *unknown(), *scenes()):
        yield Job(f"photos/{photo.name}.jpg", photo)


def training_jobs(count: int) -> Iterator[Job]:
    """Yield the first pictures that the detection head learns from."""
    return (Job(f"{photo.name}.jpg", photo) for photo in training_scenes(count))
