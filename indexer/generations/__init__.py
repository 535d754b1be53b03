"""Store, check, publish and compare index generations.

Build and maintenance import this package; it never imports them.

Imported by indexer.build, indexer.cli, indexer.maintenance, indexer.suggestions, indexer.training,
indexer.training.kinds, indexer.words, search.assistant.intents, search.cli, search.doctor, search.engine,
search.evaluation, search.language, search.listings, search.live, search.ops, search.retrieval, search.state,
search.understanding, search.words.
"""
