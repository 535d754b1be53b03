"""Build and update an index generation from a feed: compare, decode, encode, write rows, report.

Imported by indexer, indexer.cli, indexer.distributed, indexer.maintenance, indexer.training, search.cli,
search.connect, search.ops.
"""
