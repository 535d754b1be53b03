"""Take products from shop platforms: batches, webhooks, and the comparison of a whole catalogue.

Imported by web.api, web.requests.
"""
