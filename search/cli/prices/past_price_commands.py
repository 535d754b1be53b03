"""python -m search prices import, export, show: the past prices of a shop's products."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from time import time
from typing import Any, TextIO

import click

from catalog.errors import UnknownProduct
from catalog.files.atomic import write_atomically
from catalog.home import ShopHome
from catalog.money.amounts import number_text
from catalog.price_history.price_change import PriceChange
from catalog.price_history.readings import LowestPrice, lowest_before_reduction
from catalog.storage.catalogue import Catalogue
from catalog.storage.opening import open_catalogue
from catalog.text.csv_export import write_csv
from indexer.cli.common import home_option
from search.cli.common import (
    FILE_TYPE,
    OUTPUT_TYPE,
    exit_if_rejected,
    json_option,
    print_import,
    print_json,
    print_table,
)
from search.pricing.past_prices.past_price_import import PastPriceImport
from search.pricing.past_prices.past_price_rows import COLUMNS

SHOWN_COLUMNS = ("from", "price", "list price", "state", "source")


@click.command("import")
@json_option
@home_option
@click.argument("table", type=FILE_TYPE)
@click.option("--encoding", default="", help="Encoding of the file, such as gb18030; else it is found out.")
def import_prices_command(home: Path, as_json: bool, table: Path, encoding: str) -> None:
    """Add past prices of a CSV file, which may be packed (.csv.gz), to the history of the shop's prices.

    Columns: product_id, time (ISO 8601, UTC without a zone), price, and perhaps list_price, currency, in_stock and
    present. A row says what a product cost from its time on, until the next. Rows count up to the time from which the
    shop recorded a product's prices itself. Prices that are stored already are not added again. The exit code is 3 when
    rows were rejected.
    """
    shop = ShopHome(home)
    with closing(open_catalogue(home)) as catalogue:
        report = PastPriceImport(catalogue.price_history, shop.rejected_prices).run(table, encoding)
    print_import(report, report.to_dict(), shop.rejected_prices, as_json)
    exit_if_rejected(report, shop.rejected_prices)


@click.command("export")
@home_option
@click.argument("table", type=OUTPUT_TYPE, required=False)
@click.option("--product", "product_id", help="Only the prices of the product with this id.")
def export_prices_command(home: Path, table: Path | None, product_id: str | None) -> None:
    """Write all prices that products have and had as CSV, to a file or to the terminal, by product and time.

    `prices import` reads the file, also in another shop that has these products.
    """
    with closing(open_catalogue(home)) as catalogue:
        histories: Iterable[tuple[str, tuple[PriceChange, ...]]] = catalogue.price_history.of_all()
        if product_id is not None:
            histories = [(product_id, _changes(catalogue, product_id))]
        if table is None:
            _write(sys.stdout, histories)
            return

        def write(draft: Path) -> None:
            with draft.open("w", encoding="utf-8", newline="") as file:
                _write(file, histories)

        write_atomically(table, write)


def _write(file: TextIO, histories: Iterable[tuple[str, tuple[PriceChange, ...]]]) -> None:
    write_csv(file, [COLUMNS])
    write_csv(file, _rows(histories))


@click.command("show")
@json_option
@home_option
@click.argument("product_id")
def show_prices_command(home: Path, as_json: bool, product_id: str) -> None:
    """Print what a product cost, newest first, and the lowest price of the 30 days before its reduction, if any."""
    with closing(open_catalogue(home)) as catalogue:
        changes = _changes(catalogue, product_id)
    lowest = lowest_before_reduction(changes, int(time()))
    if as_json:
        print_json({"product_id": product_id, "changes": [*map(_body, changes)], "lowest_30_days": _lowest(lowest)})
        return
    rows = [(_time(change.at), *_shown(change)) for change in reversed(changes)]
    print_table(SHOWN_COLUMNS, rows, ("price", "list price"))
    if lowest is not None:
        reach = "" if lowest.complete else ", as far back as the history reaches"
        price = f"{_text(lowest.price)} {lowest.currency}".strip()
        click.echo(f"Lowest price of the 30 days before the reduction: {price}{reach}.")


def _changes(catalogue: Catalogue, product_id: str) -> tuple[PriceChange, ...]:
    """Return the history of a product. Raises UnknownProduct."""
    changes = catalogue.price_history.changes(product_id)
    if not changes:
        problem = f"No price of a product with the id {product_id[:100]!r} is recorded."
        raise UnknownProduct(problem, "Check the id: `windowshop search` prints those of products.")
    return changes


def _rows(histories: Iterable[tuple[str, tuple[PriceChange, ...]]]) -> Iterator[tuple[str, ...]]:
    for product_id, changes in histories:
        for change in changes:
            amounts = (_text(change.price), _text(change.list_price))
            flags = ("yes" if flag else "no" for flag in (change.in_stock, change.present))
            yield product_id, _time(change.at), *amounts, change.currency, *flags


def _body(change: PriceChange) -> dict[str, Any]:
    return {
        "at": _time(change.at),
        "price": _text(change.price) or None,
        "list_price": _text(change.list_price) or None,
        "currency": change.currency,
        "in_stock": change.in_stock,
        "present": change.present,
        "imported": change.imported,
    }


def _lowest(lowest: LowestPrice | None) -> dict[str, Any] | None:
    if lowest is None:
        return None
    price = {"price": _text(lowest.price), "currency": lowest.currency}
    return {**price, "since": _time(lowest.since), "complete": lowest.complete}


def _shown(change: PriceChange) -> tuple[str, str, str, str]:
    state = "" if change.in_stock else "out of stock"
    price = f"{_text(change.price)} {change.currency}".strip() if change.price is not None else "-"
    source = "imported" if change.imported else ""
    return price, _text(change.list_price), state if change.present else "not in the shop", source


def _text(amount: Decimal | None) -> str:
    """Return an amount that `prices import` can read in one way only; "" for none."""
    return "" if amount is None else number_text(str(amount))


def _time(at: int) -> str:
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
