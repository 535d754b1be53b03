"""Files shared by every room: locks and failpoints. Imports nothing but catalog.errors.

Imported by catalog.audio, catalog.fetching, catalog.postgres, catalog.price_history, catalog.reviews,
catalog.sample.generator, catalog.staging, catalog.storage, indexer.build, indexer.cache, indexer.columns,
indexer.detection, indexer.encoders, indexer.encoders.backends, indexer.encoders.backends.texts, indexer.generations,
indexer.labels, indexer.maintenance, indexer.vectors.milvus, search.assistant.handover, search.assistant.intents,
search.assistant.orders, search.assistant.policies, search.bulk, search.cli, search.cli.prices, search.connect,
search.doctor, search.fitting, search.listings, search.live, search.ops, search.pricing.alerts, search.pricing.demand,
search.pricing.learning, search.pricing.owners, search.pricing.past_prices, search.query, search.recommend.learning,
search.recommend.learning.background, search.retrieval, search.reviews.working, search.speech, search.text_heads,
web.api, web.cli, web.middleware.
"""
