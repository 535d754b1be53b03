"""Fit the kinds that the starter knows, and the head that recognises pictures without a product.

Imported by indexer.cli.
"""
