"""Suggest while a shopper types: words, kinds, brands and products of the shop as it is now.

Imported by search.engine, web.api, web.middleware, web.requests.
"""
