"""Encoders: pictures and words to rows of unit-length blocks.

Imported by indexer, indexer.build, indexer.cli, indexer.labels, indexer.maintenance, indexer.training, search.dedup,
search.engine, search.explain, search.listings, search.query, search.retrieval, search.state.
"""
