"""Predict whether a visitor buys in a category, or a product, within the next days.

Imported by search.recommend, search.recommend.evaluation, search.recommend.learning.
"""
