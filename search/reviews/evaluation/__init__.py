"""Measures how well reviews are analysed, on labelled texts.

Imported by search.cli.reviews.
"""
