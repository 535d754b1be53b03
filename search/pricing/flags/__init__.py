"""Flags of prices, such as "lower than usual", and how often what they say came true.

Imported by search.pricing, search.pricing.evaluation, search.pricing.learning, web.prices, web.prices.history.
"""
