"""Signed requests to the shop's own services: the one that knows orders, and the one that takes hand-overs.

Imported by search.assistant.generation, search.assistant.handover, search.assistant.orders, search.pricing.alerts,
web.conversations, web.prices.
"""
