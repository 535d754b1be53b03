"""Retrieve, score, collapse, filter and count products for one query.

Imported by search.bulk, search.cli, search.dedup, search.doctor, search.engine, search.evaluation, search.explain,
search.live, search.recommend, search.recommend.feed, search.reviews.photo_retrieval.
"""
