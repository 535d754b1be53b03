"""What ratings do to the ranking of a search.

Imported by search.engine, search.retrieval.
"""
