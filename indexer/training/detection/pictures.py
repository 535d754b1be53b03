"""The pictures that the detection head learns from: rendered scenes, composites, catalogue pictures, photos."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, partial
from pathlib import Path

from PIL import Image

from catalog.errors import BadFeed
from catalog.sample.generator.catalogue.plan import TRAIN, Item, items, paper, split
from catalog.sample.generator.catalogue.shopper_photos import Photo, photo_scene, photos
from catalog.sample.generator.catalogue.training_scenes import training_scenes
from catalog.sample.generator.rendering.scenes import studio
from catalog.sample.generator.rendering.silhouettes import silhouette, silhouettes
from indexer.progress import progress
from indexer.training.detection.compose import MASK_SIDE, Example, ShownObject, Source, composite, shown_object
from indexer.training.detection.cutouts import SIDE, Cutout, Rng, cut_from_plain, text_page
from indexer.training.starter_data import Photo as LabelledPhoto
from indexer.training.starter_data import labelled_photos, read_starter_data, whole_feed

MAX_SCENES = 5_000
COMPOSITES, TEXT_PAGES = 1_200, 60
FASHION_PICTURES = 1_500  # products of the fashion dataset that are cut out
PLAIN_PICTURES = 160  # catalogue pictures of each shop that are shown as they are
PHOTO_EVERY = 8  # every so many photos of one product, of each dataset
RENDERED_COPIES = 2  # times an epoch shows the pictures of the sample shop's renderer


def detector_examples(data: Path, scenes: Path, shop: Path, rng: Rng) -> list[Example]:
    """Return the examples. Only training products and training photos are among them. Raises BadFeed.

    `scenes` has pictures of `python -m catalog.sample.generator --training N`, `shop` is the sample shop's folder.
    """
    rendered = [*_rendered(training_scenes(MAX_SCENES), scenes), *_rendered(_shopper_photos(), shop / "photos")]
    if not rendered:
        hint = "Make them: python -m catalog.sample.generator --training 400 --out FOLDER."
        raise BadFeed(f"{scenes} has no training scenes.", hint)
    starter = read_starter_data(data, 0)
    held_out = {product.id for product in starter.fashion}
    learnt = [product for product in whole_feed(data / "fashion" / "products.csv") if product.id not in held_out]
    fashion = [Path(learnt[i].pictures[0].path) for i in rng.permutation(len(learnt))[:FASHION_PICTURES]]
    cut, studio_cut = cache(cut_from_plain), cache(_studio_cutout)
    sources = (
        [partial(studio_cut, shop, item, angle) for item in items() if split(item) == TRAIN for angle in (0, 1)],
        [partial(cut, path) for path in fashion],
        [partial(cut, Path(product.pictures[0].path)) for product in starter.grocery],
    )
    single = [
        *labelled_photos(data / "clothing" / "photos_train.csv", "category")[::PHOTO_EVERY],
        *labelled_photos(data / "grocery" / "photos_train.csv", "product_id")[::PHOTO_EVERY],
    ]
    return [
        *rendered * RENDERED_COPIES,
        *_composites(sources, [photo.file for photo in single], rng),
        *_plain(cut() for cut in sources[1][:PLAIN_PICTURES]),
        *_plain(cut() for cut in sources[0][::2]),
        *(Example(text_page(rng), ()) for _ in range(TEXT_PAGES)),
        *_singles(single),
    ]


def _rendered(planned: Iterator[Photo], folder: Path) -> Iterator[Example]:
    """Yield the pictures of planned photos that are in a folder, with the masks and boxes of their products."""
    for photo in planned:
        path = folder / f"{photo.name}.jpg"
        if path.is_file():
            scene, boxes = photo_scene(photo)
            masks = silhouettes(scene, len(boxes), MASK_SIDE)
            shown = (ShownObject(mask, box) for mask, box in zip(masks, boxes, strict=True))
            yield Example(Image.open(path).convert("RGB"), tuple(shown))


def _shopper_photos() -> Iterator[Photo]:
    return (photo for photo in photos() if split(photo.shown[0]) == TRAIN)


def _composites(sources: Sequence[Source], photos: list[Path], rng: Rng) -> Iterator[Example]:
    with progress("Composing pictures", COMPOSITES) as tick:
        for _ in range(COMPOSITES):
            example = composite(rng, sources, photos)
            tick(1)
            if example.objects:
                yield example


def _studio_cutout(shop: Path, item: Item, angle: int) -> Cutout:
    scene = studio(item.thing, item.family.view, angle, paper(item))
    picture = Image.open(shop / "images" / f"{item.id}-{angle + 1}.jpg").convert("RGB").resize((SIDE, SIDE))
    return Cutout(picture, Image.fromarray(silhouette(scene.things[0], scene.camera, SIDE)))


def _plain(cutouts: Iterator[Cutout | None]) -> Iterator[Example]:
    """Yield catalogue pictures as they are, with their one object."""
    for cutout in cutouts:
        shown = None if cutout is None else shown_object(cutout.mask)
        if cutout is not None and shown is not None:
            yield Example(cutout.picture, (shown,))


def _singles(photos: list[LabelledPhoto]) -> Iterator[Example]:
    return (Example(Image.open(photo.file).convert("RGB"), None) for photo in photos)
