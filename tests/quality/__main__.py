"""make eval: how good it is, as one JSON and one HTML report with plots and the worst failures as pictures."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from catalog.errors import WindowshopError
from catalog.sample import SAMPLE_FOLDER
from indexer.encoders.base import Encoder
from indexer.encoders.registry import DEFAULT_ENCODER, open_encoder
from tests.quality.doctor import planted_faults
from tests.quality.objects.scenes import products_in_scenes
from tests.quality.objects.single_products import sample_single_products
from tests.quality.photo_verdicts.confusion import sample_confusion
from tests.quality.prices.forecasts import measure_prices
from tests.quality.public_data import measure_public_data
from tests.quality.recommendations.cold_products import measure_new_products
from tests.quality.recommendations.purchases import measure_purchases
from tests.quality.repeated_rows import repeated_rows
from tests.quality.report.records import Outcome, Part
from tests.quality.report.report import terminal_table, write_report
from tests.quality.sample_shop import SampleShop, missing_tables, open_sample_shop
from tests.quality.sections.categories import by_category
from tests.quality.sections.composed import composed_queries
from tests.quality.sections.duplicates import other_views, planted_duplicates
from tests.quality.sections.facet_counts import sample_facets
from tests.quality.sections.finding import caption_to_product, photo_to_product
from tests.quality.sections.hybrid import words_by_part
from tests.quality.sections.no_match import no_match
from tests.quality.sections.short_questions import sample_own_words, sample_short_questions
from tests.quality.sections.similar import similar_items
from tests.quality.sections.words_verdict import removed_kinds, sample_verdict
from tests.quality.service.intents import measure_service
from tests.quality.service.product_questions import measure_product_questions
from tests.quality.shoppers import next_views

WIDTH = 100
MOST_PLANTED = 40  # products of each shop; every one is asked some seven times
MOST_ROWS = 600  # products of each shop that are rows of one table
TASKS: tuple[Callable[[SampleShop], Outcome], ...] = (
    photo_to_product,
    caption_to_product,
    words_by_part,
    sample_short_questions,
    sample_own_words,
    sample_verdict,
    sample_facets,
    no_match,
    sample_confusion,
    products_in_scenes,
    sample_single_products,
    similar_items,
    composed_queries,
    next_views,
    by_category,
)


def main() -> None:
    """Measure everything that there is data for, write the report, and print its summary."""
    parser = argparse.ArgumentParser(prog="python -m tests.quality", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="holds fashion/, grocery/, clothing/")
    parser.add_argument("--work", type=Path, default=Path("var/eval"), help="where shops are built and the report goes")
    parser.add_argument("--sample-only", action="store_true", help="leave the public data out")
    parser.add_argument("--fashion", type=Path, help="ask short questions of this shop of the whole fashion feed")
    parser.add_argument("--doctor", type=Path, help="also plant faults into a copy of this shop of the fashion feed")
    options = parser.parse_args()
    try:
        encoder = open_encoder(DEFAULT_ENCODER)
        parts = [measure_sample_shop(SAMPLE_FOLDER, options.work / "sample", encoder)]
        built = {"Sample shop": options.work / "sample"}
        if not options.sample_only:
            parts.append(measure_public_data(options.data, options.work, encoder, options.fashion))
            built |= {"Grocery": options.work / "grocery", "Fashion": options.work / "fashion" / "shop"}
            parts.append(measure_purchases(options.data / "purchases"))
            parts.append(measure_prices(options.data / "purchases"))
            parts.append(measure_service(options.data / "language"))
            parts.append(measure_product_questions(options.data))
        parts.append(measure_new_products(built["Sample shop"], options.fashion or built.get("Fashion")))
        parts.append(measure_merchants_desk(built, options.data, options.work, encoder))
        if options.doctor is not None:
            planted = planted_faults(options.doctor, options.data / "fashion", options.work / "doctor")
            parts.append(Part("doctor", "The catalogue doctor", (planted,)))
        page = write_report(parts, encoder.spec.name, options.work)
    except WindowshopError as error:
        sys.exit(f"Error: {error}")
    print(terminal_table(parts, shutil.get_terminal_size((WIDTH, 24)).columns))
    print(f"\nThe report: {page}")


def measure_sample_shop(folder: Path, home: Path, encoder: Encoder) -> Part:
    """All tasks on the sample shop in `folder`, indexed in `home`; skipped while its tables are not made."""
    key, title = "sample_shop", "The sample shop"
    if missing := missing_tables(folder):
        return Part(
            key, title, skipped=f"{folder} has no {', '.join(missing)}; catalog/sample/README.md says how to make it."
        )
    with open_sample_shop(folder, home, encoder) as shop:
        outcomes = tuple(task(shop) for task in TASKS)
        status = shop.engine.status()
    outcomes += (removed_kinds(folder, home, home.with_name(f"{home.name}-removed-kinds"), encoder),)
    facts = {"products": status.products, "pictures": status.pictures}
    return Part(key, title, outcomes, facts=facts)


def measure_merchants_desk(built: Mapping[str, Path], data: Path, work: Path, encoder: Encoder) -> Part:
    """What is proposed to merchants, in the shops that the parts before have built."""
    # Here, as they import torch and timm: two seconds for every worker of the tests that collects this module.
    from tests.quality.clothing import clothing_categories
    from tests.quality.listings import suggested_listings

    shops = {name: home for name, home in built.items() if (home / "current").exists()}
    outcomes = [planted_duplicates(home, name, MOST_PLANTED) for name, home in shops.items()]
    outcomes += [repeated_rows(home, name, MOST_ROWS) for name, home in shops.items()]
    if not missing_tables(SAMPLE_FOLDER):
        outcomes.append(other_views(SAMPLE_FOLDER / "products.csv", work / "views", encoder))
    if "Fashion" in shops:
        outcomes.append(suggested_listings(shops["Fashion"]))
        outcomes.append(clothing_categories(data / "clothing", work / "clothing", encoder))
    return Part("merchant", "The merchant's desk", tuple(outcomes))


if __name__ == "__main__":
    main()
