"""The words that are suggested while somebody types, as arrays of a generation: who has them, and what follows them.

Imported by indexer.build, search.retrieval, search.suggest.
"""
