"""Write the products of a generation as arrays in files of its own, and map them when it is opened.

Imported by indexer.build, indexer.suggestions, indexer.vectors, search.query, search.retrieval, search.state,
search.suggest, search.understanding, search.words.
"""
