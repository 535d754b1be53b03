"""Tell attributes that are for programs, such as numbers and columns for advertising, from those that shoppers read."""

from __future__ import annotations

import re

_NAMES = """
    id sku gtin gtin8 gtin12 gtin13 gtin14 ean ean8 ean13 upc isbn isbn10 isbn13 mpn asin barcode handle slug
    identifier_exists item_group_id group group_id parent_id parent_sku variant_id product_id seller vendor_id
    store_code external_seller_id condition adult is_bundle multipack tax tax_category tax_class min_handling_time
    max_handling_time transit_time_label ships_from_country expiration_date availability_date quantity qty inventory
    stock stock_quantity sell_on_google_quantity cost_of_goods_sold promotion_id excluded_destination
    included_destination shopping_ads_excluded_country pause unit_pricing_measure unit_pricing_base_measure installment
    subscription_cost loyalty_points loyalty_program auto_pricing_min_price product_type google_product_category
    fb_product_category facebook_product_category rich_text_description structured_title structured_description
    product_highlight_id return_policy_label disclosure_date link url permalink image_link mobile_link canonical_link
    link_template mobile_link_template lifestyle_image_link virtual_model_link video_link certification
"""
_KNOWN = frozenset(_NAMES.split())
_PREFIXES = ("custom_label", "shipping", "adwords", "ads_", "google_", "fb_", "facebook_", "consumer_notice")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
CONDITION, NEW = "condition", "new"


def is_technical(name: str, value: str = "") -> bool:
    """Tell whether shoppers have no use for an attribute, by its name or because its value is an address.

    The condition of a product is of use to them when it is not new.
    """
    plain = "_".join(name.casefold().replace("-", " ").split())
    if plain == CONDITION and value and value.strip().casefold() != NEW:
        return False
    return plain in _KNOWN or plain.startswith(_PREFIXES) or bool(_ADDRESS.match(value))
