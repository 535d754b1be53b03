"""Store the catalogue in PostgreSQL: products, pictures, change log, histories and word index in a schema per shop.

Imported by nothing.
"""
