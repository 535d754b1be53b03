"""Read product feeds: CSV, TSV, JSON Lines, Google Merchant XML, exports of shop platforms and folders of pictures.

The readers yield `Product` or `Rejected`, row by row. catalog.storage never imports this package.

Imported by catalog, catalog.reviews.readers, indexer.build, indexer.cache, indexer.training, search.bulk,
search.connect, search.live, search.pricing.past_prices, web.requests.
"""
