"""python -m search reconcile: compare the whole catalogue of Shopify or WooCommerce with the shop."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from catalog.errors import BadFeed
from catalog.feeds.platform_documents.document import ProductDocument
from catalog.feeds.platform_documents.shopify_documents import read_bulk_export
from catalog.feeds.platform_documents.woocommerce_documents import read_list
from catalog.home import ShopHome
from indexer.build.report import print_rejections
from indexer.cli.common import SOME_REJECTED, Commands, home_option, runtime_option
from indexer.encoders.registry import DEFAULT_ENCODER, open_encoder
from indexer.generations import store
from search.cli.common import FILE_TYPE, json_option, print_figures, print_json
from search.connect.reconcile import ReconcileOptions, reconcile
from search.connect.shopify_site import ShopifySite
from search.connect.woocommerce_site import WooCommerceSite

currency_option = click.option(
    "--currency", default="", envvar="WINDOWSHOP_SHOP_CURRENCY", show_envvar=True, help="Currency of the prices."
)


def _shared_options(command: Callable[..., Any]) -> Callable[..., Any]:
    options = (
        home_option,
        runtime_option,
        json_option,
        currency_option,
        click.option("--allow-shrink", is_flag=True, help="Remove products even if that is more than half of them."),
        click.option("--force", is_flag=True, help="Publish even if the answers differ much from before."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group("reconcile", cls=Commands)
def reconcile_command() -> None:
    """Make the shop equal to Shopify's or WooCommerce's catalogue: what webhooks missed is found and mended.

    Run it every night, and once to begin. Only what changed is encoded; running servers follow. The exit code is 3
    when some products could not be used.
    """


@reconcile_command.command("shopify")
@click.argument("export", type=FILE_TYPE, required=False)
@click.option("--shop-url", default="", envvar="WINDOWSHOP_SHOP_URL", show_envvar=True, help="Where the shop is.")
@click.option("--domain", default="", envvar="WINDOWSHOP_SHOPIFY_DOMAIN", show_envvar=True, help="Its Shopify name.")
@click.option("--token", envvar="WINDOWSHOP_SHOPIFY_TOKEN", show_envvar=True, help="The app's access token.")
@_shared_options
def shopify_command(
    export: Path | None, shop_url: str, domain: str, token: str | None, home: Path, **options: Any
) -> None:
    """Reconcile with EXPORT, the JSON Lines file of a bulk operation; without it, Shopify is asked for a new one."""
    if export is None:
        if not domain or not token:
            hint = "Give a file, or set WINDOWSHOP_SHOPIFY_DOMAIN and WINDOWSHOP_SHOPIFY_TOKEN."
            raise BadFeed("The shop's products cannot be read without its name and a token.", hint)
        export = ShopHome(home).shopify_export
        export.parent.mkdir(parents=True, exist_ok=True)
        click.echo(f"{ShopifySite(domain, token).write_products(export):,} lines read from {domain}.", err=True)
    address = shop_url or (f"https://{domain}" if domain else "")
    _run("shopify", read_bulk_export(export, address), home=home, **options)


@reconcile_command.command("woocommerce")
@click.argument("listing", type=FILE_TYPE, required=False)
@click.option("--site", help="Read the products of this shop, such as https://shop.example, in place of a file.")
@click.option("--key", envvar="WINDOWSHOP_WOOCOMMERCE_KEY", show_envvar=True, help="Key of the REST interface.")
@click.option("--key-secret", envvar="WINDOWSHOP_WOOCOMMERCE_KEY_SECRET", show_envvar=True, help="The key's secret.")
@_shared_options
def woocommerce_command(
    listing: Path | None, site: str | None, key: str | None, key_secret: str | None, home: Path, **options: Any
) -> None:
    """Reconcile with LISTING, a file of what /wp-json/wc/v3/products answers, or with the shop itself (--site)."""
    if (listing is None) == (site is None):
        raise click.UsageError("Give either a file, or --site https://shop.example.")
    if site is not None:
        if not key or not key_secret:
            hint = "Set WINDOWSHOP_WOOCOMMERCE_KEY and WINDOWSHOP_WOOCOMMERCE_KEY_SECRET."
            raise BadFeed("The shop's products cannot be read without a key.", hint)
        listing = ShopHome(home).woocommerce_list
        listing.parent.mkdir(parents=True, exist_ok=True)
        count = WooCommerceSite(site, key, key_secret).write_products(listing)
        click.echo(f"{count:,} products read from {site}.", err=True)
    assert listing is not None  # one of the two was given
    _run("woocommerce", read_list(listing), home=home, **options)


def _run(
    platform: str,
    documents: Iterable[ProductDocument],
    *,
    home: Path,
    runtime: str,
    as_json: bool,
    **options: Any,
) -> None:
    """Reconcile and print what was found."""
    encoder = open_encoder(store.newest_encoder(home) or DEFAULT_ENCODER, runtime=runtime, home=home)
    home.mkdir(parents=True, exist_ok=True)
    found = reconcile(home, platform, documents, encoder, ReconcileOptions(**options))
    figures = {"products": found.products, "mended": found.mended, "newer": found.newer, "gone": found.gone}
    if as_json:
        print_json(figures | {"changes": found.report.changes.body(), "rejected": len(found.report.rejected)})
    else:
        print_figures(figures)
        click.echo(found.report.table())
        print_rejections(found.report.rejected, ShopHome(home).update_rejected)
    if found.report.rejected:
        raise click.exceptions.Exit(SOME_REJECTED)
