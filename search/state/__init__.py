"""Hold a shop's searchable state in memory: rows, columns, labels and replayed changes. Immutable once built.

Imported by search.engine, search.live, search.merchandising, search.recommend.feed, search.retrieval,
search.reviews.photo_retrieval, search.reviews.ranking, search.suggest, search.understanding, search.words, web.facets.
"""
