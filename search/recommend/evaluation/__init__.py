"""Measure recommenders on the last weeks of a log.

Imported by search.cli, search.pricing.learning, search.recommend.learning.
"""
