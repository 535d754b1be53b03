"""Take products from shop platforms: batches, webhooks, and the comparison of a whole catalogue.

Imported by search.bulk, search.cli, web.api, web.connect, web.requests.
"""
