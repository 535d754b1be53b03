"""Whether the right product is found: by a shopper's photo, and by a shopper's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from catalog.sample.generator.catalogue.plan import TEST, TRAIN
from search.evaluation.statistics import mean, measured
from tests.quality.measures import rank_figures
from tests.quality.questions import Answer, of_split, ranks, unreadable
from tests.quality.report.failures import photo_failure, words_failure, worst
from tests.quality.report.plots import recall_curve
from tests.quality.report.rank_tables import COLUMNS, rank_headline, rank_table
from tests.quality.report.records import Gallery, Outcome, Plot, Section
from tests.quality.sample_shop import SampleShop, family, group

LANGUAGES = {"en": "English", "zh": "Chinese"}
PHOTO_FLOORS = {"recall_at_1": 0.60, "recall_at_5": 0.90}
CAPTION_FLOORS = {"en": {"recall_at_10": 0.85}}
NEAR = {"same_group_at_1": "sibling first", "same_family_at_1": "same family first"}


def photo_to_product(shop: SampleShop) -> Outcome:
    """Shoppers' photos of one product each: is it found? Products that training never saw are the honest figure."""
    sets = {TEST: of_split(shop.photos, TEST), TRAIN: of_split(shop.photos, TRAIN), "all": shop.photos}
    figures = {name: rank_figures(ranks(answers)) | near_misses(answers, shop) for name, answers in sets.items()}
    refused = unreadable(shop.photos)
    section = Section(
        title="From a photo to its product",
        how="Each photo shows one product of the shop, in someone's home. R@k is the share of photos whose product is "
        "among the first k hits, MRR the mean of 1 / its rank. Only photos of products that no training has seen "
        "(test) tell what a new shop can expect. A sibling is the same shape in another colour or pattern; the columns "
        "count the first hits that are at least that close, the right product included.",
        tables=(rank_table("photos", figures, NEAR),),
        plots=(
            Plot(
                recall_curve({name: ranks(sets[name]) for name in (TEST, TRAIN)}, "photos", "Recall of photos"),
                "How many photos have their product among the first so many hits.",
            ),
        ),
        galleries=(
            Gallery(
                "Test photos whose product came latest",
                tuple(photo_failure(answer, shop.products) for answer in worst(sets[TEST])),
            ),
        ),
        note=f"{len(refused)} photos could not be read and count as misses." if refused else "",
    )
    headlines = [rank_headline("Photo to product", figures[TEST], key, PHOTO_FLOORS.get(key)) for key in COLUMNS]
    return Outcome("photo_to_product", figures | {"unreadable": refused}, section, tuple(headlines))


def caption_to_product(shop: SampleShop) -> Outcome:
    """Shoppers' words for a product, none of them in the feed: is it found? Each language by itself."""
    figures: dict[str, dict[str, Any]] = {}
    galleries, curves, headlines = [], {}, []
    for language, answers in shop.captions.items():
        name = LANGUAGES.get(language, language)
        tested = of_split(answers, TEST)
        sets = {TEST: tested, TRAIN: of_split(answers, TRAIN), "all": answers}
        figures[language] = {split: rank_figures(ranks(some)) for split, some in sets.items()}
        curves[name] = ranks(tested)
        failures = tuple(words_failure(answer, shop.products) for answer in worst(tested))
        galleries.append(Gallery(f"{name} captions whose product came latest", failures))
        floors = CAPTION_FLOORS.get(language, {})
        headlines += [
            rank_headline(f"{name} caption to product", figures[language][TEST], key, floors.get(key))
            for key in COLUMNS
        ]
    rows = {f"{LANGUAGES.get(k, k)}, {split}": found for k, sets in figures.items() for split, found in sets.items()}
    section = Section(
        title="From words to the product",
        how="Each caption is how a shopper might ask for one product; none of them is in the feed. Captions are "
        "measured as photos are; again only test products tell what a new shop can expect.",
        tables=(rank_table("captions", rows),),
        plots=(
            Plot(
                recall_curve(curves, "captions", "Recall of captions"),
                "How many test captions have their product among the first so many hits.",
            ),
        ),
        galleries=tuple(galleries),
    )
    return Outcome("caption_to_product", figures, section, tuple(headlines))


def near_misses(answers: Sequence[Answer], shop: SampleShop) -> dict[str, Any]:
    """The shares of first hits that are the right product or a sibling, and that are at least of its family."""
    pairs = [(shop.products[a.question.product_id], a.hits[0].product if a.hits else None) for a in answers]
    return measured(
        "same_group_at_1", mean, [hit is not None and group(hit) == group(right) for right, hit in pairs]
    ) | measured("same_family_at_1", mean, [hit is not None and family(hit) == family(right) for right, hit in pairs])
