"""The API of experiments on the feed.

Imported by web.app, web.openapi.
"""
