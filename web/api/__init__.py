"""JSON routes.

Imported by web, web.assistant, web.reviews.api.
"""
