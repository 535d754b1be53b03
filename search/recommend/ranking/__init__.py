"""The second stage: candidates of several models, described by features and ranked by gradient-boosted trees.

Imported by search.recommend.evaluation, search.recommend.feed, search.recommend.learning.
"""
