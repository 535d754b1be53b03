"""The words of a shop's products as arrays of a generation: which product has which word, in which of its texts.

Imported by indexer.build, search.words.
"""
