"""Fine-tune a label network on the shop's own pictures and store it where it improves suggestions. Imports torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import TooFewPairs
from catalog.files.atomic import write_atomically
from catalog.home import ShopHome
from indexer.encoders.backends.label_backbone import save_late
from indexer.generations.store import open_current
from indexer.labels.network import network_metadata, read_network
from indexer.training.label_finetune import NetworkRecipe, fit_label_network
from search.listings.attribute_fields import CATEGORY
from search.listings.fit_heads import shop_examples_with_pictures

MIN_PICTURES = 1_000  # pictures of products with a category; with fewer, heads on the index's rows are better
MAX_PICTURES = 40_000  # sampled where the shop has more: each takes 31 kB of memory


def fine_tune(home: Path, seed: int = 0) -> dict[str, Any]:
    """Fit the network, store it if it is better on holdout pictures, and return what was measured.

    Takes about half an hour for 20,000 pictures on two cores. Raises NoGeneration, TooFewPairs.
    """
    generation = open_current(home)
    examples, _, files = shop_examples_with_pictures(home, generation, seed)
    labelled = np.flatnonzero([bool(names) for names in examples.labels[CATEGORY]])
    if len(labelled) < MIN_PICTURES:
        raise TooFewPairs(
            f"{home} has {len(labelled):,} pictures of products with a category; a network needs {MIN_PICTURES:,}.",
            "Go on with the heads of `python -m search learn`.",
        )
    # Pictures new to the encoder come first: only they can show whether the network helps.
    order = np.random.default_rng(seed).permutation(labelled)
    drawn = np.sort(order[np.argsort(~examples.fresh[order], kind="stable")][:MAX_PICTURES])
    tuned = fit_label_network(examples.take(drawn), [files[i] for i in drawn.tolist()], NetworkRecipe(), seed)
    figures = {
        "pictures": len(drawn),
        "fields": {
            field: {"used": field in tuned.fields, **{name: _finite(number) for name, number in measured.items()}}
            for field, measured in tuned.measured.items()
        },
        "swapped": bool(tuned.fields),
    }
    if tuned.fields:
        card = network_metadata(generation.manifest.fingerprint, tuned.fields, tuned.outputs)

        def write(path: Path) -> None:
            save_late(tuned.late, path, card)
            read_network(path)  # exported before a server sees the file, so that no request waits for it

        write_atomically(ShopHome(home).label_network, write)
    else:
        ShopHome(home).label_network.unlink(missing_ok=True)  # an earlier network would be no better
    return figures


def format_network_figures(figures: Mapping[str, Any]) -> str:
    """Return what `fine_tune` measured as lines of text."""
    lines = [
        f"{field}: {'the network is used.' if values['used'] else 'the network hardly helps and is not used.'} Accuracy"
        f" {values['accuracy_before']:.3f} to {values['accuracy_after']:.3f}, loss {values['loss_before']:.3f} to"
        f" {values['loss_after']:.3f} on {values['kept_aside']} holdout pictures."
        if values["loss_before"] is not None
        else f"{field}: the holdout is too small to measure on, so the network is not used."
        for field, values in figures["fields"].items()
    ]
    return "\n".join([f"Fine-tuned on {figures['pictures']:,} pictures.", *lines])


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
