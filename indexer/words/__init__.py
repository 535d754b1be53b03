"""The words of a shop's products as arrays beside the index: which product has which word, in which of its texts.

Imported by indexer.build, search.words.
"""
