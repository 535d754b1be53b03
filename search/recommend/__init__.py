"""Recommend products: substitutes, complements and sessions, from content and logged events.

Imported by search.engine, web.api, web.pages, web.requests.
"""
