"""Recommend from content: substitutes, complements and sessions, by rows, rules and statistics of events.

Imported by search.recommend, web.api, web.pages.
"""
