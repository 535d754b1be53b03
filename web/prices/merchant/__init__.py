"""Prices for merchants and owners: the page, its API, and the section of the operator's page.

Imported by web, web.api, web.openapi.
"""
