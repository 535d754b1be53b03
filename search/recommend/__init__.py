"""Recommend products: the face of everything below it, for the engine.

Imported by search.cli, search.engine.
"""
