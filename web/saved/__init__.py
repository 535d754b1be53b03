"""Favourites and comparisons: products that a shopper's own browser remembers, as pages with an address.

Imported by web.app.
"""
