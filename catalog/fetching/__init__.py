"""Fetch pictures by web address: URL policy, download with deadline, and a store of what was fetched.

Imported by catalog.feeds, indexer.build, indexer.maintenance, search.bulk, search.connect, web.settings.
"""
