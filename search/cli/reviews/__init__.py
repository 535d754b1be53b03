"""The commands of `python -m search reviews`.

Imported by search.__main__.
"""
