"""Have Shopify write all products of a shop to a file, by a bulk operation, and download it for the reconciliation."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from catalog.errors import BadFeed
from search.connect.site_http import MAX_ANSWER_BYTES, Site, download

PATH = "/admin/api/2025-10/graphql.json"
PRODUCTS = """{
  products(query: "status:active") {
    edges { node {
      id title descriptionHtml vendor productType handle status publishedAt updatedAt tags
      media { edges { node { ... on MediaImage { id image { url } } } } }
      variants { edges { node {
        id price compareAtPrice sku barcode inventoryQuantity inventoryPolicy updatedAt
        inventoryItem { tracked } selectedOptions { name value } image { url }
      } } }
    } }
  }
}"""
_START = """mutation ($query: String!) {
  bulkOperationRunQuery(query: $query) { bulkOperation { id } userErrors { message } }
}"""
_STATE = "query ($id: ID!) { node(id: $id) { ... on BulkOperation { status errorCode objectCount url } } }"
_WAITING = ("CREATED", "RUNNING")
_UNKNOWN = {"status": "UNKNOWN"}
POLL_S, MAX_WAIT_S = 5.0, 3_600.0


class ShopifySite:
    """A shop's Admin interface, with the access token of an app that has the scope read_products."""

    def __init__(self, domain: str, token: str, poll_seconds: float = POLL_S) -> None:
        """`domain` is a name like corner-shop.myshopify.com. Raises BadFeed."""
        self._site = Site.read(domain if "://" in domain else f"https://{domain}")
        self._headers = {"X-Shopify-Access-Token": token, "Content-Type": "application/json"}
        self._poll_seconds = poll_seconds

    def write_products(self, path: Path) -> int:
        """Write a line for each product, picture and variant, and return how many. Raises BadFeed unless it is all."""
        started = self._ask(_START, {"query": PRODUCTS})["bulkOperationRunQuery"]
        if started["userErrors"]:
            reasons = "; ".join(str(error.get("message")) for error in started["userErrors"])
            raise BadFeed(f"Shopify does not begin the export: {reasons[:300]}", "Only one may run at a time.")
        state = self._awaited(started["bulkOperation"]["id"])
        path.write_bytes(b"")
        if state["url"]:  # None where the shop has no product
            download(state["url"], path)
        with path.open("rb") as file:
            count = sum(1 for _ in file)
        if count < int(state["objectCount"]):
            raise BadFeed(f"Shopify's file has {count:,} of {int(state['objectCount']):,} lines.", "Try again.")
        return count

    def _awaited(self, operation: str) -> dict[str, Any]:
        """Return the state of a bulk operation that has ended well. Raises BadFeed."""
        until = time.monotonic() + MAX_WAIT_S
        while (state := self._ask(_STATE, {"id": operation})["node"] or _UNKNOWN)["status"] in _WAITING:
            if time.monotonic() > until:
                raise BadFeed("Shopify's export did not end within an hour.", "Try again later.")
            time.sleep(self._poll_seconds)
        if state["status"] != "COMPLETED":
            reason = state.get("errorCode") or "no reason given"
            raise BadFeed(f"Shopify's export ended as {state['status']}: {reason}.", "Try again.")
        found: dict[str, Any] = state
        return found

    def _ask(self, query: str, variables: Mapping[str, str]) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        with self._site.answer("POST", PATH, self._headers, body) as response:
            answer = json.loads(response.read(MAX_ANSWER_BYTES))
            if not isinstance(answer, dict) or not isinstance(answer.get("data"), dict):
                raise ValueError(json.dumps(answer)[:300])
            data: dict[str, Any] = answer["data"]
            return data
