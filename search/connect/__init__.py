"""Take products from shop platforms: batches, webhooks, and the comparison of a whole catalogue.

Imported by search.cli, web.api, web.connect, web.requests.
"""
