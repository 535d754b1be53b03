"""Understand a question with a shop's own words: kinds of things, attributes, brands, limits and what is not wanted.

Imported by search.assistant.answering, search.assistant.dialogue, search.evaluation, search.hits, search.retrieval,
web.pages.
"""
