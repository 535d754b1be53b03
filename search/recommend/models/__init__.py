"""Models that score products for a visitor, behind one contract.

Imported by search.recommend.evaluation, search.recommend.feed, search.recommend.learning, search.recommend.outlook,
search.recommend.ranking.
"""
