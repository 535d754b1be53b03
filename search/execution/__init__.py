"""Run steps under deadlines and time them.

Imported by search.assistant.answering, search.assistant.dialogue, search.assistant.handover, search.connect,
search.engine, search.explain, search.listings, search.pricing.alerts, search.query, search.recommend,
search.retrieval, search.understanding, web.admission, web.middleware, web.shedding.
"""
