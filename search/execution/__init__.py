"""Run steps under deadlines and time them.

Imported by search.engine, search.explain, search.listings, search.recommend, search.retrieval, web.middleware.
"""
