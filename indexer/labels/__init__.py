"""Predict attribute labels from rows: heads, network, k-NN vote and their fusion. Imports no torch.

Imported by indexer.training, indexer.training.detection, search.bulk, search.doctor, search.listings, search.ops,
search.pricing.classical, search.pricing.owners.
"""
