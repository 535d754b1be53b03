"""Train the starter's heads from scratch, on the public datasets and the sample shop: `make starter`."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from catalog import sample
from catalog.errors import TrainingError
from indexer.encoders.backends.starter_towers import PictureTower
from indexer.encoders.backends.texts.towers import TextTower
from indexer.encoders.projection_heads import ProjectionHeads, load_heads, save_heads
from indexer.encoders.registry import STARTER_HEADS
from indexer.encoders.training_pictures import STARTER_TRAINING_SET, save_training_set
from indexer.training.augment import VIEW_NAMES
from indexer.training.contrastive import TrainingConfig, fit, principal_axes
from indexer.training.metrics import starter_figures
from indexer.training.pairs import learnable
from indexer.training.sample_pairs import sample_examples
from indexer.training.starter_data import read_starter_data

LOOK_DIM = 256
STARTER_RECIPE = TrainingConfig(word_hidden=1024, epochs=40)  # six languages need a wider text head and longer


def fit_starter(
    data: Path,
    out: Path = STARTER_HEADS,
    seed: int = 0,
    recipe: TrainingConfig | None = None,
    shop: Path = sample.SAMPLE_FOLDER,
) -> dict[str, Any]:
    """Fit the heads on the public datasets in `data` and the sample shop, measure them, and save them to `out`.

    `seen.npy` in the same folder records the training pictures. The holdout is a part of the public datasets; the test
    part of the sample shop is left to `make eval`. Returns the metadata of the file. Raises BadFeed or TrainingError
    when the data is incomplete.
    """
    began = time.perf_counter()
    recipe = recipe or STARTER_RECIPE
    split = read_starter_data(data, seed)
    tower, words = PictureTower("auto"), TextTower("auto")
    examples = [*split.examples, *sample_examples(shop)]
    pairs, good = learnable(tower, words, examples, VIEW_NAMES, seed)
    if not good.all():
        raise TrainingError(f"{(~good).sum()} pictures under {data} cannot be decoded.", "Restore the data folder.")
    picture, text = fit(pairs, recipe, seed)
    look = principal_axes(pairs.views[0], LOOK_DIM)
    card = {"name": "starter", "pairs": len(good), "views": list(VIEW_NAMES), "seed": seed, "recipe": asdict(recipe)}
    save_heads(ProjectionHeads(look, picture, text, card), out)
    card["figures"] = starter_figures(load_heads(out), split, tower, words)
    save_heads(ProjectionHeads(look, picture, text, card), out)
    seen = save_training_set((example.file for example in examples), out.with_name(STARTER_TRAINING_SET.name))
    return {**card, "seen": seen, "minutes": round((time.perf_counter() - began) / 60, 1), "saved": str(out)}
