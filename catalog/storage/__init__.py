"""Store products, pictures and the change log in SQLite, with a full-text word index.

Imported by catalog, catalog.feeds.platform_documents, catalog.fetching, catalog.postgres, catalog.questions,
catalog.reviews, catalog.staging, indexer.build, indexer.cache, indexer.cli, indexer.columns, indexer.generations,
indexer.maintenance, indexer.suggestions, indexer.training, indexer.words, search.assistant.threads, search.bulk,
search.cli, search.cli.prices, search.cli.reviews, search.connect, search.doctor, search.engine, search.evaluation,
search.listings, search.live, search.merchandising, search.ops, search.pricing.alerts, search.pricing.demand,
search.pricing.owners, search.pricing.series, search.recommend.events, search.recommend.experiments,
search.recommend.learning, search.retrieval, search.speech, search.state, search.suggest, search.words, web.api,
web.seo.
"""
