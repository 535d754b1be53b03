"""Read products as shop platforms send them in JSON, one document a product, into feed rows.

Imported by search.cli, search.connect, web.connect.
"""
