"""What products cost before: every change of a price, list price or stock, and what can be read from them.

Imported by catalog.postgres, catalog.storage, search.cli.prices, search.pricing, search.pricing.demand,
search.pricing.flags, search.pricing.owners, search.pricing.owners.rules, search.pricing.past_prices,
search.pricing.series, web.prices.
"""
