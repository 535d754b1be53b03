"""Verify, prune, back up and restore a shop's files.

Imported by indexer.cli.
"""
