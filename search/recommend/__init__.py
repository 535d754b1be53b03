"""Recommend products: substitutes, complements and sessions, from content and logged events.

Imported by search.engine, search.ops, web.api, web.pages, web.requests.
"""
