"""Audit a whole shop for wrong labels, pictures, prices and products that cannot be found.

Imported by search.cli, search.cli.prices.
"""
