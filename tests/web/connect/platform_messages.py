"""Products as Shopify and WooCommerce send them, and the headers of a delivery, signed as the platforms sign."""

import base64
import hashlib
import hmac
import json
from datetime import datetime, timezone

SHOPIFY_SECRET, WOOCOMMERCE_SECRET = "hush-shopify", "hush-woocommerce"
DOMAIN = "corner-shop.myshopify.com"
SHOPIFY, WOOCOMMERCE = "/connect/shopify/webhooks", "/connect/woocommerce/webhooks"


def signature(secret, body):
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def shopify_headers(body, topic="products/update", delivery="d1", secret=SHOPIFY_SECRET, **changes):
    now = datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")
    headers = {
        "Content-Type": "application/json",
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": DOMAIN,
        "X-Shopify-Webhook-Id": delivery,
        "X-Shopify-Triggered-At": now,
        "X-Shopify-Hmac-Sha256": signature(secret, body),
    }
    return {name: value for name, value in (headers | changes).items() if value is not None}


def woocommerce_headers(body, topic="product.updated", delivery="d1", secret=WOOCOMMERCE_SECRET, **changes):
    headers = {
        "Content-Type": "application/json",
        "X-WC-Webhook-Topic": topic,
        "X-WC-Webhook-Resource": "product",
        "X-WC-Webhook-Event": topic.partition(".")[2],
        "X-WC-Webhook-Delivery-ID": delivery,
        "X-WC-Webhook-Signature": signature(secret, body),
    }
    return {name: value for name, value in (headers | changes).items() if value is not None}


def shopify_product(number=632910392, updated="2026-11-01T10:00:00-05:00", **changes):
    """A product with one variant, as products/update sends it."""
    product = {
        "id": number,
        "title": "Clay teapot",
        "body_html": "<p>Holds <b>1 l</b>.</p>",
        "vendor": "Acme",
        "product_type": "Teapots",
        "handle": "clay-teapot",
        "status": "active",
        "published_at": "2026-01-01T00:00:00-05:00",
        "updated_at": updated,
        "tags": "kitchen, tea",
        "options": [{"name": "Title", "position": 1, "values": ["Default Title"]}],
        "images": [{"id": 11, "position": 1, "src": "http://pictures.example/teapot.jpg", "variant_ids": []}],
        "variants": [shopify_variant(1, "Default Title", updated=updated, price="18.00", compare_at_price="24.00")],
    }
    return product | changes


def shopify_variant(number, *options, updated="2026-11-01T10:00:00-05:00", **changes):
    named = {f"option{place}": option for place, option in enumerate(options, 1)}
    variant = {
        "id": number,
        "price": "10.00",
        "compare_at_price": None,
        "sku": f"S-{number}",
        "barcode": "",
        "inventory_policy": "deny",
        "inventory_management": "shopify",
        "inventory_quantity": 3,
        "image_id": None,
        "updated_at": updated,
    }
    return variant | named | changes


def woocommerce_product(number=794, updated="2026-11-01T15:00:00", **changes):
    """A simple product, as product.updated sends it."""
    product = {
        "id": number,
        "name": "Oak stool",
        "type": "simple",
        "status": "publish",
        "catalog_visibility": "visible",
        "description": "<p>Solid oak.</p>",
        "permalink": "https://woo.example/product/oak-stool/",
        "sku": "ST-1",
        "price": "40",
        "regular_price": "50",
        "sale_price": "40",
        "date_modified_gmt": updated,
        "stock_status": "instock",
        "backorders": "no",
        "categories": [{"id": 9, "name": "Stools", "slug": "stools"}],
        "tags": [{"id": 3, "name": "wood"}],
        "images": [{"id": 7, "src": "http://pictures.example/stool.jpg"}],
        "attributes": [{"id": 0, "name": "Material", "visible": True, "variation": False, "options": ["oak"]}],
        "variations": [],
    }
    return product | changes


def woocommerce_variation(number, colour, parent=794, updated="2026-11-01T15:00:00", **changes):
    variation = {
        "id": number,
        "parent_id": parent,
        "type": "variation",
        "name": f"Oak stool - {colour}",
        "status": "publish",
        "permalink": f"https://woo.example/product/oak-stool/?attribute_colour={colour}",
        "sku": f"ST-{colour}",
        "price": "45",
        "regular_price": "45",
        "date_modified_gmt": updated,
        "stock_status": "instock",
        "backorders": "no",
        "images": [{"id": number, "src": f"http://pictures.example/stool-{colour}.jpg"}],
        "attributes": [{"id": 1, "name": "Colour", "option": colour}],
    }
    return variation | changes


def encoded(payload):
    return json.dumps(payload).encode()
