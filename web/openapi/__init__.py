"""Build the OpenAPI document and its reference page.

Imported by web.app, web.cli.
"""
