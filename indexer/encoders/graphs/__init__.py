"""Models of the starter as ONNX graphs, built from their weight files without torch.

Imported by indexer.cli, indexer.encoders.backends, indexer.encoders.backends.texts, indexer.labels, web.cli.
"""
