"""Commands of `python -m search`.

Imported by search.__main__, search.cli.assistant, search.cli.prices, search.cli.reviews.
"""
