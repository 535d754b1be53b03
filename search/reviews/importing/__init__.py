"""Import files of reviews into a shop, and write them out again.

Imported by search.cli.reviews.
"""
