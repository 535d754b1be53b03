"""Prices over HTTP and on pages: price alerts of visitors.

Imported by web, web.api, web.openapi.
"""
