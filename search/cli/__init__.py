"""Commands of `python -m search`.

Imported by search.__main__.
"""
