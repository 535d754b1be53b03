"""Run and export models: ONNX Runtime, torch modules, preprocessing and the starter's towers. Used by encoders only.

Imported by indexer.encoders, indexer.labels, indexer.training, search.listings, web.cli.
"""
