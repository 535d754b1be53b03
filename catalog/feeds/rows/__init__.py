"""Read the rows of a feed's file: its bytes, encoding, lines, records and cells, and the names of its columns.

Knows nothing of products; the formats and the mapping to products build on it.

Imported by catalog.feeds, catalog.feeds.platforms, catalog.reviews.readers, indexer.build, indexer.cache,
search.assistant.orders, search.bulk, search.evaluation, search.pricing.past_prices, search.reviews.importing.
"""
