"""Encode on the machines of a Ray cluster, into the same caches as on this machine.

Imported by indexer.cli.
"""
