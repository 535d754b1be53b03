"""Cache vectors by picture content and encoder, and file statistics by path.

Imported by indexer.build, indexer.maintenance, search.state.
"""
