"""Suggested listings on products kept aside of a built shop: python -m tests.quality.listings --home DIR.

Heads are fitted anew without the products kept aside. By default those are half of what the encoder's own
training never saw, chosen by the hash of the product's id: neither encoder nor heads know them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ImageOps

from catalog.images.decoder import decode, read_file
from catalog.product import CATEGORY_SEPARATOR, Product
from indexer.encoders.backends.label_backbone import CHANNELS, SIDE
from indexer.encoders.registry import open_encoder
from indexer.generations.store import open_current
from indexer.labels.heads import FusionWeights, LabelHead
from indexer.labels.knn import fuse, knn_vote, nearest_products
from indexer.labels.network import NetworkField, mix_network
from indexer.layout import WORDS
from indexer.numeric import chunks
from indexer.training.label_finetune import Early, NetworkRecipe, Tuned, fit_label_network, network_shares
from indexer.training.label_heads import (
    LabelExamples,
    LabelRecipe,
    fit_label_heads,
    neighbour_queries,
    targets_of,
)
from indexer.training.pairs import picture_features
from indexer.types import Floats
from search.listings.attribute_fields import CATEGORY
from search.listings.fit_heads import shop_examples, shop_examples_with_pictures, title_trusts
from search.listings.price_range import PriceScale, centre_and_spread
from search.listings.title_values import TitleTrust, TitleValueMatcher, apply_title_evidence
from tests.quality.measures import mean, measured, reliability
from tests.quality.report.records import Headline, Outcome, Section, Share, Table

COVERAGES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
WORST = 15
SHOWN_FIELDS = ("category", "colour")
FLOORS = (
    ("category", "accuracy_at_1", "first", 0.87),
    ("category", "accuracy_at_3", "in three", 0.965),
    ("colour", "accuracy_at_1", "first", 0.65),
    ("colour", "accuracy_at_3", "in three", 0.87),
)
SHOWN = 24  # labels in a picture of confusions


def kept_aside(products: list[Product], fresh: NDArray[np.bool_], share: float, *, seen: bool) -> NDArray[np.bool_]:
    """Products chosen by the hash of their ids; with `seen` also those the encoder knows."""
    drawn = [int.from_bytes(hashlib.sha256(p.id.encode()).digest()[:4], "big") >= (1 - share) * 2**32 for p in products]
    return np.array(drawn) & (np.ones_like(fresh) if seen else fresh)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked: rows of the pictures as they are and mirrored, as a merchant's are read; labels and titles."""

    views: tuple[Floats, Floats]
    labels: Mapping[str, Sequence[tuple[str, ...]]]
    titles: Sequence[str]


def measure(
    home: Path, share: float, *, seen: bool, pictures: Path | None = None, fine_tuned: bool = False
) -> dict[str, Any]:
    """Every field's figures on the products kept aside, without and with titles; confusions drawn into `pictures`.

    With `fine_tuned`, a network is fitted too, on the same products as the heads.
    """
    generation = open_current(home)
    examples, products, files = shop_examples_with_pictures(home, generation)
    aside = kept_aside(products, examples.fresh, share, seen=seen)
    chosen, others = np.flatnonzero(aside), np.flatnonzero(~aside)
    learnt = examples.take(others)
    heads = fit_label_heads(learnt, LabelRecipe(), 0)
    asked = asked_of(
        home,
        examples.take(chosen),
        [files[i] for i in chosen.tolist()],
        [products[i].title for i in chosen.tolist()],
    )
    trusts = title_trusts(learnt, [products[i] for i in others.tolist()], heads)
    network: dict[str, tuple[NetworkField, Floats]] = {}
    figures: dict[str, Any] = {"learnt": len(others), "kept_aside": len(chosen)}
    if fine_tuned:
        tuned = fit_label_network(learnt, [files[i] for i in others.tolist()], NetworkRecipe(), 0)
        said = read(tuned, [files[i] for i in chosen.tolist()])
        network = {field: (part, said[field]) for field, part in tuned.fields.items()}
        figures["network"] = dict(tuned.measured)
    for titled in (False, True):
        for field, head in heads.items():
            sure, truth = confidences(learnt, asked, head, titled=titled, network=network.get(field))
            if titled and field in trusts:
                sure, truth = named_by_titles(sure, truth, asked.titles, TitleValueMatcher(head.names), trusts[field])
            told = truth.sum(axis=1) > 0
            cut = blend_of(head, network.get(field), titled=titled).cut
            key = f"{field} with title" if titled else field
            figures[key] = field_figures(sure[told], truth[told], cut)
            if field == CATEGORY:
                figures[key]["levels"] = level_figures(sure[told], truth[told], head.names)
            if not titled:
                figures[key]["confused"] = confusions(sure[told], truth[told], head.names)
                if pictures is not None:
                    draw_confusions(sure, truth, head.names, pictures / f"{field}.svg")
    return figures


def named_by_titles(
    sure: Floats, truth: Floats, titles: Sequence[str], naming: TitleValueMatcher, trust: TitleTrust
) -> tuple[Floats, Floats]:
    """What is believed and what is true, both (n, names + 1), when titles name values; the last is several at once."""
    names = [*naming.names, *map(str, range(len(naming.names), sure.shape[1]))]
    joined_sure, joined_truth = (np.pad(each, ((0, 0), (0, 1))) for each in (sure, truth))
    for row, title in enumerate(titles):
        found = naming.of(title)
        told = apply_title_evidence(dict(zip(names, sure[row].tolist(), strict=True)), found, trust)
        joined_sure[row, :-1] = [told[name] for name in names]
        joined_sure[row, -1] = sum(told.values()) - sum(told[name] for name in names)
        said = {name for name, share in zip(names, truth[row].tolist(), strict=True) if share > 0}
        joined_truth[row, -1] = len(found) > 1 and said == set(found)
    return joined_sure, joined_truth


def asked_of(home: Path, examples: LabelExamples, files: Sequence[Path], titles: Sequence[str]) -> Asked:
    """The examples as a merchant would ask them: the encoder reads each picture and its mirror image."""
    encoder = open_encoder(open_current(home).manifest.encoder.name, home=home)
    mirrored = examples.rows.copy()
    for part in chunks(len(files), 64):
        pictures = [ImageOps.mirror(decode(read_file(file))) for file in files[part]]
        mirrored[part, : examples.layout.encoder_dim] = encoder.encode_images(pictures)
    return Asked((examples.rows, mirrored), examples.labels, titles)


def read(tuned: Tuned, files: Sequence[Path]) -> dict[str, Floats]:
    """What the network believes of pictures, by field."""
    maps, good = picture_features(Early(), files, "plain", 0, lambda done: None)
    assert good.all()
    sizes = {field: len(names) for field, names in tuned.outputs.items()}
    return network_shares(tuned.late, maps.reshape(len(files), CHANNELS, SIDE, SIDE), sizes)


def blend_of(head: LabelHead, network: tuple[NetworkField, Floats] | None, *, titled: bool) -> FusionWeights:
    """How the neighbours' votes are blended in."""
    if network is not None:
        return network[0].part(titled=titled).blend
    return head.worded if titled and head.worded else head.bare


def confidences(
    learnt: LabelExamples,
    asked: Asked,
    head: LabelHead,
    *,
    titled: bool,
    network: tuple[NetworkField, Floats] | None = None,
) -> tuple[Floats, Floats]:
    """What is believed of each product asked, and the truth, both (n, names); labels no head knows are misses."""
    views = [rows.copy() for rows in asked.views]
    if not titled and WORDS in learnt.layout.names:
        for rows in views:
            rows[:, learnt.layout.slice(WORDS)] = 0.0
    queries = neighbour_queries(learnt.layout, learnt.weights, np.mean(views, axis=0), titled)
    scores, near = nearest_products(queries, np.full(len(queries), -1), learnt.rows, learnt.groups)
    names = sorted({name for of in (*learnt.labels[head.field], *asked.labels[head.field]) for name in of})
    names = [*head.names, *(name for name in names if name not in set(head.names))]
    believed = np.zeros((len(queries), len(names)), np.float32)
    believed[:, : len(head.names)] = np.mean([head.shares(rows) for rows in views], axis=0)
    known = np.arange(len(names)) < len(head.names)
    if network is not None:
        assert network[0].names == head.names
        said = np.zeros_like(believed)
        said[:, known] = network[1]
        believed = mix_network(believed, said, network[0].part(titled=titled).weight, known)
    voted = knn_vote(targets_of(learnt.labels[head.field], names), scores, near)
    blend = blend_of(head, network, titled=titled)
    return fuse(believed, voted, blend, known), targets_of(asked.labels[head.field], names)


def field_figures(sure: Floats, truth: Floats, cut: float) -> dict[str, Any]:
    """Accuracy at 1 and 3 (micro, macro), calibration, and accuracy by coverage with the shipped cut."""
    order = np.argsort(-sure, axis=1)[:, :3]
    hits = np.take_along_axis(truth, order, 1) > 0
    right, best = hits[:, 0], sure.max(axis=1)
    by_label = [right[truth[:, label] > 0] for label in np.flatnonzero(truth.sum(axis=0))]
    ranked = right[np.argsort(-best, kind="stable")]
    answered = best >= cut
    bins = reliability(best.tolist(), right.tolist())
    return {
        "products": len(right),
        **measured("accuracy_at_1", mean, right),
        **measured("accuracy_at_3", mean, hits.any(axis=1)),
        "macro_at_1": round(float(np.mean([of.mean() for of in by_label])), 4),
        "cut": round(cut, 4),
        **measured("coverage", mean, answered),
        **measured("accuracy_when_answered", mean, right[answered]),
        "accuracy_by_coverage": {str(c): round(float(ranked[: int(c * len(ranked))].mean()), 4) for c in COVERAGES},
        "calibration_error": round(sum(b.count * abs(b.stated - b.true) for b in bins) / len(right), 4),
    }


def level_figures(sure: Floats, truth: Floats, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Accuracy at each level of the tree, by the summed confidences of what lies below; only known labels."""
    truth, sure = truth[:, : len(names)], sure[:, : len(names)]
    told = truth.sum(axis=1) > 0
    deepest = max(name.count(CATEGORY_SEPARATOR) for name in names) + 1
    found = []
    for depth in range(1, deepest + 1):
        parents = [CATEGORY_SEPARATOR.join(name.split(CATEGORY_SEPARATOR)[:depth]) for name in names]
        different = sorted(set(parents))
        under = np.array([[parent == one for one in different] for parent in parents], np.float32)
        at = field_figures(sure[told] @ under, truth[told] @ under, 1.0)
        found.append({name: at[name] for name in ("accuracy_at_1", "accuracy_at_3", "macro_at_1")})
    return found


def confusions(sure: Floats, truth: Floats, names: tuple[str, ...]) -> list[tuple[str, str, int]]:
    """What is taken for what most often: (true label, said label, times)."""
    said = sure.argmax(axis=1)
    wrong = np.flatnonzero(truth[np.arange(len(said)), said] == 0)
    labels = [*names, *(["(unknown to the head)"] * (truth.shape[1] - len(names)))]
    return [
        (labels[true], labels[as_], times)
        for (true, as_), times in Counter(
            (int(truth[row].argmax()), int(said[row])) for row in wrong.tolist()
        ).most_common(WORST)
    ]


def price_figures(home: Path, folds: int = 5) -> dict[str, Any]:
    """How often an 80 % range from four fifths of the priced products holds the price of the rest, and how wide it is.

    Beside it a range of the same coverage that knows the true category and nothing else.
    """
    from search.listings.fit_heads import price_scale
    from search.listings.price_range import NEIGHBOURS

    examples, products = shop_examples(home, open_current(home))
    logs = np.log([float(p.price or 1) for p in products])
    ids, own = np.unique([p.id for p in products], return_inverse=True)
    fold = np.random.default_rng(0).permutation(len(ids)) % folds
    held, width, category_width, category_held = [], [], [], []
    for number in range(folds):
        kept = np.flatnonzero(fold[own] != number)
        part = examples.take(kept)
        scale = price_scale(part, [products[i] for i in kept.tolist()])
        assert isinstance(scale, PriceScale)
        by_category, quantile = category_widths([products[i] for i in kept.tolist()], logs[kept])
        asked = np.array([np.flatnonzero(own == i)[0] for i in np.flatnonzero(fold == number)])
        queries = neighbour_queries(examples.layout, examples.weights, examples.rows[asked], titled=False)
        scores, near = nearest_products(queries, np.full(len(asked), -1), part.rows, part.groups, NEIGHBOURS)
        for i, product in enumerate(asked.tolist()):
            centre, spread = centre_and_spread(logs[kept][near[i]], scores[i])
            held.append(abs(logs[product] - centre) <= scale.width * spread)
            width.append(2 * scale.width * spread)
            middle = by_category.get(products[product].category)
            if middle is not None:
                category_held.append(abs(logs[product] - middle) <= quantile)
                category_width.append(2 * quantile)
    return {
        "products": len(held),
        **measured("held", mean, held),
        "median_width": round(float(np.median(width)), 4),
        "mean_width": round(float(np.mean(width)), 4),
        **measured("category_held", mean, category_held),
        "category_width": round(float(np.mean(category_width)), 4),
    }


def category_widths(products: list[Product], logs: NDArray[np.float64]) -> tuple[dict[str, float], float]:
    """The middle log price of each category, and how far 80 % of its products lie from the middle of the others."""
    named = np.array([p.category for p in products])
    ids = np.array([p.id for p in products])
    away = []
    for i in range(len(products)):
        others = logs[(named == named[i]) & (ids != ids[i])]
        if len(others):
            away.append(abs(logs[i] - np.median(others)))
    middles = {name: float(np.median(logs[named == name])) for name in set(named.tolist())}
    return middles, float(np.quantile(away, 0.8))


def draw_confusions(sure: Floats, truth: Floats, names: tuple[str, ...], out: Path) -> None:
    """The most frequent labels as a square: how often each row's is taken for each column's, as an SVG."""
    from matplotlib.figure import Figure

    known = truth[:, : len(names)].sum(axis=1) > 0
    true, said = truth[known, : len(names)].argmax(axis=1), sure[known, : len(names)].argmax(axis=1)
    counts = np.zeros((len(names), len(names)))
    np.add.at(counts, (true, said), 1)
    shown = np.argsort(-counts.sum(axis=1))[:SHOWN]
    shares = counts[np.ix_(shown, shown)] / np.maximum(counts[shown].sum(axis=1, keepdims=True), 1)
    figure = Figure((8, 7), layout="constrained")
    axes = figure.add_subplot()
    drawn = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(shown)), [names[i] for i in shown], rotation=90, fontsize=8)
    axes.set_yticks(range(len(shown)), [f"{names[i]} ({int(counts[i].sum())})" for i in shown], fontsize=8)
    axes.set_xlabel("said")
    axes.set_ylabel("true (products)")
    figure.colorbar(drawn, label="share of the row")
    figure.savefig(out, format="svg")


def suggested_listings(home: Path) -> Outcome:
    """Categories and colours proposed for the half of a shop kept aside, and what a title adds."""
    told = measure(home, 0.5, seen=False)
    named = [f"{field}{suffix}" for field in SHOWN_FIELDS for suffix in ("", " with title")]
    shown = ("accuracy_at_1", "accuracy_at_3", "coverage", "accuracy_when_answered")
    rows = tuple((key, f"{told[key]['products']:,}", *(Share.of(told[key], at) for at in shown)) for key in named)
    section = Section(
        "Fashion: proposed listings",
        f"Heads fitted on {told['learnt']:,} products propose for {told['kept_aside']:,} others, which neither they "
        "nor the encoder know. Below its cut a field is left open: coverage is what is answered.",
        (Table(("field", "n", "right", "among three", "answered", "right when answered"), rows),),
    )
    headlines = tuple(
        Headline(f"Proposed {field}, {words}", Share.of(told[field], at), told[field]["products"], floor)
        for field, at, words, floor in FLOORS
    )
    return Outcome("listings", told, section, headlines)


def main() -> None:
    """Measure one shop and print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.quality.listings", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="a shop that is built")
    parser.add_argument("--share", type=float, default=0.5, help="of the products, kept aside")
    parser.add_argument("--seen", action="store_true", help="keep aside products that the encoder was trained on, too")
    parser.add_argument("--fine-tune", action="store_true", help="fit a network too: half an hour for 20,000 pictures")
    parser.add_argument("--prices", action="store_true", help="measure price ranges only")
    parser.add_argument("--pictures", type=Path, help="folder for a picture of each field's confusions")
    options = parser.parse_args()
    if options.prices:
        figures = price_figures(options.home)
    else:
        figures = measure(
            options.home,
            options.share,
            seen=options.seen,
            pictures=options.pictures,
            fine_tuned=options.fine_tune,
        )
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
