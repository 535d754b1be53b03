"""Imports that are applied to a copy of the catalogue first, so that the catalogue itself is locked for a short time.

Imported by indexer.build.
"""
