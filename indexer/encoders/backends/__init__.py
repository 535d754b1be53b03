"""Run and export models: ONNX Runtime, torch modules, preprocessing and the starter's towers. Used by encoders only.

Imported by indexer.detection, indexer.encoders, indexer.encoders.backends.texts, indexer.labels, indexer.training,
indexer.training.detection, search.engine, search.listings, search.speech, web.cli.
"""
