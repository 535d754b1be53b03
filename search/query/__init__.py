"""Describe a query: terms, filters, text intent, spelling, glossary, and their encoding into a vector.

Imported by search, search.assistant.answering, search.assistant.dialogue, search.cli, search.dedup, search.doctor,
search.engine, search.evaluation, search.explain, search.hits, search.listings, search.merchandising, search.ops,
search.recommend.content, search.recommend.feed, search.retrieval, search.reviews.photo_retrieval, search.state,
search.suggest, search.understanding, web.api, web.facets, web.middleware, web.pages, web.requests.
"""
