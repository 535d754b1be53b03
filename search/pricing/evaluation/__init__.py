"""How well prices are forecast: rolling origins on a log of purchases, and the table of all forecasters.

Imported by search.cli.prices.
"""
