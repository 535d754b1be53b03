"""Price alerts: which visitor waits for which price, what the catalogue's changes fire, and the webhook that tells it.

Imported by search.cli, search.cli.prices, web.prices.
"""
