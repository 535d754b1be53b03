"""JSON routes.

Imported by web.
"""
