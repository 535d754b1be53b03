"""Encoders: pictures and words to rows of unit-length blocks.

Imported by indexer, indexer.build, indexer.cli, indexer.detection, indexer.distributed, indexer.generations,
indexer.labels, indexer.maintenance, indexer.training, indexer.training.kinds, search.cli, search.connect,
search.dedup, search.engine, search.explain, search.listings, search.query, search.retrieval,
search.reviews.moderation, search.reviews.working, search.state, search.text_heads, search.understanding.
"""
