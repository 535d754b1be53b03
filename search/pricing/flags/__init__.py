"""Flags of prices, such as "lower than usual", and how often what they say came true.

Imported by search.pricing.evaluation, search.pricing.learning.
"""
