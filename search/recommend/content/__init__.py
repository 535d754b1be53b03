"""Recommend from content: substitutes, complements and sessions, by rows, rules and statistics of events.

Imported by search.recommend, search.recommend.feed, web.api, web.pages.
"""
