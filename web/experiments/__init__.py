"""The API of experiments on the feed.

Imported by web, web.openapi.
"""
