"""Read files of reviews: tables, JSON Lines, and the exports of review apps for Shopify and of WooCommerce.

Imported by search.pricing.past_prices, search.reviews.importing.
"""
