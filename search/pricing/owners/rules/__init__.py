"""The rules of what is odd about a price: jumps, stale prices, margins, announced discounts.

Imported by search.cli.prices, search.doctor, search.pricing.owners, web.prices.merchant.
"""
