"""JSON routes.

Imported by web.app, web.assistant, web.reviews.api.
"""
