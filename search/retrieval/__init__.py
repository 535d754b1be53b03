"""Retrieve, score, collapse, filter and count products for one query."""
