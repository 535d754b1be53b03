"""Fetch pictures by web address: URL policy, download with deadline, and a store of what was fetched.

Imported by catalog.feeds, indexer.build, indexer.maintenance, search.connect, web.settings.
"""
