"""The API of reviews: what shoppers see, send and vote for, and what merchants decide, answer and import.

Imported by web.app, web.openapi, web.reviews.
"""
