"""Apply the shop owner's rules to search: synonyms, pins, boosts, buries, hidden products and redirects.

Imported by search.cli, search.engine, search.ops, search.recommend.feed, search.retrieval, web.api, web.requests.
"""
