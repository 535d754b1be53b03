"""Demand by price: how units sold follow a product's price, and what a price would bring.

Imported by search.cli.prices, search.pricing.evaluation, search.pricing.owners, web.prices.merchant.
"""
