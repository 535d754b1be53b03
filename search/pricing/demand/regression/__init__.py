"""Fit units by week to prices and promotions: Poisson regression with effects shrunk along the categories.

Imported by search.pricing.demand.
"""
