"""Fitting heads: the starter's from public datasets, a shop's own from its catalogue.

Imported by indexer.cli, search.doctor, search.listings.
"""
