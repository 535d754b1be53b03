"""Look up the words of a shop as it is now, and add up what products hold of a text.

Imported by search.retrieval.
"""
