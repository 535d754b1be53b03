"""Prices: what products cost before, what they will cost, and what a price does to demand.

Imported by search.engine, web.prices, web.prices.history, web.prices.merchant.
"""
