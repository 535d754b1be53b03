"""What `windowshop learn` learns besides label heads.

Imported by search.cli.
"""
