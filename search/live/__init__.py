"""Follow generations and change products while the shop is open.

Imported by search.bulk, search.connect, search.engine, web.requests.
"""
