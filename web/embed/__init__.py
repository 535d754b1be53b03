"""The search for a merchant's own pages: one script with its web components, and an adapter for InstantSearch.

Imported by web.app, web.pages.
"""
