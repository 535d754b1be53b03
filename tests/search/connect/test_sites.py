"""What the reconciliation downloads itself: Shopify's export and WooCommerce's list, or nothing at all."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from catalog.errors import BadFeed
from search.connect.shopify_site import PRODUCTS, ShopifySite
from search.connect.site_http import Site
from search.connect.woocommerce_site import WooCommerceSite
from tests.web.test_main import ROOT


@contextmanager
def site(answer):
    """A server on loopback; `answer(path, headers, body)` returns a status, a body and headers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, body, headers = answer(self.path, self.headers, sent)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the name that the base class calls

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class Shopify:
    """Answers as Shopify's Admin interface does: a bulk operation that runs for a while, and its file."""

    def __init__(self, lines=3, states=("CREATED", "RUNNING", "COMPLETED"), **changes):
        self.lines, self.states, self.changes = lines, list(states), changes
        self.tokens = []

    def __call__(self, path, headers, body):
        self.tokens.append(headers.get("X-Shopify-Access-Token"))
        if path.startswith("/file"):
            return 200, b'{"id": "gid://shopify/Product/1"}\n' * self.lines, {}
        asked = json.loads(body)
        if "bulkOperationRunQuery" in asked["query"]:
            assert asked["variables"]["query"] == PRODUCTS
            started = {"bulkOperation": {"id": "gid://shopify/BulkOperation/1"}, "userErrors": []}
            data = {"bulkOperationRunQuery": started | self.changes}
        else:
            state, url = self.states.pop(0), f"http://{headers['Host']}/file?signature=x"
            data = {"node": {"status": state, "errorCode": None, "objectCount": "3", "url": url}}
        return 200, json.dumps({"data": data}).encode(), {}


def test_shopify_writes_an_export_that_is_downloaded_whole(tmp_path):
    shop = Shopify()
    with site(shop) as address:
        assert ShopifySite(address, "shpat", poll_seconds=0).write_products(tmp_path / "export") == 3
    assert len((tmp_path / "export").read_text().splitlines()) == 3
    assert shop.tokens == ["shpat"] * 4 + [None], "the file is elsewhere, and its host gets no token"


BROKEN = {
    "cut short": (Shopify(lines=2), "2 of 3 lines"),
    "failed": (Shopify(states=["FAILED"]), "ended as FAILED"),
    "one runs already": (Shopify(bulkOperation=None, userErrors=[{"message": "already in progress"}]), "in progress"),
    "no rights": (lambda *_: (403, b"", {}), "answered 403"),
    "elsewhere": (lambda *_: (302, b"", {"Location": "http://evil.example"}), "answered 302"),
    "no JSON": (lambda *_: (200, b"<html>", {}), "did not give its products"),
    "an error": (lambda *_: (200, b'{"errors": "throttled"}', {}), "throttled"),
}


@pytest.mark.parametrize(("shop", "says"), BROKEN.values(), ids=BROKEN)
def test_an_export_that_is_not_whole_is_refused(tmp_path, shop, says):
    with site(shop) as address, pytest.raises(BadFeed, match=says) as caught:
        ShopifySite(address, "shpat", poll_seconds=0).write_products(tmp_path / "export")
    assert "shpat" not in str(caught.value)


def test_the_documents_show_the_query_that_is_sent():
    assert PRODUCTS in (ROOT / "docs" / "connect" / "shopify.md").read_text()


def woocommerce(total, missing=()):
    """Answers as WooCommerce's list does, page by page; the products of `missing` slip away meanwhile."""

    def answer(path, headers, _):
        assert headers["Authorization"] == "Basic Y2s6Y3M="
        address = urlsplit(path)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        if address.path.endswith("/3/variations"):
            items, of = [{"id": 901}], 1
        else:
            first, of = 100 * (int(asked["page"]) - 1), total
            kinds = {3: "variable"}
            numbers = [number for number in range(first + 1, min(total, first + 100) + 1) if number not in missing]
            items = [{"id": number, "type": kinds.get(number, "simple")} for number in numbers]
        return 200, json.dumps(items).encode(), {"X-WP-Total": str(of), "X-WP-TotalPages": str(-(-of // 100))}

    return answer


def test_woocommerces_pages_and_variations_become_one_file(tmp_path):
    with site(woocommerce(250)) as address:
        assert WooCommerceSite(address, "ck", "cs").write_products(tmp_path / "list") == 250
    lines = [json.loads(line) for line in (tmp_path / "list").read_text().splitlines()]
    assert [line for line in lines if line["type"] == "variation"] == [{"id": 901, "type": "variation", "parent_id": 3}]
    assert {line["id"] for line in lines} == {*range(1, 251), 901}
    with site(woocommerce(250, missing={120})) as address, pytest.raises(BadFeed, match="249 of 250"):
        WooCommerceSite(address, "ck", "cs").write_products(tmp_path / "list")


@pytest.mark.parametrize("address", ["http://shop.example", "ftp://shop.example", "shop.example", "https://"])
def test_a_key_goes_to_encrypted_sites_only(address):
    with pytest.raises(BadFeed):
        Site.read(address)
