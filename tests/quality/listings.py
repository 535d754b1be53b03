"""Quality of suggested listings on holdout products of a built shop: python -m tests.quality.listings --home DIR.

Heads are fitted without the holdout. By default it is half of the products that the encoder was not trained on, chosen
by the hash of the product's id: neither encoder nor heads know them.
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
from indexer.encoders.registry import open_encoder
from indexer.generations.store import open_current
from indexer.labels.examples import LabelExamples, neighbour_queries, targets_of, words_slice
from indexer.labels.heads import LabelHead
from indexer.labels.knn import nearest_products
from indexer.labels.predict import Neighbours, NetworkOutput, predict_labels
from indexer.numeric import chunks
from indexer.training.label_finetune import NetworkRecipe, Tuned, early_maps, fit_label_network, network_shares
from indexer.training.label_heads import LabelRecipe, fit_label_heads
from indexer.types import Floats
from search.evaluation.statistics import mean, measured
from search.listings.attribute_fields import CATEGORY
from search.listings.fit_heads import price_scale, shop_examples, shop_examples_with_pictures, title_trusts
from search.listings.price_range import PRICE_NEIGHBOURS, PriceScale, centre_and_spread
from search.listings.title_values import TitleTrust, TitleValueMatcher, apply_title_evidence
from tests.quality.measures import reliability
from tests.quality.report.records import Headline, Outcome, Section, Share, Table

COVERAGES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
MAX_CONFUSIONS = 15
SHOWN_FIELDS = ("category", "colour")
FLOORS = (
    ("category", "accuracy_at_1", "first", 0.87),
    ("category", "accuracy_at_3", "in three", 0.965),
    ("colour", "accuracy_at_1", "first", 0.65),
    ("colour", "accuracy_at_3", "in three", 0.87),
)
DRAWN_LABELS = 24  # labels in a picture of confusions


def holdout_mask(products: list[Product], fresh: NDArray[np.bool_], share: float, *, seen: bool) -> NDArray[np.bool_]:
    """Choose products by the hash of their ids; with `seen` also those that the encoder was trained on."""
    drawn = [int.from_bytes(hashlib.sha256(p.id.encode()).digest()[:4], "big") >= (1 - share) * 2**32 for p in products]
    return np.array(drawn) & (np.ones_like(fresh) if seen else fresh)


@dataclass(frozen=True, slots=True)
class Queries:
    """Listings to label: rows of the pictures as they are and mirrored, as a merchant's are encoded; labels, titles."""

    views: tuple[Floats, Floats]
    labels: Mapping[str, Sequence[tuple[str, ...]]]
    titles: Sequence[str]


def measure(
    home: Path, share: float, *, seen: bool, pictures: Path | None = None, fine_tuned: bool = False
) -> dict[str, Any]:
    """Measure every field on the holdout, without and with titles; draw confusions into the folder `pictures`.

    With `fine_tuned`, a network is fitted on the same products as the heads.
    """
    generation = open_current(home)
    examples, products, files = shop_examples_with_pictures(home, generation)
    holdout = holdout_mask(products, examples.fresh, share, seen=seen)
    chosen, others = np.flatnonzero(holdout), np.flatnonzero(~holdout)
    training = examples.take(others)
    heads = fit_label_heads(training, LabelRecipe(), 0)
    queries = encode_queries(
        home,
        examples.take(chosen),
        [files[i] for i in chosen.tolist()],
        [products[i].title for i in chosen.tolist()],
    )
    trusts = title_trusts(training, [products[i] for i in others.tolist()], heads)
    network: dict[str, NetworkOutput] = {}
    figures: dict[str, Any] = {"learnt": len(others), "kept_aside": len(chosen)}
    if fine_tuned:
        tuned = fit_label_network(training, [files[i] for i in others.tolist()], NetworkRecipe(), 0)
        shares = holdout_network_shares(tuned, [files[i] for i in chosen.tolist()])
        network = {field: NetworkOutput(part, shares[field]) for field, part in tuned.fields.items()}
        figures["network"] = dict(tuned.measured)
    for titled in (False, True):
        for field, head in heads.items():
            sure, truth, threshold = confidences(training, queries, head, network.get(field), titled=titled)
            if titled and field in trusts:
                matcher = TitleValueMatcher(head.names)
                sure, truth = with_title_values(sure, truth, queries.titles, matcher, trusts[field])
            has_label = truth.sum(axis=1) > 0
            key = f"{field} with title" if titled else field
            figures[key] = field_figures(sure[has_label], truth[has_label], threshold)
            if field == CATEGORY:
                figures[key]["levels"] = level_figures(sure[has_label], truth[has_label], head.names)
            if not titled:
                figures[key]["confused"] = confusions(sure[has_label], truth[has_label], head.names)
                if pictures is not None:
                    draw_confusions(sure, truth, head.names, pictures / f"{field}.svg")
    return figures


def with_title_values(
    sure: Floats, truth: Floats, titles: Sequence[str], matcher: TitleValueMatcher, trust: TitleTrust
) -> tuple[Floats, Floats]:
    """Return confidences and truth, both (n, names + 1), after title evidence; the last column is several values."""
    names = [*matcher.names, *map(str, range(len(matcher.names), sure.shape[1]))]
    joined_sure, joined_truth = (np.pad(array, ((0, 0), (0, 1))) for array in (sure, truth))
    for row, title in enumerate(titles):
        found = matcher.of(title)
        values = apply_title_evidence(dict(zip(names, sure[row].tolist(), strict=True)), found, trust)
        joined_sure[row, :-1] = [values[name] for name in names]
        joined_sure[row, -1] = sum(values.values()) - sum(values[name] for name in names)
        true = {name for name, share in zip(names, truth[row].tolist(), strict=True) if share > 0}
        joined_truth[row, -1] = len(found) > 1 and true == set(found)
    return joined_sure, joined_truth


def encode_queries(home: Path, examples: LabelExamples, files: Sequence[Path], titles: Sequence[str]) -> Queries:
    """Return the examples as queries: the encoder reads each picture and its mirror image."""
    encoder = open_encoder(open_current(home).manifest.encoder.name, home=home)
    mirrored = examples.rows.copy()
    for part in chunks(len(files), 64):
        pictures = [ImageOps.mirror(decode(read_file(file))) for file in files[part]]
        mirrored[part, : examples.layout.encoder_dim] = encoder.encode_images(pictures)
    return Queries((examples.rows, mirrored), examples.labels, titles)


def holdout_network_shares(tuned: Tuned, files: Sequence[Path]) -> dict[str, Floats]:
    """Return the network's softmax of pictures by field, (n, names)."""
    maps, good = early_maps(files, 0, lambda done: None)
    assert good.all()
    sizes = {field: len(names) for field, names in tuned.outputs.items()}
    return network_shares(tuned.late, maps, sizes)


def confidences(
    training: LabelExamples, queries: Queries, head: LabelHead, network: NetworkOutput | None, *, titled: bool
) -> tuple[Floats, Floats, float]:
    """Return confidences and truth, both (n, names), and the threshold; labels that nothing knows are misses."""
    views = [rows.copy() for rows in queries.views]
    if not titled:
        for rows in views:
            rows[:, words_slice(training.layout)] = 0.0
    vectors = neighbour_queries(training.layout, training.weights, np.mean(views, axis=0), titled)
    scores, near = nearest_products(vectors, np.full(len(vectors), -1), training.rows, training.groups)
    neighbours = Neighbours(scores, near, training.labels[head.field])
    found = predict_labels(list(np.stack(views, axis=1)), neighbours, head, network, titled=titled)
    true = queries.labels[head.field]
    unknown = sorted({name for own in true for name in own} - set(found.names))
    padded = np.pad(found.confidences, ((0, 0), (0, len(unknown))))
    return padded, targets_of(true, [*found.names, *unknown]), found.threshold


def field_figures(sure: Floats, truth: Floats, threshold: float) -> dict[str, Any]:
    """Return accuracy at 1 and 3 (micro, macro), calibration, and accuracy by coverage with the fitted threshold."""
    order = np.argsort(-sure, axis=1)[:, :3]
    hits = np.take_along_axis(truth, order, 1) > 0
    right, best = hits[:, 0], sure.max(axis=1)
    by_label = [right[truth[:, label] > 0] for label in np.flatnonzero(truth.sum(axis=0))]
    ranked = right[np.argsort(-best, kind="stable")]
    answered = best >= threshold
    bins = reliability(best.tolist(), right.tolist())
    return {
        "products": len(right),
        **measured("accuracy_at_1", mean, right),
        **measured("accuracy_at_3", mean, hits.any(axis=1)),
        "macro_at_1": round(float(np.mean([outcomes.mean() for outcomes in by_label])), 4),
        "cut": round(threshold, 4),
        **measured("coverage", mean, answered),
        **measured("accuracy_when_answered", mean, right[answered]),
        "accuracy_by_coverage": {str(c): round(float(ranked[: int(c * len(ranked))].mean()), 4) for c in COVERAGES},
        "calibration_error": round(sum(b.count * abs(b.stated - b.true) for b in bins) / len(right), 4),
    }


def level_figures(sure: Floats, truth: Floats, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return accuracy at each level of the category tree, from confidences summed over children; known labels only."""
    truth, sure = truth[:, : len(names)], sure[:, : len(names)]
    has_label = truth.sum(axis=1) > 0
    deepest = max(name.count(CATEGORY_SEPARATOR) for name in names) + 1
    found = []
    for depth in range(1, deepest + 1):
        parents = [CATEGORY_SEPARATOR.join(name.split(CATEGORY_SEPARATOR)[:depth]) for name in names]
        different = sorted(set(parents))
        under = np.array([[parent == name for name in different] for parent in parents], np.float32)
        at = field_figures(sure[has_label] @ under, truth[has_label] @ under, 1.0)
        found.append({name: at[name] for name in ("accuracy_at_1", "accuracy_at_3", "macro_at_1")})
    return found


def confusions(sure: Floats, truth: Floats, names: tuple[str, ...]) -> list[tuple[str, str, int]]:
    """Return the most frequent confusions: (true label, predicted label, count)."""
    predicted = sure.argmax(axis=1)
    wrong = np.flatnonzero(truth[np.arange(len(predicted)), predicted] == 0)
    labels = [*names, *(["(unknown to the head)"] * (truth.shape[1] - len(names)))]
    pairs = Counter((int(truth[row].argmax()), int(predicted[row])) for row in wrong.tolist())
    return [(labels[true], labels[other], count) for (true, other), count in pairs.most_common(MAX_CONFUSIONS)]


def price_figures(home: Path, folds: int = 5) -> dict[str, Any]:
    """Measure coverage and width of 80 % price ranges by cross-validation on the priced products.

    The baseline is a range of the same coverage from the true category only.
    """
    examples, products = shop_examples(home, open_current(home))
    logs = np.log([float(p.price or 1) for p in products])
    ids, own = np.unique([p.id for p in products], return_inverse=True)
    fold = np.random.default_rng(0).permutation(len(ids)) % folds
    held, width, category_width, category_held = [], [], [], []
    for number in range(folds):
        training = np.flatnonzero(fold[own] != number)
        part = examples.take(training)
        scale = price_scale(part, [products[i] for i in training.tolist()])
        assert isinstance(scale, PriceScale)
        by_category, quantile = category_widths([products[i] for i in training.tolist()], logs[training])
        holdout = np.array([np.flatnonzero(own == i)[0] for i in np.flatnonzero(fold == number)])
        queries = neighbour_queries(examples.layout, examples.weights, examples.rows[holdout], titled=False)
        scores, near = nearest_products(queries, np.full(len(holdout), -1), part.rows, part.groups, PRICE_NEIGHBOURS)
        for i, product in enumerate(holdout.tolist()):
            centre, spread = centre_and_spread(logs[training][near[i]], scores[i])
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
    """Return the median log price of each category, and the 80 % quantile of distances from the others' median."""
    named = np.array([p.category for p in products])
    ids = np.array([p.id for p in products])
    distances = []
    for i in range(len(products)):
        others = logs[(named == named[i]) & (ids != ids[i])]
        if len(others):
            distances.append(abs(logs[i] - np.median(others)))
    middles = {name: float(np.median(logs[named == name])) for name in set(named.tolist())}
    return middles, float(np.quantile(distances, 0.8))


def draw_confusions(sure: Floats, truth: Floats, names: tuple[str, ...], out: Path) -> None:
    """Draw the confusion matrix of the most frequent labels as an SVG."""
    from matplotlib.figure import Figure

    known = truth[:, : len(names)].sum(axis=1) > 0
    true, predicted = truth[known, : len(names)].argmax(axis=1), sure[known, : len(names)].argmax(axis=1)
    counts = np.zeros((len(names), len(names)))
    np.add.at(counts, (true, predicted), 1)
    shown = np.argsort(-counts.sum(axis=1))[:DRAWN_LABELS]
    shares = counts[np.ix_(shown, shown)] / np.maximum(counts[shown].sum(axis=1, keepdims=True), 1)
    figure = Figure((8, 7), layout="constrained")
    axes = figure.add_subplot()
    drawn = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(shown)), [names[i] for i in shown], rotation=90, fontsize=8)
    axes.set_yticks(range(len(shown)), [f"{names[i]} ({int(counts[i].sum())})" for i in shown], fontsize=8)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true (products)")
    figure.colorbar(drawn, label="share of the row")
    figure.savefig(out, format="svg")


def suggested_listings(home: Path) -> Outcome:
    """Measure suggested categories and colours on a holdout half of a shop, without and with titles."""
    figures = measure(home, 0.5, seen=False)
    named = [f"{field}{suffix}" for field in SHOWN_FIELDS for suffix in ("", " with title")]
    shown = ("accuracy_at_1", "accuracy_at_3", "coverage", "accuracy_when_answered")
    rows = tuple((key, f"{figures[key]['products']:,}", *(Share.of(figures[key], at) for at in shown)) for key in named)
    section = Section(
        "Fashion: proposed listings",
        f"Heads fitted on {figures['learnt']:,} products suggest for {figures['kept_aside']:,} others, which neither "
        "they nor the encoder know. Below its threshold a field is left open: coverage is the share that is answered.",
        (Table(("field", "n", "right", "among three", "answered", "right when answered"), rows),),
    )
    headlines = tuple(
        Headline(f"Proposed {field}, {depth}", Share.of(figures[field], at), figures[field]["products"], floor)
        for field, at, depth, floor in FLOORS
    )
    return Outcome("listings", figures, section, headlines)


def main() -> None:
    """Measure one shop and print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.quality.listings", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="a shop that is built")
    parser.add_argument("--share", type=float, default=0.5, help="share of the products in the holdout")
    parser.add_argument("--seen", action="store_true", help="also hold out products that the encoder was trained on")
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
