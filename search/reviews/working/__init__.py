"""Analyse the reviews that wait: at once by a command, or one after another in a server.

Imported by search.cli.reviews, search.engine.
"""
