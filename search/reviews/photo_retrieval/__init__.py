"""Search in the photos of reviews.

Imported by search.engine, web.reviews.api.
"""
