"""Commands of `python -m indexer`.

Imported by indexer.__main__, search.__main__, search.cli, search.cli.assistant, search.cli.prices,
search.cli.reviews, web.__main__, web.cli.
"""
