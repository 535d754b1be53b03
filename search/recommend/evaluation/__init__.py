"""Measure recommenders on the last weeks of a log.

Imported by search.cli, search.recommend.learning.
"""
