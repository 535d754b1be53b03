"""Cache vectors by picture content and encoder, and file statistics by path.

Imported by indexer.build, indexer.distributed, indexer.maintenance, search.state.
"""
