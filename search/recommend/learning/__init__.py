"""Fit the recommender's models, measure them, and store them as versions of which one is served.

Imported by search.cli, search.ops, search.recommend, search.recommend.feed.
"""
