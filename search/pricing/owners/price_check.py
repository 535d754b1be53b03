"""Check the prices of a whole shop, and write the overview that pages read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.files.atomic import write_atomically
from catalog.home import ShopHome
from catalog.price_history.price_change import PriceChange
from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from search.pricing.demand.price_advice import NOT_KNOWN
from search.pricing.owners.price_overview import OverviewRow, OverviewSummary, OverviewWriter, overview_writer
from search.pricing.owners.rules.price_finding import PriceFinding
from search.pricing.owners.rules.price_spans import DAY_S
from search.pricing.owners.rules.product_check import CostLimit, no_limit, product_findings
from search.pricing.owners.rules.stale_prices import LongTermMove, category_moves, long_term_move, stale_finding

HISTORY_S = 460 * DAY_S  # of history that is read: the year before a jump of which the 90 days are nearly over
PROGRESS_EVERY = 1_000  # products

LimitOf = Callable[[Product], CostLimit]
ChangesOf = Callable[[str, int], tuple[PriceChange, ...]]  # of a product id, since a time in unix seconds
ReportDone = Callable[[int], object]  # how many products are done


def _not_known(product: Product) -> str:
    return NOT_KNOWN


@dataclass(frozen=True, slots=True)
class CheckInputs:
    """What a check knows besides the history: costs with limits, the verdict of demand, and effects of promotions.

    `promotions` are the rows of the summary.
    """

    limit_of: LimitOf = no_limit
    verdict_of: Callable[[Product], str] = _not_known
    promotions: tuple[Mapping[str, Any], ...] = ()


def all_findings(
    products: Iterable[Product], changes_of: ChangesOf, limit_of: LimitOf, now: int
) -> Iterator[tuple[Product, tuple[PriceFinding, ...]]]:
    """Yield each product with its findings; at the end yield those with a stale price again, with that finding."""
    moves: list[tuple[Product, LongTermMove]] = []
    for product in products:
        changes = changes_of(product.id, now - HISTORY_S)
        yield product, product_findings(changes, now, limit_of(product))
        move = long_term_move(changes, product.category, now)
        if move is not None:
            moves.append((product, move))
    categories = category_moves(move for _, move in moves)
    for product, move in moves:
        finding = stale_finding(move, categories, now)
        if finding is not None:
            yield product, (finding,)


def check_prices(
    home: Path,
    catalogue: Catalogue,
    inputs: CheckInputs,
    now: int | None = None,
    progress: ReportDone = lambda done: None,
) -> OverviewSummary:
    """Check every product and put the new overview in place; a killed check leaves the old one. Raises StoreError."""
    started, at = time.monotonic(), int(time.time()) if now is None else now
    seq = catalogue.seq
    path = ShopHome(home).price_overview
    path.parent.mkdir(exist_ok=True)
    written: list[OverviewSummary] = []

    def write(draft: Path) -> None:
        with overview_writer(draft) as writer:
            _add_all(catalogue, inputs, at, writer, progress)
            summary = OverviewSummary(at, round(time.monotonic() - started, 2), seq, {}, inputs.promotions)
            written.append(writer.finish(summary))

    write_atomically(path, write)
    return written[0]


def _add_all(catalogue: Catalogue, inputs: CheckInputs, now: int, writer: OverviewWriter, progress: ReportDone) -> None:
    keys: dict[str, int] = {}

    def products() -> Iterator[Product]:
        for key, product in catalogue.iterate():
            keys[product.id] = key
            yield product

    added: set[str] = set()
    changes_of = catalogue.price_history.changes
    for product, findings in all_findings(products(), changes_of, inputs.limit_of, now):
        if product.id in added:
            writer.add_finding(keys[product.id], findings[0])
            continue
        added.add(product.id)
        verdict = inputs.verdict_of(product)
        writer.add(OverviewRow(keys[product.id], product.id, product.title, verdict, findings))
        if len(added) % PROGRESS_EVERY == 0:
            progress(len(added))
