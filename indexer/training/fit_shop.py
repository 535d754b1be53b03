"""Fit projection heads on a shop's own products, on top of any encoder: `python -m indexer train`."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import NoGeneration, TooFewPairs, TrainingError
from catalog.product import Product
from catalog.storage.opening import has_catalogue, open_catalogue
from indexer.encoders.base import BaseEncoder
from indexer.encoders.projection_encoder import ProjectionEncoder, towers_digest, towers_of
from indexer.encoders.projection_heads import ProjectionHeads, save_heads
from indexer.encoders.registry import open_encoder, shop_heads
from indexer.generations import store
from indexer.training.augment import VIEW_NAMES
from indexer.training.contrastive import Pairs, TrainingConfig, fit, principal_axes
from indexer.training.fit_starter import LOOK_DIM
from indexer.training.metrics import title_recall
from indexer.training.pairs import CaptionedPicture, learnable

FIRST_NAME = "shop"
MIN_PAIRS = 200
HOLDOUT_SHARE = 0.2  # share of the products that is held out
MAX_MEASURED = 5_000  # titles: each is compared with every picture
SHOP_VIEWS = VIEW_NAMES[:3]


def fit_shop(home: Path, base: str, name: str | None = None, seed: int = 0) -> dict[str, Any]:
    """Fit heads on the shop's products and save them as encoder `name` if they beat `base` on holdout products.

    Without a name it is the first free one of shop, shop2 and so on. The measure is recall@10 of title to own picture.
    Raises TooFewPairs under 200 usable pairs, and TrainingError when the new heads are no better, or would overwrite
    those that the shop is searched with.
    """
    name = free_name(home) if name is None else name
    file = shop_heads(home, name)
    if store.current_encoder(home) == name:  # an index can be read only by the heads that made it
        raise TrainingError(
            f"The shop in {home} is searched with the encoder {name!r}, so it cannot be overwritten.",
            f"Give the new one another name: --name {free_name(home)}.",
        )
    if not has_catalogue(home):
        raise NoGeneration(f"There is no shop in {home}.", "Make one: python -m indexer build --home DIR --feed FEED.")
    encoder = open_encoder(base, home=home)
    examples, held_out = _examples(home)
    _require(len(examples), home)
    tower, words = towers_of(encoder)
    pairs, good = learnable(tower, words, examples, SHOP_VIEWS, seed)
    _require(int(good.sum()), home)
    training, holdout = np.flatnonzero(good & ~held_out), np.flatnonzero(good & held_out)
    holdout = holdout[:: max(1, -(-len(holdout) // MAX_MEASURED))]
    heads = _fit_heads(encoder, pairs.take(training), seed)
    figures = {
        "pairs": len(training),
        "kept_aside": len(holdout),
        "recall_at_10_before": _recall_before(encoder, [examples[i] for i in holdout]),
        "recall_at_10_after": _recall_after(heads, pairs.take(holdout), [examples[i].key for i in holdout]),
    }
    _require_better(figures, base)
    card = {**heads.card, "name": name, "towers": towers_digest(tower, words), "figures": figures}
    save_heads(replace(heads, card=card), file)
    following = f"python -m indexer build --home {home} --encoder {name} --feed FEED"
    return {**figures, "saved": str(file), "next": following}


def free_name(home: Path) -> str:
    """Return the first of shop, shop2, shop3 ... that names no heads of this shop yet."""
    names = itertools.chain([FIRST_NAME], (f"{FIRST_NAME}{number}" for number in itertools.count(2)))
    return next(name for name in names if not shop_heads(home, name).exists())


def _fit_heads(encoder: BaseEncoder, pairs: Pairs, seed: int) -> ProjectionHeads:
    """Fit heads from scratch, or from the encoder's own heads where it has some."""
    own = encoder.heads if isinstance(encoder, ProjectionEncoder) else None
    recipe = shop_recipe(len(pairs.keys), warm=own is not None)
    picture, text = fit(pairs, recipe, seed, (own.picture, own.text) if own else None)
    look = own.look if own else principal_axes(pairs.views[0], LOOK_DIM)
    # The base is the encoder whose towers are used, also when the start are heads of another shop encoder.
    base = own.card.get("base", encoder.spec.name) if own else encoder.spec.name
    card = {"base": base, "pairs": len(pairs.keys), "seed": seed, "recipe": asdict(recipe)}
    return ProjectionHeads(look, picture, text, card)


def shop_recipe(pairs: int, *, warm: bool) -> TrainingConfig:
    """Return the recipe: smaller batches for a smaller shop, a smaller rate when fitted heads are the start."""
    return TrainingConfig(
        epochs=min(30, max(6, 60_000 // pairs)),
        batch=min(1024, max(64, pairs // 8)),
        rate=2e-4 if warm else 1e-3,
        dropout=0.2,
    )


def _examples(home: Path) -> tuple[list[CaptionedPicture], np.ndarray[Any, np.dtype[np.bool_]]]:
    """Return an example for every product with a picture and a title, and whether each is held out."""
    with closing(open_catalogue(home)) as catalogue:
        products = [product for _, product in catalogue.iterate()]
    usable = [p for p in products if p.title.strip() and p.pictures and Path(p.pictures[0].path).is_file()]
    examples = [CaptionedPicture(Path(p.pictures[0].path), _captions(p), p.title) for p in usable]
    return examples, np.array([_is_holdout(product.id) for product in usable], dtype=bool)


def _captions(product: Product) -> tuple[str, ...]:
    kind = product.category_path[-1:] or ("",)
    colour = product.attributes.get("colour") or product.attributes.get("color") or ""
    extra = (f"{product.brand} {product.title}".strip(), f"{colour} {kind[0]}".strip())
    return (product.title,) * 3 + tuple(caption for caption in extra if caption and caption != product.title)


def _is_holdout(product_id: str) -> bool:
    """Decide by the id's hash, so that a product stays in the holdout when the shop grows."""
    return int.from_bytes(hashlib.sha256(product_id.encode()).digest()[:4], "big") < HOLDOUT_SHARE * 2**32


def _recall_before(encoder: BaseEncoder, examples: Sequence[CaptionedPicture]) -> float | None:
    if not any(block.texts for block in encoder.blocks):
        return None
    tower, words = towers_of(encoder, embedded=True)
    pairs, _ = learnable(tower, words, [CaptionedPicture(e.file, (e.key,), e.key) for e in examples], VIEW_NAMES[:1], 0)
    return title_recall(pairs.views[0].astype(np.float32), pairs.words[pairs.captions[:, 0]], [e.key for e in examples])


def _recall_after(heads: ProjectionHeads, pairs: Pairs, titles: Sequence[str]) -> float:
    pictures = heads.picture(pairs.views[0].astype(np.float32))
    return title_recall(pictures, heads.text(pairs.words[pairs.captions[:, 0]]), titles)


def _require(count: int, home: Path) -> None:
    if count < MIN_PAIRS:
        raise TooFewPairs(
            f"{home} has {count} products with a title and a readable picture; heads need at least {MIN_PAIRS}.",
            "Index more products first, or use the starter encoder as it is.",
        )


def _require_better(figures: dict[str, Any], base: str) -> None:
    before, after = figures["recall_at_10_before"], figures["recall_at_10_after"]
    if before is not None and after <= before:
        raise TrainingError(
            f"Heads fitted on {figures['pairs']:,} products are no better than {base!r} on the"
            f" {figures['kept_aside']:,} holdout products: title to picture recall@10 is {after:.3f} after,"
            f" {before:.3f} before. Nothing was saved.",
            f"Go on with --encoder {base}, and train again when the shop has more products.",
        )
