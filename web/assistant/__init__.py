"""The assistant over HTTP: its route, the words of its replies, and the hint on pages of results.

Imported by web.app, web.openapi, web.pages.
"""
