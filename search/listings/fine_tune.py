"""Fine-tunes a network on the shop's own pictures, and lets it take part in suggestions where it helps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import TooFewPairs
from catalog.files.atomic import write_atomically
from indexer.generations.store import open_current
from indexer.labels.network import FILE, network_metadata, read_network
from search.listings.attribute_fields import CATEGORY
from search.listings.fit_heads import shop_examples_with_pictures

LEAST_PICTURES = 1_000  # that show what has a name; with fewer, heads on the index's rows know it better
MOST_PICTURES = 40_000  # drawn where the shop has more: 31 kB of memory each


def fine_tune(home: Path, seed: int = 0) -> dict[str, Any]:
    """Fit the network and keep it with the shop if it is better on pictures kept aside; says what was measured.

    Takes about half an hour for 20,000 pictures on two cores. Imports torch. Raises NoGeneration, TooFewPairs.
    """
    from indexer.encoders.backends.label_backbone import save_late
    from indexer.training.label_finetune import NetworkRecipe, fit_label_network

    generation = open_current(home)
    examples, _, files = shop_examples_with_pictures(home, generation, seed)
    told = np.flatnonzero([bool(names) for names in examples.labels[CATEGORY]])
    if len(told) < LEAST_PICTURES:
        raise TooFewPairs(
            f"{home} has {len(told):,} pictures of products with a category; a network needs {LEAST_PICTURES:,}.",
            "Go on with what `python -m search learn` has learnt.",
        )
    # What is new to the encoder comes first, because nothing else can tell whether the network helps.
    order = np.random.default_rng(seed).permutation(told)
    drawn = np.sort(order[np.argsort(~examples.fresh[order], kind="stable")][:MOST_PICTURES])
    tuned = fit_label_network(examples.take(drawn), [files[i] for i in drawn.tolist()], NetworkRecipe(), seed)
    figures = {
        "pictures": len(drawn),
        "fields": {
            field: {"used": field in tuned.fields, **{name: _finite(number) for name, number in said.items()}}
            for field, said in tuned.measured.items()
        },
        "swapped": bool(tuned.fields),
    }
    if tuned.fields:
        card = network_metadata(generation.manifest.fingerprint, tuned.fields, tuned.outputs)

        def write(path: Path) -> None:
            save_late(tuned.late, path, card)
            read_network(path)  # ready before a server sees it, so that none has to

        write_atomically(home / FILE, write)
    else:
        (home / FILE).unlink(missing_ok=True)  # one from before knows no better
    return figures


def told(figures: Mapping[str, Any]) -> str:
    """The figures as lines for people."""
    lines = [
        f"{field}: {'it takes part.' if one['used'] else 'it hardly helps, so it has no part.'} Accuracy"
        f" {one['accuracy_before']:.3f} to {one['accuracy_after']:.3f}, loss {one['loss_before']:.3f} to"
        f" {one['loss_after']:.3f} of {one['kept_aside']}."
        if one["loss_before"] is not None
        else f"{field}: too few pictures are kept aside to tell, so it has no part."
        for field, one in figures["fields"].items()
    ]
    return "\n".join([f"Fine-tuned on {figures['pictures']:,} pictures.", *lines])


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
