"""Read files of past prices and import them into the history of a shop's prices.

Imported by search.cli.prices.
"""
