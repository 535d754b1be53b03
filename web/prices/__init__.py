"""Prices on pages and over HTTP: the chart of a product, the lowest price before a discount, price alerts.

Imported by web.api, web.app, web.openapi, web.pages, web.personal, web.prices.merchant, web.saved.
"""
