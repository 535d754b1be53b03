"""A/B experiments on the feed: who is in which arm, and who has seen it.

Imported by search.cli, search.ops, search.recommend, search.recommend.feed, web.experiments.
"""
