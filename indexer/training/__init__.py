"""Fitting heads: the starter's from public datasets, a shop's own from its catalogue.

Imported by indexer.cli, indexer.training.detection, indexer.training.kinds, search.doctor, search.listings,
search.pricing.classical.
"""
