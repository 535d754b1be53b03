"""Split and normalise text, read the glossary and labelled CSV files, and write safe CSV. Every room may import it.

Imported by catalog.feeds, catalog.feeds.platforms, catalog.feeds.rows, catalog.postgres, catalog.questions,
catalog.reviews, catalog.reviews.readers, catalog.storage, indexer.build, indexer.columns, indexer.encoders.backends,
indexer.suggestions, indexer.training.captions, indexer.training.kinds, search.assistant.answering,
search.assistant.dialogue, search.assistant.evaluation, search.assistant.generation, search.assistant.handover,
search.assistant.intents, search.assistant.orders, search.assistant.policies, search.assistant.products,
search.assistant.products.reading, search.bulk, search.cli, search.cli.prices, search.cli.reviews, search.doctor,
search.evaluation, search.language, search.listings, search.live, search.merchandising, search.ops,
search.pricing.demand, search.pricing.owners, search.pricing.past_prices, search.query, search.recommend.content,
search.recommend.events, search.recommend.models, search.retrieval, search.reviews.analysis, search.reviews.evaluation,
search.reviews.importing, search.reviews.insights, search.reviews.moderation, search.speech, search.suggest,
search.understanding, web.cli, web.facets, web.requests, web.reviews, web.try_photos.
"""
