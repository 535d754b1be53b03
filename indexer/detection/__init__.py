"""Detection head on the starter's feature maps: where objects are in a picture, and which cells show them.

Imported by indexer.cli, indexer.training.detection, search.explain.
"""
