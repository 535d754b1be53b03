"""Prices for merchants and owners: the page, its API, and the section of the operator's page.

Imported by web.api, web.app, web.openapi.
"""
