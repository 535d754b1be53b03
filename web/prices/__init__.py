"""Prices on pages and over HTTP: the chart of a product, the lowest price before a discount, price alerts.

Imported by web, web.api, web.openapi, web.pages, web.personal, web.prices.merchant, web.saved.
"""
