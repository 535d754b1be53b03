"""JSON routes.

Imported by web, web.assistant.
"""
