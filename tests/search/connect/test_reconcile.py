"""Reconciliation with the export of a platform: what webhooks missed is mended, and a broken export changes nothing."""

import json
from contextlib import closing

import pytest
from click.testing import CliRunner

from catalog.errors import BadFeed
from catalog.feeds.platform_documents.document import ProductDocument
from catalog.feeds.platform_documents.shopify_documents import product_of_webhook, read_bulk_export
from catalog.feeds.platform_documents.woocommerce_documents import read_list
from catalog.fetching.http_download import rules_for
from catalog.storage.catalogue import Catalogue
from indexer.build.feed_settings import PICTURE_SERVERS
from search.__main__ import main
from search.connect.inbox import DocumentChange, Inbox
from search.connect.platform_sync import PlatformSync
from search.connect.reconcile import ReconcileOptions, reconcile
from search.engine import SearchEngine
from search.live.product_edit import ProductEdit
from tests.catalog.picture_server import picture, reply, serving
from tests.fake_encoder import FakeEncoder
from tests.web.connect.platform_messages import (
    shopify_product,
    shopify_variant,
    woocommerce_product,
    woocommerce_variation,
)

SHOP = "https://corner.example"
COLOURS = {1: (250, 10, 10), 2: (10, 250, 10), 3: (10, 10, 250), 4: (250, 250, 10), 5: (10, 250, 250), 6: (90, 20, 200)}


@pytest.fixture
def pictures(monkeypatch):
    with serving() as server:
        for number, colour in COLOURS.items():
            server.answers[f"/{number}.png"] = reply(picture(colour, (60, 60 + number)))
        monkeypatch.setenv(PICTURE_SERVERS, f"127.0.0.1:{server.port}")
        monkeypatch.setattr("search.engine.open_encoder", lambda name, **_: FakeEncoder())
        yield f"http://127.0.0.1:{server.port}"


def webhook(number, base, title, updated="2026-11-01T10:00:00Z", price="10.00", **changes):
    """A product of one variant as a webhook has it."""
    images = [{"id": number, "src": f"{base}/{number}.png"}]
    variants = [shopify_variant(number * 10, "Default Title", updated=updated, price=price)]
    return shopify_product(
        number, updated, title=title, handle=f"p{number}", images=images, variants=variants, **changes
    )


def exported(payload):
    """The lines of a bulk operation for a product of a webhook."""
    product = f"gid://shopify/Product/{payload['id']}"
    names = {"title": "title", "vendor": "vendor", "handle": "handle", "descriptionHtml": "body_html"}
    body = {name: payload[field] for name, field in names.items()}
    body |= {"id": product, "productType": payload["product_type"], "status": payload["status"].upper()}
    body |= {
        "tags": payload["tags"].split(", "),
        "updatedAt": payload["updated_at"],
        "publishedAt": payload["published_at"],
    }
    lines = [body]
    sources = {image["id"]: image["src"] for image in payload["images"]}
    for number, source in sources.items():
        lines.append({"id": f"gid://shopify/MediaImage/{number}", "image": {"url": source}, "__parentId": product})
    for variant in payload["variants"]:
        options = [
            {"name": option["name"], "value": variant[f"option{place}"]}
            for place, option in enumerate(payload["options"], 1)
        ]
        line = {
            "id": f"gid://shopify/ProductVariant/{variant['id']}",
            "selectedOptions": options,
            "__parentId": product,
        }
        line |= {"price": variant["price"], "compareAtPrice": variant["compare_at_price"], "sku": variant["sku"]}
        line |= {"barcode": variant["barcode"], "inventoryQuantity": variant["inventory_quantity"]}
        line |= {"inventoryPolicy": variant["inventory_policy"].upper(), "inventoryItem": {"tracked": True}}
        line |= {"updatedAt": variant["updated_at"], "image": None}
        if variant["image_id"]:
            line["image"] = {"url": sources[variant["image_id"]]}
        lines.append(line)
    return lines


def write_export(path, payloads):
    path.write_text("".join(json.dumps(line) + "\n" for payload in payloads for line in exported(payload)))
    return path


def run(home, export, **options):
    return reconcile(home, "shopify", read_bulk_export(export, SHOP), FakeEncoder(), ReconcileOptions("EUR", **options))


def hook(home, payload):
    document = product_of_webhook(payload, SHOP)
    with closing(Inbox(home)) as inbox:
        return inbox.accept(
            DocumentChange("shopify", document.id, document.updated, document.merged), str(payload), str(payload)
        )


def work(home, pictures):
    """Work the inbox off with an engine, as a server does."""
    with closing(Inbox(home)) as inbox, SearchEngine.open(home) as engine:
        sync = PlatformSync(inbox, rules_for(pictures.removeprefix("http://")), "EUR")
        while sync.step(engine):
            pass


def stored(home):
    with closing(Catalogue.open(home / "catalog.sqlite")) as catalogue:
        return {product.id: product for _, product in catalogue.iterate()}


def test_a_webhook_and_an_export_make_the_same_document(tmp_path, pictures):
    several = webhook(1, pictures, "Shirt", options=[{"name": "Size"}, {"name": "Colour"}])
    several["variants"] = [
        shopify_variant(11, "S", "Red", image_id=1, compare_at_price="30.00"),
        shopify_variant(12, "M", "Red", inventory_quantity=0, inventory_policy="continue"),
    ]
    payloads = [several, webhook(2, pictures, "Cup", status="draft"), webhook(3, pictures, "Bowl")]
    documents = list(read_bulk_export(write_export(tmp_path / "export.jsonl", payloads), SHOP))
    assert documents == [product_of_webhook(payload, SHOP) for payload in payloads]


def test_missed_webhooks_are_found_and_mended(tmp_path, pictures):
    home, export = tmp_path / "shop", tmp_path / "export.jsonl"
    first = [webhook(number, pictures, f"Thing {number}") for number in (1, 2, 3, 4)]
    begun = run(home, write_export(export, first))
    assert (begun.products, begun.mended, begun.report.changes.counts["added"]) == (4, 4, 4)
    assert stored(home)["1"].link == f"{SHOP}/products/p1"

    same = run(home, export)
    assert (same.mended, same.newer, same.gone, same.report.made) == (0, 0, 0, False)

    later = "2026-11-01T12:00:00Z"
    assert hook(home, webhook(1, pictures, "Thing 1", later, price="8.00")) == "accepted"
    work(home, pictures)
    assert str(stored(home)["1"].price) == "8.00"
    missed = [
        webhook(1, pictures, "Thing 1", "2026-11-01T11:00:00Z", price="9.00"),  # older than what the hook brought
        webhook(2, pictures, "Renamed", later),  # its hook was missed
        webhook(3, pictures, "Thing 3"),
        webhook(5, pictures, "New", later),  # as was that of its creation, and 4 is gone
    ]
    found = run(home, write_export(export, missed))
    assert (found.mended, found.newer, found.gone) == (2, 1, 1)
    assert {key: product.title for key, product in stored(home).items()} == {
        "1": "Thing 1",
        "2": "Renamed",
        "3": "Thing 3",
        "5": "New",
    }
    assert str(stored(home)["1"].price) == "8.00"
    assert hook(home, webhook(4, pictures, "Thing 4")) == "outdated", "a late message brings nothing back"


def test_a_product_by_webhook_equals_that_of_the_export(tmp_path, pictures):
    """Then the nightly run has nothing to do, and encodes no picture again."""
    home, export = tmp_path / "shop", tmp_path / "export.jsonl"
    run(home, write_export(export, [webhook(1, pictures, "Thing 1")]))
    several = webhook(2, pictures, "Thing 2", "2026-11-01T12:00:00Z", options=[{"name": "Size"}])
    several["variants"] = [
        shopify_variant(21, "S", compare_at_price="30.00"),
        shopify_variant(22, "M", price="1299.50"),
    ]
    hook(home, several)
    work(home, pictures)
    before = stored(home)
    assert set(before) == {"1", "21", "22"}
    found = run(home, write_export(export, [webhook(1, pictures, "Thing 1"), several]))
    assert (found.mended, found.report.changes.total, found.report.changes.unchanged) == (0, 0, 3)
    assert stored(home) == before


def test_a_shrunken_or_broken_export_changes_nothing(tmp_path, pictures):
    home, export = tmp_path / "shop", tmp_path / "export.jsonl"
    payloads = [
        webhook(number, pictures, f"Thing {number}", f"2026-11-01T10:0{number}:00Z") for number in (1, 2, 3, 4, 5)
    ]
    run(home, write_export(export, payloads))
    before = stored(home)
    write_export(export, payloads[-1:])
    with pytest.raises(BadFeed, match="more than half"):
        run(home, export)
    export.write_text(json.dumps(exported(payloads[0])[0])[:-20])
    with pytest.raises(BadFeed, match="no whole export"):
        run(home, export)
    export.write_text("")
    with pytest.raises(BadFeed):
        run(home, export)
    assert stored(home) == before
    with closing(Inbox(home)) as inbox:
        assert (inbox.status("shopify").products, inbox.status("shopify").pending) == (5, 0)
    run(home, write_export(export, payloads[-1:]), allow_shrink=True)
    assert set(stored(home)) == {"5"}


def test_what_changes_while_the_shop_is_updated_is_worked_on_again(tmp_path, pictures, monkeypatch):
    home, export = tmp_path / "shop", tmp_path / "export.jsonl"
    payloads = [webhook(number, pictures, f"Thing {number}") for number in (1, 2, 3)]
    run(home, write_export(export, payloads))
    update = reconcile.__globals__["update_index"]

    def meanwhile(*given):
        hook(home, webhook(1, pictures, "Meanwhile", "2026-11-01T13:00:00Z"))
        hook(home, webhook(6, pictures, "Brand new", "2026-11-01T13:00:00Z"))
        work(home, pictures)
        return update(*given)

    monkeypatch.setitem(reconcile.__globals__, "update_index", meanwhile)
    run(home, export)
    work(home, pictures)
    assert {product.title for product in stored(home).values()} == {"Meanwhile", "Thing 2", "Thing 3", "Brand new"}


def test_what_merchants_publish_stays_and_what_webhooks_brought_goes(tmp_path, pictures):
    home, export = tmp_path / "shop", tmp_path / "export.jsonl"
    first = [webhook(number, pictures, f"Thing {number}") for number in (1, 2, 3)]
    run(home, write_export(export, first))
    hook(home, webhook(4, pictures, "Thing 4", "2026-11-01T12:00:00Z"))
    work(home, pictures)
    with SearchEngine.open(home) as engine:
        for number, colour in COLOURS.items():
            engine.put(ProductEdit(f"own-{number}", {"title": "By hand"}, [picture(colour, (70, 70 + number))]))
    own = {f"own-{number}" for number in COLOURS}
    assert set(stored(home)) == {"1", "2", "3", "4"} | own
    same = run(home, write_export(export, [*first, webhook(4, pictures, "Thing 4", "2026-11-01T12:00:00Z")]))
    assert (same.gone, same.report.changes.total) == (0, 0)
    later = webhook(3, pictures, "Thing 3", "2026-11-01T14:00:00Z")
    with pytest.raises(BadFeed, match="3 of the shop's 4 products"):
        run(home, write_export(export, [later]))
    found = run(home, write_export(export, [*first[:2], later]))
    assert found.gone == 1 and set(stored(home)) == {"1", "2", "3"} | own


def test_a_document_that_breaks_the_code_holds_up_no_other(tmp_path, pictures, monkeypatch, caplog):
    home, later = tmp_path / "shop", "2026-11-01T13:00:00Z"
    run(home, write_export(tmp_path / "export.jsonl", [webhook(number, pictures, "Old") for number in (1, 2, 3, 4)]))
    rows, edit = ProductDocument.rows, PlatformSync.step.__globals__["_edit"]

    def broken_rows(document, currency=""):
        return iter([{}["missing"]]) if document.id == "1" else rows(document, currency)

    def broken_edit(cells, *given):
        return {}["missing"] if cells["id"] == ["2"] else edit(cells, *given)

    monkeypatch.setattr(ProductDocument, "rows", broken_rows)
    monkeypatch.setitem(PlatformSync.step.__globals__, "_edit", broken_edit)
    for number in (1, 2, 3, 4):
        hook(home, webhook(number, pictures, "New", later))
    work(home, pictures)
    assert {key: product.title for key, product in stored(home).items()} == {
        "1": "Old",
        "2": "Old",
        "3": "New",
        "4": "New",
    }
    assert "document 1 could not" in caplog.text and "document 2 could not" in caplog.text
    with closing(Inbox(home)) as inbox:
        assert (inbox.status("shopify").pending, inbox.status("shopify").failed) == (2, 2), "tried again later"


def test_woocommerce_by_a_list_with_variations_anywhere(tmp_path, pictures):
    stool = woocommerce_product(1, type="variable", variations=[11, 12], images=[{"src": f"{pictures}/1.png"}])
    mug = woocommerce_product(2, name="Mug", images=[{"src": f"{pictures}/2.png"}])
    hidden = woocommerce_product(3, catalog_visibility="hidden", images=[{"src": f"{pictures}/3.png"}])
    navy = woocommerce_variation(11, "navy", parent=1, images=[{"src": f"{pictures}/4.png"}])
    red = woocommerce_variation(12, "red", parent=1, images=[{"src": f"{pictures}/5.png"}])
    for text in (
        json.dumps([navy, stool, mug, hidden, red]),
        "\n".join(map(json.dumps, (stool, mug, hidden, navy, red))),
    ):
        listing = tmp_path / "list.json"
        listing.write_text(text)
        reconcile(tmp_path / "shop", "woocommerce", read_list(listing), FakeEncoder(), ReconcileOptions("EUR"))
        found = stored(tmp_path / "shop")
        assert set(found) == {"2", "11", "12"}
        assert (found["11"].item_group_id, found["2"].item_group_id) == ("1", "")
        assert (str(found["2"].price), str(found["2"].list_price), found["2"].currency) == ("40", "50", "EUR")
    listing.write_text("[{")
    with pytest.raises(BadFeed, match="no whole list"):
        list(read_list(listing))


def test_the_command_says_what_is_missing(tmp_path):
    for arguments, says in (
        (["woocommerce"], "Give either a file"),
        (["woocommerce", "--site", "https://shop.example"], "without a key"),
        (["woocommerce", "--site", "http://shop.example", "--key", "a", "--key-secret", "hush"], "not encrypted"),
    ):
        result = CliRunner().invoke(main, ["reconcile", *arguments, "--home", str(tmp_path / "home")])
        assert result.exit_code != 0 and says in result.output and "hush" not in result.output
