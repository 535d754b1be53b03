"""Run steps under deadlines and time them.

Imported by search.assistant.handover, search.connect, search.engine, search.explain, search.listings,
search.pricing.alerts, search.recommend, search.retrieval, search.understanding, web.middleware.
"""
