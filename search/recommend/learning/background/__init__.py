"""Fit in the background: start the process, report how far it is, and let shoppers come first.

Imported by search.cli, search.ops, search.recommend.learning, web.api.
"""
