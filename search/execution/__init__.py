"""Run steps under deadlines and time them.

Imported by search.assistant.handover, search.connect, search.engine, search.explain, search.listings,
search.pricing.alerts, search.query, search.recommend, search.retrieval, search.understanding, web.admission,
web.middleware, web.shedding.
"""
