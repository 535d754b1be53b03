"""Build the OpenAPI document and its reference page.

Imported by web, web.cli.
"""
