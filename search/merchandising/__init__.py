"""Apply the shop owner's rules to search: synonyms, pins, boosts, buries, hidden products and redirects.

Imported by search, search.cli, search.retrieval, web.api, web.openapi, web.requests.
"""
