"""Measure search and categorisation on labelled questions, and calibrate the match verdict.

Imported by search, search.assistant.evaluation, search.cli, search.reviews.evaluation.
"""
